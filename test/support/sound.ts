/**
 * Whether a result is one: finite, ≥ 0 where its method says so, with the error that its factors have, not below the bound, and consistent
 * in itself. Computed in f64 by plain loops; of the library only types are used.
 */
import type { Matrix } from '../../src/data/matrix.js';
import type { Factorization } from '../../src/methods/methods.js';
import type { RandomFit } from './random-fits.js';

interface Dense {
  rows: number;
  cols: number;
  data: ArrayLike<number>;
}

function times(A: Dense, B: Dense, size: (x: number) => number = (x) => x): Dense {
  const data = new Float64Array(A.rows * B.cols);
  for (let i = 0; i < A.rows; i++)
    for (let t = 0; t < A.cols; t++)
      for (let c = 0; c < B.cols; c++) data[i * B.cols + c] += size(A.data[i * A.cols + t]) * size(B.data[t * B.cols + c]);
  return { rows: A.rows, cols: B.cols, data };
}

function transpose(A: Dense): Dense {
  const data = Float64Array.from({ length: A.data.length }, (_, at) => A.data[(at % A.rows) * A.cols + Math.floor(at / A.rows)]);
  return { rows: A.cols, cols: A.rows, data };
}

function each(A: Dense, f: (x: number, at: number) => number): Dense {
  return { rows: A.rows, cols: A.cols, data: Float64Array.from(A.data, f) };
}

/** √Σx², of numbers of any size. */
function norm({ data }: Dense): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** The singular values, descending: one-sided Jacobi rotations until all columns are orthogonal. */
export function singularValues(X: Dense): number[] {
  const scale = norm(X) || 1;
  const columns = Array.from({ length: X.cols }, (_, c) => Float64Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + c] / scale));
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
    turned = false;
    for (let p = 0; p < columns.length; p++) {
      for (let q = p + 1; q < columns.length; q++) {
        const [a, b, c] = [dot(columns[p], columns[p]), dot(columns[q], columns[q]), dot(columns[p], columns[q])];
        if (Math.abs(c) <= 1e-15 * Math.sqrt(a * b) || c === 0) continue;
        turned = true;
        const zeta = (b - a) / (2 * c);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, t);
        for (let i = 0; i < X.rows; i++) {
          const [x, y] = [columns[p][i], columns[q][i]];
          columns[p][i] = cosine * (x - t * y);
          columns[q][i] = cosine * (y + t * x);
        }
      }
    }
  }
  return columns.map((column) => scale * Math.sqrt(dot(column, column))).sort((a, b) => b - a);
}

/** The least relative error of rank k. */
function boundOf(values: readonly number[], k: number): number {
  const square = (list: readonly number[]) => list.reduce((sum, s) => sum + (s / values[0]) ** 2, 0);
  return Math.sqrt(square(values.slice(k)) / square(values));
}

/** An approximation of a target, and the size of the numbers that were added up to it, which its rounding is relative to. */
interface Approximation {
  of: Dense;
  by: Dense;
  size: number;
  /** Relative rounding of the stated error: f64 where the library measures in it. */
  rounding: number;
}

const f64 = 1e-12;
const f32 = 2 ** -19;

function chain(A: readonly Dense[], S: Dense): { by: Dense; size: number } {
  const product = (size?: (x: number) => number) => A.reduceRight((inner, factor) => times(factor, inner, size), S);
  return { by: product(), size: norm(product(Math.abs)) };
}

/** The approximation at each depth as the documentation of the method defines it. */
function approximations(fit: RandomFit, { A, S, ranks }: Factorization): Approximation[] {
  const { method, X, options } = fit;
  const isSparse = 'rowStarts' in fit.given;
  if (method === 'unfolded') return [unfoldedApproximation(fit, A[0], S[0])];
  if (method === 'deep-semi' && (options.nonlinearity ?? 'identity') !== 'identity') {
    const one = { of: X, ...chain([A[0]], S[0]), rounding: f32 };
    return ranks.map(() => one);
  }
  if (method === 'deep' && ((options.pooling ?? 'none') !== 'none' || (options.activation ?? 'identity') !== 'identity'))
    return ranks.map((_, l) => {
      const by = lifted(options, A, S, l);
      return { of: X, by: times(A[0], by), size: norm(times(A[0], by, Math.abs)), rounding: f32 };
    });
  // Sparse coding divides X by a number and multiplies the codes with it: two more roundings.
  const rounding = method === 'sparse-coding' ? 2 ** -22 : isSparse ? 1e-7 : f64;
  return ranks.map((_, l) => ({ of: X, ...chain(A.slice(0, l + 1), S[l]), rounding }));
}

