import { describe } from '../data/check.js';
import { kruskalError } from '../data/kruskal.js';
import { type Matrix, matrix, multiply, transpose } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { checkNonnegativeTensor, type DataTensor, type DenseTensor, isSparseTensor, type SparseTensor, times } from '../data/tensors.js';
import {
  columnsTimesPowersOfTwo,
  columnUnits,
  matrixTimesPowerOfTwo,
  powerOfTwoUnit,
  rowsTimesPowersOfTwo,
  timesPowerOfTwo,
} from '../data/unit.js';
import { type Engine, withRun } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import { tensorSlicesProgram } from '../programs/tensor-slices.js';
import { gramOf, inverseTrace, settledBelow, trustedInF32 } from './condition.js';
import { polishEquations } from './polish.js';
import { nnls } from './q.js';
import { levelFactors, type NcpFactorization, type NeuralNcpFactorization } from './tensor-levels.js';
import { cooEntriesOf, storedEntries, writeTensor } from './tensor-problem.js';

/** New slices by one level of a model. */
export interface TensorSlices {
  /** The topics of the level; of the outer products, which come first, their number. */
  rank: number;
  /** R, d×k: a row for each slice, how much it has of each topic. */
  weights: Matrix;
  /** ‖X − X̂‖ / ‖X‖ of the slices. */
  relativeError: number;
  /** The largest natural KKT residual of any row, as `nnls` has it: 0 at the solution. */
  kktResidual: number;
  /** Rows whose KKT residual stayed above 1e-5, also in f64. 0 as a rule. */
  unconverged: number;
  /** Rows that hang on digits which f32 does not hold: see NnlsResult. */
  illConditioned: number;
}

/** One level of a model, seen from the mode of the slices: X_(n) ≈ R S (⊙_{m≠n} P_m)ᵀ. */
interface Level {
  /** P_m of the other modes, d_m×R. */
  P: Matrix[];
  /** k×R. */
  S: Matrix;
}

/**
 * The topics of new slices of a tensor along one mode: new documents, weeks, patients. X has the shape of the model's data but along
 * `mode`, where it may have any number of slices. For every level l, with P_m the factors of the level (`levelFactors`),
 *
 *     R = argmin_{R ≥ 0} ‖X_(n) − R S_nˡ (⊙_{m≠n} P_m)ᵀ‖²,
 *
 * exactly, by nonnegative least squares: row i stands beside the rows of A_n⁰…A_nˡ that the fit has found. First come the outer products,
 * whose S is the identity and whose R stands beside F_n. So it is on every level of a mode without topics, whose columns are R there.
 *
 * A sparse X is read at its stored entries, and its slices are never made dense. Slices of which f32 is not sure are solved again in f64 on
 * the host.
 *
 * @param options mode: that of the slices, counted from 0; default 0.
 * @returns the outer products, then a level for each of `ranks`.
 * @throws InputError for a tensor of negative, NaN or infinite entries and a mode that is none; ShapeError for a tensor of another shape.
 */
