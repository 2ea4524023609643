/** Starts of NMF from the singular vectors of X: Boutsidis & Gallopoulos, Pattern Recognition 41(4), 2008. */
import { type Matrix, matrix, product } from '../data/matrix.js';
import { random } from '../data/random.js';
import { identity, shiftedCholesky, smallSvd } from '../data/small-svd.js';
import { type DataMatrix, entriesOf, mean } from '../data/sparse.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { type SubspaceProgram, subspaceProgram } from '../programs/subspace.js';
import { randomFactors } from './fit.js';
import type { Settings } from './problem.js';
import { writeMatrix } from './write-matrix.js';

/** How zeros of the start are filled: not at all, with the mean of X, or with |N(0,1)| times a hundredth of it. */
export const nndsvdStarts = ['nndsvd', 'nndsvda', 'nndsvdar'] as const;

export type NndsvdStart = (typeof nndsvdStarts)[number];

/** Entries of two factors, those of every restart one after another. */
export interface StartEntries {
  A: Float32Array;
  S: Float32Array;
}

/**
 * The start of every restart for A (N×k) and S (k×M): that of `nndsvd`, its zeros filled as `kind` says. `data` is one X for all restarts, or
 * one each. `stream` is that of the random numbers of A; the next one is that of S.
 */
export async function nndsvdEntries(
  engine: Engine,
  data: readonly DataMatrix[],
  k: number,
  kind: NndsvdStart,
  { settings, stream }: { settings: Pick<Settings, 'seed' | 'restarts'>; stream: number },
): Promise<StartEntries> {
  const starts: { A: Matrix; S: Matrix; mean: number }[] = [];
  for (const X of data) starts.push({ ...(await nndsvd(engine, X, k)), mean: mean(X) });
  const entriesOfAll = (factor: 'A' | 'S', rows: number, cols: number, ownStream: number) => {
    const entries =
      kind === 'nndsvdar' ? randomFactors(rows, cols, settings, ownStream) : new Float32Array(settings.restarts * rows * cols);
    const size = rows * cols;
    for (let at = 0; at < entries.length; at++) {
      const { [factor]: start, mean } = starts[starts.length === 1 ? 0 : Math.floor(at / size)];
      const fill = kind === 'nndsvd' ? 0 : kind === 'nndsvda' ? mean : (mean / 100) * entries[at];
      entries[at] = start.data[at % size] || fill;
    }
    return entries;
  };
  return { A: entriesOfAll('A', data[0].rows, k, stream), S: entriesOfAll('S', k, data[0].cols, stream + 1) };
}

/** Entries of a start below this count as zero, as in scikit-learn; X has entries of about 1. */
const negligible = 1e-6;

/**
 * A (N×k) and S (k×M) from the k leading singular triplets σ u vᵀ of X, as scikit-learn makes them. The first is √σ |u| and √σ |v|. Of every
 * other one the positive parts of u and v, or the negative ones if the product of their norms is larger: with n_u n_v that product, column
 * √(σ n_u n_v) u/n_u and row √(σ n_u n_v) v/n_v.
 */
export async function nndsvd(engine: Engine, X: DataMatrix, k: number): Promise<{ A: Matrix; S: Matrix }> {
  const { U, sigma, Vt } = await leadingTriplets(engine, X, k);
  const [A, S] = [matrix(X.rows, k), matrix(k, X.cols)];
  for (let j = 0; j < k; j++) {
    const u = Float64Array.from({ length: X.rows }, (_, i) => U.data[i * U.cols + j]);
    const v = Vt.data.subarray(j * X.cols, (j + 1) * X.cols);
    const [positive, negative] =
      j === 0 ? [partsOf(u, v, Math.abs), partsOf(u, v, () => 0)] : [partsOf(u, v, (x) => x), partsOf(u, v, (x) => -x)];
    const { ofU, ofV, size } = positive.size > negative.size ? positive : negative;
    const scale = Math.sqrt(sigma[j] * size);
    const kept = (x: number) => (x < negligible ? 0 : x);
    for (let i = 0; i < X.rows; i++) A.data[i * k + j] = kept(scale * ofU[i]);
    for (let m = 0; m < X.cols; m++) S.data[j * X.cols + m] = kept(scale * ofV[m]);
  }
  return { A, S };
}

