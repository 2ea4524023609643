/** The loss of a fit: its option, the data that it can measure, its value in f64, and the coefficients of new samples by its updates. */
import { checkPositiveInteger, checkWeights } from '../data/check.js';
import { type Matrix, transpose } from '../data/matrix.js';
import { type DataMatrix, entriesOf, isSparse, requireDense, type SparseMatrix, sparseTranspose, stored } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit, timesPowerOfTwo } from '../data/unit.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import { betaLoss, type Loss, type Ones } from '../programs/losses.js';
import type { PenaltyShape, PenaltyWeights } from '../programs/penalties.js';
import { lossTransformProgram } from '../programs/ssnmf.js';
import type { TransformOptions } from './definition.js';
import { readFactor, readFactors } from './fit.js';
import { addGraphGradient, type NeighbourGraph } from './neighbours.js';
import { choiceOrNumber } from './options.js';
import type { Problem } from './problem.js';
import { runStage } from './stage.js';
import { writeMatrix } from './write-matrix.js';

/** The losses that have a name, with their β. */
export const namedLosses = { frobenius: 2, 'kullback-leibler': 1, 'itakura-saito': 0 } as const;

export type LossName = keyof typeof namedLosses;

const lossNames = Object.keys(namedLosses) as LossName[];

export const lossOption = choiceOrNumber(lossNames, [-1, 3], 'measure of X against AS, or the β of a β-divergence', {
  default: 'frobenius',
});

export function betaOf(loss: LossName | number = 'frobenius'): number {
  return typeof loss === 'number' ? loss : namedLosses[loss];
}

/** The loss in words: a name, or its β. */
export function wordsOf(beta: number): string {
  const name = lossNames.find((one) => namedLosses[one] === beta);
  return name ? `'${name}'` : String(beta);
}

/** Throws InputError for a loss that goes with multiplicative updates alone beside another solver. */
export function checkSolverOfLoss({ loss, solver }: Readonly<Record<string, unknown>>, nameOf: (name: string) => string): void {
  const beta = betaOf(loss as LossName | number | undefined);
  const others = (Array.isArray(solver) ? solver : [solver]).filter((one) => one !== undefined && one !== 'mu');
  if (beta === 2 || others.length === 0) return;
  throw new InputError(
    `${nameOf('loss')} ${wordsOf(beta)} goes with multiplicative updates alone, but ${nameOf('solver')} is '${others[0]}'; leave out ${nameOf('solver')}, or choose 'frobenius'.`,
    { option: 'loss' },
  );
}

/** Throws InputError for data that a loss has no value for, or none at the stored entries alone. */
export function checkDataOfLoss(beta: number, X: DataMatrix, weights?: Matrix, name = 'X'): void {
  if (betaLoss(beta).dense)
    requireDense(X, `The loss ${wordsOf(beta)}, which is infinite where ${name} is 0,`, 'choose a β above 0', 'loss');
  if (beta > 0 || isSparse(X)) return;
  const at = X.data.findIndex((x, i) => x === 0 && !(weights && weights.data[i] === 0));
  if (at < 0) return;
  const [row, column] = [Math.floor(at / X.cols), at % X.cols];
  throw new InputError(
    `The loss ${wordsOf(beta)} is infinite where ${name} is 0, as in row ${row}, column ${column} (counted from 0); choose a β above 0, give such entries the weight 0, or add a small number to ${name}.`,
    { option: 'loss', row, column },
  );
}

/** Σ W² size(x): what the cost of a fit is relative to. */
export function sizeOfLoss({ X, W }: Pick<Problem, 'X' | 'W'>, loss: Loss): number {
  let sum = 0;
  stored(X).forEach((x, at) => {
    sum += (W ? W.data[at] ** 2 : 1) * loss.size(x);
  });
  return sum;
}

/** The β-divergence of x from v > 0. */
function entryDivergence(x: number, v: number, beta: number): number {
  if (beta === 2) return (x - v) ** 2 / 2;
  if (beta === 1) return (x > 0 ? x * Math.log(x / v) : 0) - x + v;
  if (beta === 0) return x / v - Math.log(x / v) - 1;
  return (x ** beta + (beta - 1) * v ** beta - beta * x * v ** (beta - 1)) / (beta * (beta - 1));
}

/**
 * Σ W² ∘ d(X ‖ AS) in f64, of the squared error half of it. The absent entries of a sparse X count as zeros, or not at all where they are
 * missing. For β = 1 and 2 they take no time; for another β > 0 every entry of AS is formed, and forgotten.
 */