export async function transformTensor(
  engine: Engine,
  model: NcpFactorization | NeuralNcpFactorization,
  X: DataTensor,
  options: { mode?: number } = {},
): Promise<TensorSlices[]> {
  checkNames('transformTensor', options, ['mode']);
  const { mode = 0 } = options;
  checkSlices(X, model.shape, mode);
  const levels = levelsOf(model, mode);
  const entries = storedEntries(X);
  if (entries.every((x) => x === 0)) return levels.map(({ S }) => noTopics(X.shape[mode], S.rows));
  const ofX = powerOfTwoUnit(entries);
  const near1 = levels.map(inUnits);
  const t = tensorSlicesProgram(
    X.shape,
    model.rank,
    mode,
    levels.map(({ S }) => S.rows),
    { cooEntries: cooEntriesOf(X) },
  );
  const solved = await withRun(engine, t.program, async (run) => {
    const scaled = timesPowerOfTwo(entries, -ofX);
    writeTensor(run, t.X, isSparseTensor(X) ? { ...X, values: scaled } : { ...X, data: scaled });
    t.levels.forEach((own, l) => {
      own.P.forEach((P, m) => {
        run.write(P, near1[l].P[m].data);
      });
      run.write(own.S, near1[l].S.data);
    });
    run.execute('solve');
    const all = await run.sample(t.levels.flatMap(({ Rt, residual, rounds, G }) => [Rt, residual, rounds, G]));
    return levels.map((_, l) => all.slice(4 * l, 4 * l + 4));
  });
  return Promise.all(
    levels.map(async (level, l) => {
      const [Rt, residual, rounds, G] = solved[l];
      const k = level.S.rows;
      const sure = inverseTrace(G, k) <= trustedInF32 && largest(residual) <= settledBelow && rounds.every((count) => count > 0);
      const found = sure
        ? {
            weights: transpose(
              matrix(
                k,
                X.shape[mode],
                rowsTimesPowersOfTwo(
                  { rows: k, cols: X.shape[mode], data: Rt },
                  near1[l].units.map((unit) => ofX - unit),
                ),
              ),
            ),
            kktResidual: largest(residual),
            unconverged: 0,
            illConditioned: 0,
          }
        : isSparseTensor(X)
          ? sparseInF64(X, mode, level, near1[l], ofX, Rt)
          : await inF64(engine, X, mode, level);
      return { rank: k, ...found, relativeError: errorOf(X, mode, level, found.weights) };
    }),
  );
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let at = 0; at < values.length; at++) most = Math.max(most, values[at]);
  return most;
}

function checkSlices(X: DataTensor, shape: readonly number[], mode: unknown): asserts mode is number {
  checkNonnegativeTensor(X);
  if (!Number.isInteger(mode) || (mode as number) < 0 || (mode as number) >= shape.length)
    throw new InputError(`mode must be an integer from 0 to ${shape.length - 1}, not ${describe(mode)}.`, { option: 'mode' });
  if (X.shape.length === shape.length && shape.every((size, m) => m === mode || size === X.shape[m])) return;
  const wanted = shape.map((size, m) => (m === mode ? 'any' : size));
  throw new ShapeError(
    `X is ${times(X.shape)}, but the model is of a ${times(shape)} tensor; new slices along mode ${mode} have the shape [${wanted.join(', ')}].`,
  );
}

function levelsOf(model: NcpFactorization | NeuralNcpFactorization, mode: number): Level[] {
  const identity = matrix(model.rank, model.rank);
  for (let r = 0; r < model.rank; r++) identity.data[r * (model.rank + 1)] = 1;
  const others = (factors: readonly Matrix[]) => factors.filter((_, m) => m !== mode);
  const products = { P: others(model.factors), S: identity };
  if (model.method === 'ncp') return [products];
  return [products, ...model.ranks.map((_, l) => ({ P: others(levelFactors(model, l)), S: model.S[mode][l] ?? identity }))];
}

/** The same level with P and the columns of the design near 1: row j of its Rᵀ times 2^(−units[j]) is that of the level. */
function inUnits({ P, S }: Level): Level & { units: number[] } {
  const ofP = P.map(columnUnits);
  const scaled = P.map((own, m) =>
    columnsTimesPowersOfTwo(
      own,
      ofP[m].map((unit) => -unit),
    ),
  );
  const ofColumns = Array.from({ length: S.cols }, (_, r) => ofP.reduce((sum, own) => sum + own[r], 0));
  // A power of two beyond f32 in one column of S would be a component that nobody sees: it is taken out again row by row.
  const most = Math.max(...ofColumns);
  const whole = columnsTimesPowersOfTwo(
    S,
    ofColumns.map((unit) => unit - most),
  );
  const rows = columnUnits(transpose(whole));
  const data = Float32Array.from(
    rowsTimesPowersOfTwo(
      whole,
      rows.map((unit) => -unit),
    ),
  );
  return { P: scaled, S: { ...S, data }, units: rows.map((unit) => unit + most) };
}

