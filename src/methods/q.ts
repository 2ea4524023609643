import { checkAtLeastZero, checkFinite } from '../data/check.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { type Absent, seenOf } from '../data/missing.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, entriesOf, requireDense, stored } from '../data/sparse.js';
import {
  columnsTimesPowersOfTwo,
  columnUnits,
  matrixTimesPowerOfTwo,
  powerOfTwoUnit,
  rangeFault,
  rowsTimesPowersOfTwo,
  timesPowerOfTwo,
} from '../data/unit.js';
import { type Engine, withRun } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import { qGradientProgram, qProgram } from '../programs/q.js';
import { affordable, inverseTrace, missingWork, settledBelow, trustedInF32, weightedWork } from './condition.js';
import { betaInF64 } from './normal-equations.js';
import { absentOption, renamedMask } from './options.js';
import { writeMatrix } from './write-matrix.js';

export interface NnlsResult {
  /** k×M, every entry exactly ≥ 0. */
  S: Matrix;
  /** k×M, row-major: 1 where S > 0, else 0. */
  support: Uint8Array;
  /**
   * Largest natural KKT residual |min(g_jj s_j, (AᵀAs − b)_j)| of any column, relative to its largest |b|, b = Aᵀx − λ₁. A column whose
   * largest |b| is below 2⁻¹² of that of all columns is measured against the latter. It is 0 at the solution. f32 allows about 1e-7,
   * `polish` about 1e-16.
   */
  kktResidual: number;
  /** Columns whose KKT residual stayed above 1e-5, also in f64. 0 as a rule. Their S is feasible, not optimal, and no worse than 0. */
  unconverged: number;
  /**
   * Columns whose S hangs on digits that f32 inputs do not hold: rounding A and X to f32 can move it by more than 1e-3, since columns of A
   * depend on each other (condition above about 17,000, columns of norm 1). S then solves the problem as it was given.
   */
  illConditioned: number;
  /** With `polish`: S in f64, k×M, row-major. */
  polished?: Float64Array;
}

/**
 * q(X, A) = argmin_{S ≥ 0} ‖X − AS‖² column by column, exactly (active set), for any number of columns at once.
 *
 * The units of X and A do not matter: both are scaled by powers of two, columns of A apart, and S is scaled back. Columns of which f32 is
 * not sure are solved again in f64 on the host, from X and A themselves: all of them where columns of A are nearly dependent (condition
 * above about 30), and those whose KKT residual is above 1e-5.
 *
 * @param X N×M data, columns are samples; any finite sign. NaN is a missing value; every column needs one that is not.
 * @param A N×k features, k from 1 to 128; any finite sign.
 * @param options l1: λ₁ ≥ 0 of ½‖X − AS‖² + λ₁ Σ S; default 0. weights: W ≥ 0, N×M, of ½‖W ∘ (X − AS)‖² + λ₁ Σ S; 0 marks a missing value,
 * and X must be dense; it takes k² M entries more. absent: 'missing' where the entries that a sparse X does not store are missing values, with
 * as much memory, instead of zeros ('zero', the default); every column needs a stored one. polish: solve every column again in f64; default
 * false. With it `polished` is S in f64, S and support are rounded from it, and kktResidual and unconverged are those of it. simplex: columns
 * of S sum to one, exactly but for the rounding of f32 (default false; not with 'missing'); then kktResidual is max_j |min(c s_j, h_j − ν)|
 * relative to the larger of c = max_j g_jj and max_j |b_j|, with h = AᵀAs − b and ν = sᵀh.
 * @throws ShapeError when the rows of X and A differ; InputError for empty matrices, NaN in A or in a sparse X, infinities, k > 128, or an S beyond f32.
 */
export async function nnls(
  engine: Engine,
  givenX: DataMatrix,
  A: Matrix,
  options: { l1?: number; weights?: Matrix; absent?: Absent; polish?: boolean; simplex?: boolean } = {},
): Promise<NnlsResult> {
  checkNames('nnls', options, ['l1', 'weights', 'absent', 'polish', 'simplex'], renamedMask);
  const { l1 = 0, absent = 'zero', polish = false } = options;
  absentOption.check('absent', absent);
  const { X, weights } = seenOf(givenX, options.weights, { newSamples: true, absent });
  checkProblem(X, A);
  checkAtLeastZero('l1', l1);
  if (options.simplex) {
    if (absent === 'missing')
      throw new InputError("simplex does not go with absent 'missing'; leave one of them out, or give a dense X with NaN.", {
        option: 'simplex',
      });
    return (await import('./simplex.js')).simplexNnls(engine, X, A, { ...options, weights });
  }
  const problem = { ...inUnits(X, A, l1, weights), missing: absent === 'missing' };
  const solved = await solve(engine, problem, polish);
  const support = Uint8Array.from(solved.S, (s) => (s > 0 ? 1 : 0));
  const S = rowsTimesPowersOfTwo({ rows: A.cols, cols: X.cols, data: solved.S }, problem.units);
  return { ...solved, S: { rows: A.cols, cols: X.cols, data: Float32Array.from(S) }, support, ...(polish && { polished: S }) };
}

