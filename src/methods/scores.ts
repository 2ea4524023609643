/** The scores that factorizations and clusterings are compared by. docs/scores.md has the formulas, and what other programs call them. */
import { bestAssignment } from '../data/assignment.js';
import { checkFinite, checkWeights } from '../data/check.js';
import { checkDense, type Matrix, squaredNorm } from '../data/matrix.js';
import { type Absent, absentOfDense } from '../data/missing.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, isSparse, requireDense, stored } from '../data/sparse.js';
import { InputError, ShapeError } from '../errors.js';
import { squaredErrorOf } from './error.js';
import { absentOption } from './options.js';

/** A factorization as scores read it: its last layer counts. A fitted model is one. */
export interface Scored {
  A: Matrix | readonly Matrix[];
  S: Matrix | readonly Matrix[];
}

const listOf = (factor: Matrix | readonly Matrix[]): readonly Matrix[] => (Array.isArray(factor) ? factor : [factor as Matrix]);

/** ‖W ∘ (X − A⁰…AˡSˡ)‖² in f64, or with `missing` the same over the stored entries of a sparse X. */
function squaredErrorAgainst(X: DataMatrix, factors: Scored, W?: Matrix, missing = false): number {
  const A = listOf(factors.A);
  const S = listOf(factors.S);
  const last = S[S.length - 1];
  A.forEach((factor, l) => {
    checkDense(factor, A.length === 1 ? 'A' : `A[${l}]`);
  });
  checkDense(last, 'S');
  if (A[0].rows !== X.rows || last.cols !== X.cols)
    throw new ShapeError(
      `A has ${A[0].rows} rows and S ${last.cols} columns, but X is ${X.rows}×${X.cols}; give the data that the factors are of.`,
    );
  A.forEach(({ rows, cols }, l) => {
    const next = A[l + 1] ?? last;
    if (cols !== next.rows)
      throw new ShapeError(
        `${l === 0 ? 'A' : `A[${l}]`} is ${rows}×${cols}, but what comes after it has ${next.rows} rows; they must agree.`,
      );
  });
  return squaredErrorOf({ X, W, missing, seen: X }, A, last);
}

/**
 * 1 − ‖W ∘ (X − AS)‖² / ‖W ∘ X‖²: the part of ‖X‖² that a factorization explains. 1 is an exact fit, 0 is as good as zeros.
 *
 * It is not centred: scikit-learn's explained_variance_score takes the mean away first. For a model it is 1 − relativeError².
 *
 * @param factors A (N×k, or a list of all layers) and S (k×M, or a list, whose last counts): a fitted model will do.
 * @param options weights: W ≥ 0, N×M; 0 marks a missing value. X must be dense with them. absent: 'missing' where a sparse X counts at its
 * stored entries alone; default 'zero'.
 * @throws ShapeError for factors of another shape than X; InputError for an X of zeros.
 */
export function explainedVariance(X: DataMatrix, factors: Scored, options: { weights?: Matrix; absent?: Absent } = {}): number {
  checkNames('explainedVariance', options, ['weights', 'absent']);
  checkFinite(X);
  const { weights, absent = 'zero' } = options;
  absentOption.check('absent', absent);
  if (absent === 'missing' && !isSparse(X)) throw absentOfDense('X');
  if (weights !== undefined) checkWeights(weights, X);
  const whole = squaredNorm(weights ? stored(X).map((x, at) => x * weights.data[at]) : stored(X));
  if (!(whole > 0)) throw new InputError('Every entry of X is zero, or has a weight of 0; there is nothing to explain.');
  return 1 - squaredErrorAgainst(X, factors, weights, absent === 'missing') / whole;
}

/**
 * ‖H ∘ (X − AS)‖ / ‖H ∘ X‖: the relative error at entries that a fit has not seen.
 *
 * @param X the data, or a sparse matrix that stores the hidden entries and no others, such as the ratings of a test set.
 * @param hidden H, N×M, 1 where an entry was hidden from the fit and 0 where it was not; left out with a sparse X.
 * @throws ShapeError for other shapes; InputError where H has other numbers, or hides nothing that is not zero.
 */
export function heldOutError(X: DataMatrix, factors: Scored, hidden?: Matrix): number {
  checkFinite(X);
  if (isSparse(X) && hidden === undefined) {
    const whole = squaredNorm(X.values);
    if (!(whole > 0)) throw new InputError('X stores no entry that is not zero; there is nothing to compare with.');
    return Math.sqrt(squaredErrorAgainst(X, factors, undefined, true) / whole);
  }
  requireDense(X, 'heldOutError with hidden', 'leave out hidden, and store the hidden entries in X alone');
  if (hidden === undefined)
    throw new InputError('heldOutError needs hidden, a matrix with 1 for each hidden entry of a dense X and 0 for any other.');
  checkFinite(hidden, 'hidden');
  if (hidden.rows !== X.rows || hidden.cols !== X.cols)
    throw new ShapeError(`hidden is ${hidden.rows}×${hidden.cols}, but X is ${X.rows}×${X.cols}; it needs one entry for each of X.`);
  const other = hidden.data.find((h) => h !== 0 && h !== 1);
  if (other !== undefined) throw new InputError(`hidden has the entry ${other}, but takes 1 for a hidden entry and 0 for any other.`);
  const whole = squaredNorm(X.data.map((x, at) => x * hidden.data[at]));
  if (!(whole > 0)) throw new InputError('hidden marks no entry of X that is not zero; there is nothing to compare with.');
  return Math.sqrt(squaredErrorAgainst(X, factors, hidden) / whole);
}