/** max(part(x), 0) of two vectors at unit length, and the product of the lengths that they had. */
function partsOf(u: ArrayLike<number>, v: ArrayLike<number>, part: (x: number) => number) {
  const [ofU, ofV] = [u, v].map((vector) => Float64Array.from(vector, (x) => Math.max(part(x), 0)));
  const [lengthU, lengthV] = [ofU, ofV].map((vector) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0)));
  return { ofU: ofU.map((x) => x / (lengthU || 1)), ofV: ofV.map((x) => x / (lengthV || 1)), size: lengthU * lengthV };
}

/** More directions than are wanted, and passes over X: the defaults of scikit-learn. */
const oversampling = 10;
const powerIterations = 7;

/**
 * The k leading singular triplets of X (N×M) in about f32: U N×k, sigma, Vt k×M, by a randomised SVD on the device with a fixed seed. It is
 * exact where min(N, M) is at most k + 10.
 */
export async function leadingTriplets(engine: Engine, X: DataMatrix, k: number): Promise<{ U: Matrix; sigma: Float64Array; Vt: Matrix }> {
  const width = Math.min(k + oversampling, X.rows, X.cols);
  const t = subspaceProgram(X.rows, X.cols, width, entriesOf(X));
  return withRun(engine, t.program, async (run) => {
    writeMatrix(run, t.X, X);
    const { normal } = random(0);
    run.write(t.Pt, Float32Array.from({ length: width * X.cols }, normal));
    run.execute('left');
    await orthonormalise(run, t, 'Left', 3);
    for (let n = 0; n < powerIterations; n++) {
      run.execute('right');
      await orthonormalise(run, t, 'Right', 2);
      run.execute('left');
      await orthonormalise(run, t, 'Left', n + 1 < powerIterations ? 2 : 3);
    }
    // XᵀQ = P R, so X ≈ Q(QᵀX) = Q Rᵀ Pᵀ.
    run.execute('right');
    const R = await orthonormalise(run, t, 'Right', 3);
    const { U, sigma, V } = smallSvd(transposed(R, width), width);
    turn(run, t, 'Left', U);
    turn(run, t, 'Right', V);
    const [left, right] = await run.sample([t.Q, t.Pt]);
    const ofLeft = Float32Array.from({ length: X.rows * k }, (_, at) => left[Math.floor(at / k) * width + (at % k)]);
    return {
      U: matrix(X.rows, k, ofLeft),
      sigma: sigma.slice(0, k),
      Vt: matrix(k, X.cols, Float32Array.from(right.subarray(0, k * X.cols))),
    };
  });
}

/** What keeps a Gram matrix of f32 in range while vectors still depend on each other, and almost nothing for the last pass. */
const [firstShift, lastShift] = [2 ** -18, 2 ** -40];

/** Makes the vectors orthonormal, and returns R, w×w: those before were those after times R. */
async function orthonormalise(run: Run, { G, R, ...t }: SubspaceProgram, side: 'Left' | 'Right', passes: number): Promise<Float64Array> {
  const width = G.rows;
  let whole: Float64Array = identity(width);
  for (let pass = 1; pass <= passes; pass++) {
    run.execute(`gramOf${side}`);
    const [gram] = await run.sample([G]);
    const factor = shiftedCholesky(gram, width, pass < passes ? firstShift : lastShift);
    turn(run, { G, R, ...t }, side, factor.inverse);
    const square = (data: Float64Array) => ({ rows: width, cols: width, data });
    whole = product(square(factor.R), square(whole));
  }
  return whole;
}

function turn(run: Run, { R }: SubspaceProgram, side: 'Left' | 'Right', by: Float64Array): void {
  run.write(R, Float32Array.from(by));
  run.execute(`turn${side}`);
}

function transposed(R: Float64Array, n: number): Float64Array {
  return R.map((_, at) => R[(at % n) * n + Math.floor(at / n)]);
}