/** The solution by `nnls`, which knows where f32 is not enough, from the design S (⊙ P_m)ᵀ as a matrix. */
async function inF64(engine: Engine, X: DenseTensor, mode: number, { P, S }: Level) {
  const product = P.reduce(khatriRao);
  const unit = powerOfTwoUnit(product.data);
  const design = multiply(matrixTimesPowerOfTwo(product, -unit), transpose(S));
  const { S: Rt, ...told } = await nnls(engine, unfolded(X, mode), design);
  const { kktResidual, unconverged, illConditioned } = told;
  return { weights: matrixTimesPowerOfTwo(transpose(Rt), -unit), kktResidual, unconverged, illConditioned };
}

/**
 * The solution of sparse slices from their normal equations in f64: the Gram matrix S (∘ P_mᵀP_m) Sᵀ, and the right side from the stored
 * entries. They square the condition κ of the design; f64 leaves κ² 2⁻⁵³ of it, less than the rounding of S to f32 wherever the digits of P and S
 * tell S at all (κ up to 17,000).
 */
function sparseInF64(X: SparseTensor, mode: number, level: Level, scaled: ReturnType<typeof inUnits>, ofX: number, Rt: ArrayLike<number>) {
  const { P, S, units } = scaled;
  const { rows: k, cols: R } = S;
  const slices = X.shape[mode];
  const grams = P.map(gramOf);
  const G = new Float64Array(k * k);
  for (let r = 0; r < R; r++)
    for (let s = 0; s < R; s++) {
      const product = grams.reduce((all, own) => all * own[r * R + s], 1);
      for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) G[i * k + j] += S.data[i * R + r] * product * S.data[j * R + s];
    }
  const B = new Float64Array(k * slices);
  const order = X.shape.length;
  for (let e = 0; e < X.values.length; e++) {
    const place = X.coordinates.subarray(e * order, (e + 1) * order);
    const others = place.filter((_, m) => m !== mode);
    for (let r = 0; r < R; r++) {
      const product = P.reduce((all, own, m) => all * own.data[others[m] * R + r], X.values[e] * 2 ** -ofX);
      for (let j = 0; j < k; j++) B[j * slices + place[mode]] += S.data[j * R + r] * product;
    }
  }
  const solved = polishEquations(G, B, Rt);
  const data = rowsTimesPowersOfTwo(
    { rows: k, cols: slices, data: solved.S },
    units.map((unit) => ofX - unit),
  );
  return {
    weights: transpose(matrix(level.S.rows, slices, Float32Array.from(data))),
    kktResidual: solved.kktResidual,
    unconverged: solved.unconverged,
    illConditioned: solved.illConditioned,
  };
}

/** Row (i, j) is A[i] ∘ B[j]. */
function khatriRao(A: Matrix, B: Matrix): Matrix {
  const R = A.cols;
  const data = new Float32Array(A.rows * B.rows * R);
  for (let at = 0; at < data.length; at++) {
    const row = Math.floor(at / R);
    data[at] = A.data[Math.floor(row / B.rows) * R + (at % R)] * B.data[(row % B.rows) * R + (at % R)];
  }
  return { rows: A.rows * B.rows, cols: R, data };
}

/** X_(n)ᵀ: all other modes in C order down, mode n along. */
function unfolded({ shape, data }: DenseTensor, mode: number): Matrix {
  const size = shape[mode];
  const after = shape.slice(mode + 1).reduce((product, own) => product * own, 1);
  const X = matrix(data.length / size, size);
  for (let at = 0; at < data.length; at++) {
    const before = Math.floor(at / (size * after));
    X.data[(before * after + (at % after)) * size + (Math.floor(at / after) % size)] = data[at];
  }
  return X;
}

function errorOf(X: DataTensor, mode: number, { P, S }: Level, weights: Matrix): number {
  const { error, norm } = kruskalError(X, [...P.slice(0, mode), multiply(weights, S), ...P.slice(mode)]);
  return Math.sqrt(error / norm);
}

const noTopics = (slices: number, rank: number): TensorSlices => ({
  rank,
  weights: matrix(slices, rank),
  relativeError: 0,
  kktResidual: 0,
  unconverged: 0,
  illConditioned: 0,
});