/** Sˡ = q(Sˡ⁻¹, Aˡ) of every layer, S⁻¹ = X, with λ₁ of each (default 0), and weights on X, or what its absent entries are. */
export async function nnlsChain(
  engine: Engine,
  X: DataMatrix,
  A: readonly Matrix[],
  { l1 = [], weights, absent }: { l1?: readonly number[]; weights?: Matrix; absent?: Absent } = {},
): Promise<Matrix[]> {
  const S: Matrix[] = [];
  for (let l = 0; l < A.length; l++) {
    const ofX = { ...(weights !== undefined && { weights }), ...(absent !== undefined && { absent }) };
    const options = { l1: l1[l], ...(l === 0 && ofX) };
    S.push((await nnls(engine, S[l - 1] ?? X, A[l], options)).S);
  }
  return S;
}

/** A problem with X and A near 1. Row j of its S times 2^(units[j]) is that of the problem as it was given. */
interface Scaled {
  X: DataMatrix;
  W?: Matrix;
  A: Matrix;
  l1: number;
  units: number[];
}

/** λ₁ is one number for all unknowns, so with it all columns of A have one unit. */
function inUnits(X: DataMatrix, A: Matrix, l1: number, weights?: Matrix): Scaled {
  const ofX = powerOfTwoUnit(stored(X));
  const ofW = weights ? powerOfTwoUnit(weights.data) : 0;
  const ofA = l1 === 0 ? columnUnits(A) : new Array<number>(A.cols).fill(powerOfTwoUnit(A.data));
  return {
    X: matrixTimesPowerOfTwo(X, -ofX),
    A: columnsTimesPowersOfTwo(
      A,
      ofA.map((unit) => -unit),
    ),
    W: weights && matrixTimesPowerOfTwo(weights, -ofW),
    l1: l1 * 2 ** (-ofX - ofA[0] - 2 * ofW),
    units: ofA.map((unit) => ofX - unit),
  };
}

/** S (scaled) by the device, and by the host where it is not sure. */
async function solve(engine: Engine, { X, W, A, l1, units, missing }: Scaled & { missing: boolean }, polish: boolean) {
  const { program, ...t } = qProgram(X.rows, X.cols, A.cols, { l1, csrEntries: entriesOf(X), weighted: W !== undefined, missing });
  const [S, residual, rounds, G] = await withRun(engine, program, (run) => {
    writeMatrix(run, t.X, X, t.W, W);
    run.write(t.A, A.data);
    run.execute('solve');
    return run.sample([t.S, t.residual, t.rounds, ...(t.G ? [t.G] : [])]);
  });
  const own = W ? weightedWork(W, A.cols) : missing ? missingWork(X, A.cols) : undefined;
  const doubtful = own === undefined ? !(inverseTrace(G, A.cols) <= trustedInF32) : own <= affordable;
  const all = polish || doubtful;
  const sure = (c: number) => !all && rounds[c] > 0 && residual[c] <= settledBelow;
  const columns = Array.from({ length: X.cols }, (_, c) => c).filter((c) => !sure(c));
  // The part that solves in f64 is loaded where it is needed.
  const again =
    columns.length === 0
      ? { S: Float64Array.from(S), kktResidual: 0, unconverged: 0, illConditioned: 0 }
      : (await import('./polish.js')).polish(X, A, S, { l1, columns, single: !polish, weights: W, missing });
  refuseBeyondF32(again.S, X.cols, units);
  columns.forEach((c) => {
    residual[c] = again.kktResidual;
  });
  return { ...again, kktResidual: largest(residual) };
}

/** Throws InputError where rows of S that matter would be infinite, or lose digits, in the units of X and A. */
function refuseBeyondF32(S: Float64Array, M: number, units: readonly number[]): void {
  const matters = 2 ** -24 * largest(S);
  units.forEach((unit, j) => {
    const row = S.subarray(j * M, (j + 1) * M);
    const fault = largest(row) > matters && rangeFault(row, unit);
    if (!fault) return;
    const size = `${fault === 'overflow' ? 'above 3.4e38' : 'below 1.2e-38'}`;
    throw new InputError(
      `Row ${j} of S has its largest entry ${size}, beyond f32: X and A are of very different size. Multiply X or A by a power of ten, which S follows.`,
    );
  });
}