function unfoldedApproximation({ X, given, options }: RandomFit, W: Dense, H: Dense): Approximation {
  const { by: V, size } = chain([W], H);
  if (options.output !== 'ratioMask')
    return { of: (options.target as Matrix | undefined) ?? X, by: V, size, rounding: 'rowStarts' in given ? 1e-7 : f64 };
  const sources = options.sources as { columns: number; target: Matrix }[];
  let first = 0;
  const parts = sources.map(({ columns }) => {
    const own = (t: number) => t >= first && t < first + columns;
    const Y = times(
      each(W, (w, at) => (own(at % W.cols) ? w : 0)),
      H,
    );
    first += columns;
    return each(Y, (y, at) => (V.data[at] > 0 ? (y / V.data[at]) * X.data[at] : 0));
  });
  const stacked = (all: readonly Dense[]) => ({
    rows: all.length * X.rows,
    cols: X.cols,
    data: all.flatMap(({ data }) => Array.from(data)),
  });
  return { of: stacked(sources.map(({ target }) => target)), by: stacked(parts), size: norm(X), rounding: f32 };
}

/** u(A¹ u(… AˡSˡ)): u undoes pooling, then the activation. */
function lifted(options: RandomFit['options'], A: readonly Dense[], S: readonly Dense[], layer: number): Dense {
  const { pooling = 'none', poolOver = 'features', activation = 'identity', power = 0.5 } = options;
  let found: Dense = S[layer];
  for (let l = layer; l > 0; l--) {
    const R = times(A[l], found);
    const inner = S[l - 1];
    const group = (i: number, c: number) => (poolOver === 'features' ? [Math.floor(i / 2), c] : [i, Math.floor(c / 2)]);
    const isLargest = (i: number, c: number) => {
      const [j, d] = poolOver === 'features' ? [i ^ 1, c] : [i, c ^ 1];
      if (j >= inner.rows || d >= inner.cols) return true;
      const [own, other] = [inner.data[i * inner.cols + c], inner.data[j * inner.cols + d]];
      return own > other || (own === other && (j > i || d > c));
    };
    found = each(inner, (_, at) => {
      const [i, c] = [Math.floor(at / inner.cols), at % inner.cols];
      const [g, h] = pooling === 'none' ? [i, c] : group(i, c);
      const value = pooling === 'max' && !isLargest(i, c) ? 0 : R.data[g * R.cols + h];
      return activation === 'power' ? value ** (1 / (power as number)) : activation === 'log1p' ? Math.expm1(value) : value;
    });
  }
  return found;
}

/** The faults of a result, in words; none where it is sound. */
export function faultsOf(fit: RandomFit, result: Factorization): string[] {
  const { X, method, options } = fit;
  const faults: string[] = [];
  const demand = (holds: boolean, words: string) => {
    if (!holds) faults.push(words);
  };
  const { A, S, layers, relativeError } = result;
  checkFactors(fit, result, demand);
  if (faults.length > 0) return faults;

  const weighted = (Z: Dense) => (options.weights ? each(Z, (z, at) => z * options.weights!.data[at]) : Z);
  const all = approximations(fit, result);
  // Of 'ratioMask' and of what stands behind max pooling or an activation no bound is known.
  const values = singularValues(weighted(all[0].of));
  layers.forEach((layer, l) => {
    const { of, by, size, rounding } = all[Math.min(l, all.length - 1)];
    const whole = norm(weighted(of));
    const error = norm(weighted(each(of, (x, at) => x - by.data[at]))) / whole;
    const slack = 1e-6 * error + (rounding * (weightOf(options.weights) * size + whole)) / whole;
    demand(
      Math.abs(layer.relativeError - error) <= slack,
      `layer ${l}: relativeError ${layer.relativeError}, but its factors have ${error}`,
    );
    if (layer.svdBound === null) return;
    const rank = method === 'deep-semi' && (options.nonlinearity ?? 'identity') !== 'identity' ? 0 : l;
    const bound = boundOf(values, Math.min(...result.ranks.slice(0, rank + 1)));
    demand(
      layer.relativeError >= bound - 1e-7 * bound - (rounding * (size + whole)) / whole,
      `layer ${l}: relativeError ${layer.relativeError} below the bound ${bound}`,
    );
    // Its squares come from a Gram matrix, whose rounding is relative to the largest.
    demand(
      Math.abs(layer.svdBound ** 2 - bound ** 2) <= 1e-13 * X.data.length + (method === 'sparse-coding' ? 2 ** -22 : 0),
      `layer ${l}: svdBound ${layer.svdBound}, but it is ${bound}`,
    );
    demand(
      layer.relativeError >= layer.svdBound * (1 - 1e-5) - rounding - 1e-7,
      `layer ${l}: relativeError ${layer.relativeError} below svdBound ${layer.svdBound}`,
    );
  });
  demand(relativeError === layers.at(-1)!.relativeError, 'relativeError is not that of the last layer');
  demand(A.length >= layers.length || method === 'unfolded', 'layers are missing');
  demand(S.length === layers.length, 'S are missing');
  checkCourse(fit, result, demand);
  checkSolves(fit, result, demand);
  if (result.supervision) checkSupervision(fit, result, demand);
  return faults;
}