/** The columns of two dictionaries, each with that of the other that it is matched with. */
export interface Matched {
  /** The column of B for each one of A; −1 where B has fewer columns and none is left. */
  columns: number[];
  /** The cosine of each pair; 0 where there is none, or where a column is zero. */
  cosines: number[];
  /** Their mean over the columns of A. */
  mean: number;
}

/**
 * The columns of A and B in pairs such that the sum of their cosines is the largest: the Hungarian algorithm. Scale and order do not matter.
 *
 * @param A N×k, columns are components. @param B N×m.
 * @throws ShapeError where they have different numbers of rows.
 */
export function matchedCosine(A: Matrix, B: Matrix): Matched {
  checkFinite(A, 'A');
  checkFinite(B, 'B');
  if (A.rows !== B.rows) throw new ShapeError(`A has ${A.rows} rows and B ${B.rows}; components are compared over the same features.`);
  const [unitA, unitB] = [A, B].map(unitColumns);
  const cosine = (i: number, j: number) => {
    let sum = 0;
    for (let t = 0; t < A.rows; t++) sum += unitA[i][t] * unitB[j][t];
    return sum;
  };
  const columns = new Array<number>(A.cols).fill(-1);
  if (A.cols <= B.cols) columns.splice(0, A.cols, ...bestAssignment(A.cols, B.cols, cosine));
  else
    bestAssignment(B.cols, A.cols, (j, i) => cosine(i, j)).forEach((i, j) => {
      columns[i] = j;
    });
  const cosines = columns.map((j, i) => (j < 0 ? 0 : cosine(i, j)));
  return { columns, cosines, mean: cosines.reduce((sum, c) => sum + c, 0) / A.cols };
}

/** The columns at length 1; columns of zeros stay. */
export function unitColumns({ rows, cols, data }: Matrix): Float64Array[] {
  return Array.from({ length: cols }, (_, j) => {
    const column = Float64Array.from({ length: rows }, (_, i) => data[i * cols + j]);
    const length = Math.sqrt(squaredNorm(column)) || 1;
    return column.map((x) => x / length);
  });
}

/**
 * Hoyer's sparsity of each column, (√n − ‖x‖₁ / ‖x‖₂) / (√n − 1): 0 where all entries are equal, 1 where one alone is not zero (JMLR 2004).
 * That of a column of zeros, or of one entry, is 1. For rows of S give transpose(S); `mean` is over the columns.
 */
export function sparsity(F: Matrix): { columns: number[]; mean: number } {
  checkFinite(F, 'F');
  const root = Math.sqrt(F.rows);
  const columns = unitColumns(F).map((column) => {
    const sum = column.reduce((total, x) => total + Math.abs(x), 0);
    return F.rows === 1 || sum === 0 ? 1 : (root - sum) / (root - 1);
  });
  return { columns, mean: columns.reduce((sum, x) => sum + x, 0) / F.cols };
}

export interface Agreement {
  /** Samples that have a class. The others do not count. */
  samples: number;
  classes: number;
  /** The part of the samples that are in the most frequent class of their cluster: from 1 ÷ samples to 1. */
  purity: number;
  /** Mutual information over the mean of both entropies: 0 for independent, 1 for equal partitions; 0 where both have one part. */
  nmi: number;
  /**
   * The adjusted Rand index (Hubert & Arabie, Journal of Classification 1985): 0 on average for partitions by chance, 1 for equal ones. It is
   * 1 where nothing can differ: both have one part, or both have parts of one sample alone.
   */
  ari: number;
}

/**
 * How far clusters agree with classes. See Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), 16.3.
 *
 * @param clusters The cluster of each sample.
 * @param classes The class of each sample, undefined where it is unknown.
 */
export function agreement(clusters: readonly number[], classes: readonly (string | undefined)[]): Agreement {
  const joint = new Map<number, Map<string, number>>();
  const ofClass = new Map<string, number>();
  let n = 0;
  clusters.forEach((cluster, c) => {
    const name = classes[c];
    if (name === undefined) return;
    const counts = joint.get(cluster) ?? new Map<string, number>();
    joint.set(cluster, counts.set(name, (counts.get(name) ?? 0) + 1));
    ofClass.set(name, (ofClass.get(name) ?? 0) + 1);
    n++;
  });
  const cells = [...joint.values()].map((counts) => [...counts.values()]);
  const entropy = (counts: readonly number[]) => counts.reduce((sum, count) => sum - (count / n) * Math.log(count / n), 0);
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  const ofClusters = cells.map(sum);
  const both = entropy(ofClusters) + entropy([...ofClass.values()]);
  const shared = both - entropy(cells.flat());
  const pairs = (counts: readonly number[]) => sum(counts.map((count) => (count * (count - 1)) / 2));
  const [together, inClusters, inClasses] = [cells.flat(), ofClusters, [...ofClass.values()]].map(pairs);
  const byChance = (inClusters * inClasses) / (pairs([n]) || 1);
  const most = (inClusters + inClasses) / 2;
  return {
    samples: n,
    classes: ofClass.size,
    purity: n === 0 ? 0 : sum(cells.map((counts) => Math.max(...counts))) / n,
    nmi: both === 0 ? 0 : Math.min(1, Math.max(0, (2 * shared) / both)),
    ari: n === 0 ? 0 : most === byChance ? 1 : (together - byChance) / (most - byChance),
  };
}