export function divergenceInF64({ X, W, missing }: Pick<Problem, 'X' | 'W' | 'missing'>, A: Matrix, S: Matrix, beta: number): number {
  const k = A.cols;
  const product = (i: number, j: number) => {
    let v = 0;
    for (let t = 0; t < k; t++) v += A.data[i * k + t] * S.data[t * S.cols + j];
    return Math.max(v, Number.MIN_VALUE);
  };
  let total = 0;
  if (!isSparse(X)) {
    for (let i = 0, at = 0; i < X.rows; i++) {
      for (let j = 0; j < X.cols; j++, at++) {
        const w2 = W ? W.data[at] ** 2 : 1;
        if (w2 > 0) total += w2 * entryDivergence(X.data[at], product(i, j), beta);
      }
    }
    return total;
  }
  const { rowStarts, columns, values } = X;
  for (let i = 0; i < X.rows; i++) {
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) {
      const v = product(i, columns[e]);
      // The rest is the divergence of an AS from zeros.
      total += entryDivergence(values[e], v, beta) - (missing ? 0 : entryDivergence(0, v, beta));
    }
  }
  if (missing) return total;
  if (beta !== 1 && beta !== 2) {
    for (let i = 0; i < X.rows; i++) for (let j = 0; j < X.cols; j++) total += product(i, j) ** beta / beta;
    return total;
  }
  for (let t = 0; t < k; t++) {
    if (beta === 1) total += columnSum(A, t) * rowSum(S, t);
    else for (let u = 0; u < k; u++) total += (columnProduct(A, t, u) * rowProduct(S, t, u)) / 2;
  }
  return total;
}

function columnSum({ rows, cols, data }: Matrix, t: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * cols + t];
  return sum;
}

function rowSum({ cols, data }: Matrix, t: number): number {
  let sum = 0;
  for (let j = 0; j < cols; j++) sum += data[t * cols + j];
  return sum;
}

export function columnProduct({ rows, cols, data }: Matrix, t: number, u: number): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += data[i * cols + t] * data[i * cols + u];
  return sum;
}

export function rowProduct({ cols, data }: Matrix, t: number, u: number): number {
  let sum = 0;
  for (let j = 0; j < cols; j++) sum += data[t * cols + j] * data[u * cols + j];
  return sum;
}

/**
 * The largest natural residual |min(g_jj f_j, ∇_j)| of the divergence of a sparse X with λ₁ + λ₂F beside it, of S and of A, each relative to
 * its largest |GF − ∇|: what the device measures of other losses (operation kktResidual), in f64 and one row or column at a time.
 */
export function kktOfEntries(
  X: SparseMatrix,
  A: Matrix,
  S: Matrix,
  {
    penalties = {},
    held,
  }: { penalties?: { A?: PenaltyWeights; S?: PenaltyWeights; graph?: NeighbourGraph }; held?: { A: number; S: number } },
): number {
  const St = transpose(S).data;
  const ofA = kktOfLines(X, A.data, St, A.cols, { ...penalties.A, held: held?.A });
  return Math.max(ofA, kktOfLines(sparseTranspose(X), St, A.data, A.cols, { ...penalties.S, graph: penalties.graph, held: held?.S }));
}

/** Line i of X is fitted by Σ_t L_it P_ct in place c. The first components that are held do not count. */
function kktOfLines(
  X: SparseMatrix,
  L: Float32Array,
  P: Float32Array,
  k: number,
  { l1 = 0, l2 = 0, orthogonal = 0, graph, held = 0 }: Partial<PenaltyWeights> & { graph?: NeighbourGraph; held?: number },
): number {
  const G = new Float64Array(k * k);
  const sums = new Float64Array(k);
  for (let c = 0; c < X.cols; c++) {
    for (let t = 0; t < k; t++) {
      sums[t] += P[c * k + t];
      for (let u = 0; u < k; u++) G[t * k + u] += P[c * k + t] * P[c * k + u];
    }
  }
  const found: { worst: number; scale: number }[] = [];
  const gradient = new Float64Array(k);
  for (let i = 0; i < X.rows; i++) {
    let all = 0;
    for (let t = 0; t < k; t++) all += L[i * k + t];
    for (let t = 0; t < k; t++) gradient[t] = sums[t] + l1 + (l2 - orthogonal) * L[i * k + t] + orthogonal * all;
    if (graph) addGraphGradient(gradient, graph, L, i);
    for (let e = X.rowStarts[i]; e < X.rowStarts[i + 1]; e++) {
      const at = X.columns[e] * k;
      let v = Number.MIN_VALUE;
      for (let t = 0; t < k; t++) v += L[i * k + t] * P[at + t];
      for (let t = 0; t < k; t++) gradient[t] -= (X.values[e] / v) * P[at + t];
    }
    let [worst, scale] = [0, 0];
    for (let t = 0; t < k; t++) {
      let b = -gradient[t];
      for (let u = 0; u < k; u++) b += G[t * k + u] * L[i * k + u];
      if (t >= held) worst = Math.max(worst, Math.abs(Math.min(G[t * k + t] * L[i * k + t], gradient[t])));
      scale = Math.max(scale, Math.abs(b));
    }
    found.push({ worst, scale });
  }
  const largest = found.reduce((most, { scale }) => Math.max(most, scale), 0);
  return found.reduce((most, { worst, scale }) => Math.max(most, worst / Math.max(scale, 2 ** -12 * largest, Number.MIN_VALUE)), 0);
}

