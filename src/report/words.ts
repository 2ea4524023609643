/** Words of a topic that the page needs: those that the slider of λ can bring up, and no more. */
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, storedRows } from '../data/sparse.js';
import { relevance } from '../topics/relevance.js';
import { lambdas, wordsShown } from './slider.js';

export interface ReportWord {
  term: string;
  /** Its share in the topic, φ: all terms of a topic sum to 1. */
  share: number;
  /** Its share in the corpus, p: that of its row in the sum of X. */
  corpus: number;
}

/** The part of the sum of X (≥ 0) in each row; all 0 where X is. */
export function rowShares(X: DataMatrix): number[] {
  const sums = new Array<number>(X.rows).fill(0);
  const rows = storedRows(X);
  for (let i = 0; i < X.rows; i++) for (let e = rows.start(i); e < rows.start(i + 1); e++) sums[i] += rows.values[e];
  const total = sums.reduce((sum, x) => sum + x, 0);
  return sums.map((sum) => (total > 0 ? sum / total : 0));
}

/**
 * The words of column `index` of Psi (N×k, ≥ 0): every one that is among the `count` of the largest relevance at some position of the slider,
 * by share.
 */
export function topicWords(
  Psi: Matrix,
  index: number,
  terms: readonly string[],
  corpus: readonly number[],
  count = wordsShown,
): ReportWord[] {
  let sum = 0;
  for (let i = 0; i < Psi.rows; i++) sum += Psi.data[i * Psi.cols + index];
  if (!(sum > 0)) return [];
  const shares = Float64Array.from({ length: Psi.rows }, (_, i) => Psi.data[i * Psi.cols + index] / sum);
  const wanted = new Set<number>();
  for (const lambda of lambdas) for (const i of topRelevant(shares, corpus, lambda, count)) wanted.add(i);
  return [...wanted].sort((a, b) => shares[b] - shares[a] || a - b).map((i) => ({ term: terms[i], share: shares[i], corpus: corpus[i] }));
}

/** The `count` rows of the largest relevance, without those of −∞. Of equal ones the first come. */
function topRelevant(shares: Float64Array, corpus: readonly number[], lambda: number, count: number): number[] {
  let top: { i: number; value: number }[] = [];
  let least = Number.NEGATIVE_INFINITY;
  const settle = () => {
    top = top.sort((a, b) => b.value - a.value || a.i - b.i).slice(0, count);
    if (top.length === count) least = top[count - 1].value;
  };
  for (let i = 0; i < shares.length; i++) {
    const value = relevance(shares[i], corpus[i], lambda);
    if (!(value > least)) continue;
    top.push({ i, value });
    if (top.length >= 4 * count) settle();
  }
  settle();
  return top.map(({ i }) => i);
}