/**
 * The vector–Jacobian product of q at S = q(X, A): from gradS = ∂C/∂S, ∂C/∂X and ∂C/∂A of C(q(X, A)).
 *
 * It is exact where the support is locally constant (strict complementarity, independent columns on each support). At a kink it is the
 * derivative with S's own support. Where columns of A are nearly dependent, the solves are done in f64 on the host. Formula: programs/q.ts.
 *
 * @param at X N×M (dense), A N×k, and S k×M as `nnls` returned it.
 * @param gradS k×M; entries off the support have no effect.
 * @returns gradX N×M, gradA N×k, and in how many columns the support has columns of A whose dependence f32 cannot tell (illConditioned):
 * there the gradient hangs on digits that the inputs do not hold.
 * @throws ShapeError, InputError as `nnls`; InputError for a gradient beyond f32.
 */
export async function nnlsVjp(
  engine: Engine,
  at: { X: Matrix; A: Matrix; S: Matrix },
  gradS: Matrix,
): Promise<{ gradX: Matrix; gradA: Matrix; illConditioned: number }> {
  const { X, A, S } = at;
  requireDense(X, 'nnlsVjp, whose gradient in X is dense,');
  checkProblem(X, A);
  for (const [name, given] of [
    ['S', S],
    ['gradS', gradS],
  ] as const) {
    checkFinite(given, name);
    if (given.rows !== A.cols || given.cols !== X.cols) {
      throw new ShapeError(
        `${name} is ${given.rows}×${given.cols}, but X is ${X.rows}×${X.cols} and A ${A.rows}×${A.cols}: it must be ${A.cols}×${X.cols}.`,
      );
    }
  }
  const scaled = inUnits(X, A, 0);
  const back = scaled.units.map((unit) => -unit);
  const scaledS = Float32Array.from(rowsTimesPowersOfTwo(S, back));
  const dS = rowsTimesPowersOfTwo(gradS, scaled.units);
  const ofGradient = powerOfTwoUnit(dS);
  const gradient = dS.map((d) => d * 2 ** -ofGradient);
  const { program, ...t } = qGradientProgram(X.rows, X.cols, A.cols);
  return withRun(engine, program, async (run) => {
    run.write(t.X, stored(scaled.X));
    run.write(t.A, scaled.A.data);
    run.write(t.S, scaledS);
    run.write(t.dS, gradient);
    run.execute('solve');
    const [G] = await run.sample([t.G]);
    let illConditioned = 0;
    if (!(inverseTrace(G, A.cols) <= trustedInF32)) {
      const solved = betaInF64(scaled.A, { rows: A.cols, cols: X.cols, data: scaledS }, gradient);
      run.write(t.beta, solved.beta);
      illConditioned = solved.illConditioned;
    }
    run.execute('products');
    const [gradX, gradA] = await run.sample([t.dX, t.dA]);
    const unitOfX = powerOfTwoUnit(stored(X));
    const inX = timesPowerOfTwo(gradX, ofGradient - unitOfX);
    const unitsOfA = scaled.units.map((unit) => ofGradient - (unitOfX - unit));
    const inA = columnsTimesPowersOfTwo(matrix(A.rows, A.cols, Float32Array.from(gradA)), unitsOfA).data;
    if (!(inX.every(Number.isFinite) && inA.every(Number.isFinite)))
      throw new InputError(
        'The gradient has entries above 3.4e38, beyond f32; divide gradS by a power of ten, which the gradient follows.',
      );
    return { gradX: matrix(X.rows, X.cols, inX), gradA: matrix(A.rows, A.cols, inA), illConditioned };
  });
}

function checkProblem(X: DataMatrix, A: Matrix): void {
  checkFinite(X, 'X');
  checkFinite(A, 'A');
  if (X.rows !== A.rows)
    throw new ShapeError(`X is ${X.rows}×${X.cols} and A ${A.rows}×${A.cols}; q(X, A) needs as many rows in A as in X.`);
  if (A.cols > 128) throw new InputError(`A has ${A.cols} columns; up to 128 are supported.`);
}

export function largest(values: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < values.length; i++) worst = Math.max(worst, values[i]);
  return worst;
}

export function countNegative(values: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] < 0) count++;
  return count;
}