type Demand = (holds: boolean, words: string) => void;

/** ‖W ∘ Z‖ is at most this times ‖Z‖. */
function weightOf(weights: Matrix | undefined): number {
  return weights ? weights.data.reduce((most, w) => Math.max(most, w), 0) : 1;
}

function checkFactors({ method, options }: RandomFit, { A, S, supervision }: Factorization, demand: Demand): void {
  const signedA = method === 'deep-semi' || method === 'sparse-coding';
  const signedS = options.nonlinearity === 'tanh';
  const classifiers = supervision?.classifiers.map(({ B }) => B) ?? [];
  for (const [name, factors, signed] of [
    ['A', A, signedA],
    ['S', S, signedS],
    ['B', classifiers, method === 'sparse-coding'],
  ] as const) {
    factors.forEach(({ rows, cols, data }, l) => {
      demand(data.length === rows * cols, `${name}[${l}] has ${data.length} entries`);
      demand(data.every(Number.isFinite), `${name}[${l}] has an entry that is not finite`);
      demand(signed || data.every((x) => x >= 0), `${name}[${l}] has a negative entry`);
      demand(name === 'B' || data.some((x) => x !== 0), `${name}[${l}] is all zero`);
    });
  }
  if (method !== 'sparse-coding') return;
  for (const { rows, cols, data } of A)
    for (let j = 0; j < cols; j++) {
      const column = Array.from({ length: rows }, (_, i) => data[i * cols + j]);
      demand(
        norm({ rows, cols: 1, data: column }) <= 1 + 1e-5,
        `a column of A is longer than 1: ${norm({ rows, cols: 1, data: column })}, ${column.slice(0, 4)}`,
      );
    }
}

/** Stops, history, restarts and counts. */
function checkCourse({ options, method, halfInputs }: RandomFit, result: Factorization, demand: Demand): void {
  const { stopReason, converged, history, iterations, restartErrors, restart, relativeError, kktResidual } = result;
  const settled = stopReason === 'tolerance' || stopReason === 'exact';
  demand(['tolerance', 'maxIterations', 'exact'].includes(stopReason), `stopReason ${stopReason}`);
  demand(!converged || settled, `converged, but stopReason ${stopReason}`);
  demand(converged || !settled || method === 'hierarchical', `stopReason ${stopReason}, but not converged`);
  demand(stopReason !== 'exact' || relativeError <= 1e-6, `stopReason exact, but the error is ${relativeError}`);
  // The stage may be exact where the result is not: a last layer, X in 16 bits, or factors that f32 rounds.
  const partial = method === 'hierarchical' || method === 'deep' || halfInputs || options.labels !== undefined || method === 'deep-semi';
  demand(options.tolerance !== 0 || stopReason !== 'tolerance' || partial, 'stopped by a tolerance of 0');
  demand(history.length > 0, 'no history');
  demand(
    history.every((check) => Number.isFinite(check.relativeError) && check.relativeError >= 0),
    'history has an error that is not finite',
  );
  const ends = history.filter(({ stage }, i) => history[i + 1]?.stage !== stage);
  demand(ends.reduce((sum, { iteration }) => sum + iteration, 0) <= iterations, 'history has more iterations than the fit');
  demand(
    restartErrors.every((error) => error >= 0),
    `restartErrors ${restartErrors}`,
  );
  // Those of restarts that were not kept are sums of squares in f32.
  demand(
    restartErrors.every((error) => error >= (result.svdBound ?? 0) - 1e-3),
    `restartErrors ${restartErrors} below the bound ${result.svdBound}`,
  );
  demand(restartErrors.length === (options.restarts ?? 1) && restartErrors[restart] === relativeError, 'restartErrors do not agree');
  demand(Number.isFinite(kktResidual) && kktResidual >= 0, `kktResidual ${kktResidual}`);
  for (const name of ['unconverged', 'illConditioned'] as const)
    demand(Number.isSafeInteger(result[name]) && result[name] >= 0, `${name} ${result[name]}`);
}