export function writeOnes(run: Run, ones: Ones | undefined): void {
  for (const column of ones ? [ones.N, ones.M] : []) run.write(column, new Float32Array(column.rows).fill(1));
}

/**
 * argmin_{S ≥ 0} Σ W² ∘ d(X ‖ AS) + λ₁ Σ S + ½ λ₂ ‖S‖² for new samples, by multiplicative updates from equal entries. The problem is convex
 * for β from 1 to 2, so there the start does not matter. Penalties are in the unit of the data.
 */
export async function lossTransform(
  engine: Engine,
  A: Matrix,
  newX: DataMatrix,
  loss: Loss,
  { weights, maxIterations = 2000, tolerance = 1e-7, l1 = 0, l2 = 0 }: TransformOptions & { l1?: number; l2?: number },
): Promise<Matrix> {
  if (weights !== undefined) checkWeights(weights, newX, 'weights', { newSamples: true });
  checkPositiveInteger('maxIterations', maxIterations);
  const W2 = weights?.data.map((w) => w * w);
  const seen = W2 && !isSparse(newX) ? { ...newX, data: newX.data.map((x, at) => (W2[at] > 0 ? x : 0)) } : newX;
  const [ofX, ofA] = [powerOfTwoUnit(stored(seen)), powerOfTwoUnit(A.data)];
  const entries = timesPowerOfTwo(stored(seen), -ofX);
  const X: DataMatrix = isSparse(seen) ? { ...seen, values: entries } : { ...seen, data: entries };
  // S is 2^(ofX − ofA) of its own, the loss 2^(degree ofX) of its own.
  const ofS = ofX - ofA;
  const own = (value: number, degree: number) => value * 2 ** (degree * ofS - loss.degree * ofX);
  const penalty: PenaltyShape | undefined = l1 > 0 || l2 > 0 ? { l1: own(l1, 1), quadratic: l2 > 0 } : undefined;
  const masked = weights !== undefined;
  const t = lossTransformProgram(X.rows, X.cols, A.cols, loss, { masked, csrEntries: entriesOf(X), penalty });
  return withRun(engine, t.program, async (run) => {
    writeMatrix(run, t.X, W2 && !isSparse(X) ? { ...X, data: X.data.map((x, at) => x * W2[at]) } : X);
    if (t.data && W2) writeMatrix(run, t.data, X, t.W, { ...weights!, data: W2 });
    if (t.penalty?.Q) run.write(t.penalty.Q, diagonal(A.cols, own(l2, 2)));
    run.write(t.A, matrixTimesPowerOfTwo(A, -ofA).data);
    writeOnes(run, t.ones);
    run.write(t.S, new Float32Array(A.cols * newX.cols).fill(1));
    await runStage(
      run,
      {
        name: 'transform',
        step: 'step',
        measure: 'measure',
        cost: t.cost,
        norm: [sizeOfLoss({ X, W: weights }, loss) || 1],
        cancels: isSparse(X),
        maxIterations,
        factors: (restart) => readFactors(run, [t.A], [t.S], restart),
      },
      { restarts: 1, tolerance, stopping: 'objective', checkEvery: 50, started: performance.now() },
    );
    return matrixTimesPowerOfTwo(await readFactor(run, t.S, 0), ofS);
  });
}

/** value · I, k×k. */
export function diagonal(k: number, value: number): Float32Array {
  return Float32Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? value : 0));
}