/**
 * Where Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − AˡS‖² + λ₁ Σ S, columns off their KKT conditions by more than 1e-4 of the largest |AᵀX|, and more than
 * f32 entries of S can be, are counted as such. In 16 bits, an entry of X is off by 2^-12 of itself.
 */
function checkSolves({ X, method, options, halfInputs }: RandomFit, result: Factorization, demand: Demand): void {
  const { A, S, unconverged, illConditioned } = result;
  const exact =
    method === 'neural' || (['nmf', 'hierarchical'].includes(method) && (options.solver ?? 'anls') === 'anls' && !options.labels);
  if (!exact || options.weights || (method === 'neural' && 'l1' in options)) return;
  let off = 0;
  A.forEach((a, l) => {
    const source: Dense = l === 0 ? X : S[l - 1];
    const [G, B] = [times(transpose(a), a), times(transpose(a), source)];
    for (let c = 0; c < source.cols; c++) {
      const b = Array.from({ length: a.cols }, (_, j) => B.data[j * B.cols + c]);
      const scale = Math.max(...b.map(Math.abs));
      const isOff = b.some((bj, j) => {
        let [gradient, size] = [-bj, 0];
        for (let t = 0; t < a.cols; t++) {
          const part = G.data[j * a.cols + t] * S[l].data[t * source.cols + c];
          gradient += part;
          // Entries below the normal numbers of f32 have lost digits of their own.
          size += Math.abs(part) + 2 ** -128 * Math.abs(G.data[j * a.cols + t]);
        }
        const residual = Math.abs(Math.min(G.data[j * a.cols + j] * S[l].data[j * source.cols + c], gradient));
        return residual > (halfInputs && l === 0 ? 2 ** -10 : 1e-4) * scale + 2 ** -21 * size;
      });
      if (isOff) off++;
    }
  });
  demand(
    off <= unconverged + illConditioned,
    `${off} columns of S are no solutions, but unconverged is ${unconverged}, illConditioned ${illConditioned}`,
  );
}

function checkSupervision({ options }: RandomFit, { supervision, S }: Factorization, demand: Demand): void {
  const { classes, classifiers, accuracy } = supervision!;
  const { B, layer } = classifiers.at(-1)!;
  const scores = times(B, S[layer]);
  const labels = options.labels as (string | null)[];
  const truth = (options.truth ?? []) as string[];
  const predicted = labels.map((_, c) => {
    const column = classes.map((_, i) => scores.data[i * scores.cols + c]);
    return column.every((score) => score === 0) ? undefined : classes[column.indexOf(Math.max(...column))];
  });
  const shareOf = (samples: number[], right: (c: number) => boolean) =>
    samples.length === 0 ? null : samples.filter(right).length / samples.length;
  const samples = labels.map((_, c) => c);
  const labelled = shareOf(
    samples.filter((c) => labels[c] !== null),
    (c) => predicted[c] === labels[c],
  );
  const others = shareOf(
    samples.filter((c) => labels[c] === null && truth[c] !== undefined),
    (c) => predicted[c] === truth[c],
  );
  demand(accuracy.labelled === labelled, `accuracy ${accuracy.labelled} of labelled samples, but it is ${labelled}`);
  demand(accuracy.unlabelled === others, `accuracy ${accuracy.unlabelled} of unlabelled samples, but it is ${others}`);
}
