/** The factors that a fit goes on from, where the vocabulary or the levels have changed since they were learned. */
import { type Engine, InputError, type Matrix, matrix, nmf, nnls, type SparseMatrix } from 'orthant';
import type { Moved } from './change.js';
import { topicProducts } from './levels.js';
import type { Factors } from './tree.js';

export interface Start {
  A: Matrix[];
  moved: Moved;
}

/**
 * Levels with as many topics as before begin with these topics; terms that are new begin at 0. A level between them is learned from the
 * coefficients of the one below it, and a level above it as a mixture of its topics.
 */
export async function startFrom(
  engine: Engine,
  before: Factors & { terms: readonly string[] },
  X: SparseMatrix,
  terms: readonly string[],
  ranks: readonly number[],
  seed: number,
): Promise<Start> {
  if (before.S[0].cols !== X.cols) throw new InputError('The factors are those of other documents; start anew.');
  const products = topicProducts(before.A);
  const old = products.map(({ cols }) => cols);
  const kept = commonLevels(old, ranks);
  if (kept.every((level) => level === undefined))
    throw new InputError(
      `None of the levels ${ranks.join(' → ')} has as many topics as one of ${old.join(' → ')}, so there is nothing to go on from; start anew.`,
    );
  const A: Matrix[] = [];
  let Psi: Matrix | undefined; // of the level below
  let S: Matrix | undefined;
  for (const [l, rank] of ranks.entries()) {
    const level = kept[l];
    if (level === undefined) {
      const fit: { A: Matrix[]; S: Matrix[] } = await nmf(engine, S ?? X, { ranks: rank, seed, maxIterations: 100, svdBound: false });
      A.push(fit.A[0]);
      S = fit.S[0];
    } else {
      const topics = inRowsOf(products[level], before.terms, terms);
      const below = l > 0 ? kept[l - 1] : undefined;
      if (!Psi) A.push(topics);
      else if (below !== undefined) A.push(topicProducts(before.A.slice(below + 1, level + 1)).at(-1)!);
      else A.push((await nnls(engine, Psi, topics)).S);
      S = before.S[level];
    }
    Psi = topicProducts(A).at(-1)!;
  }
  return {
    A,
    moved: (layer, index) => {
      const at = kept.indexOf(layer);
      return at < 0 ? null : { layer: at, index };
    },
  };
}

/** For each new level the old one with as many topics, in their order; undefined where there is none. */
function commonLevels(old: readonly number[], ranks: readonly number[]): (number | undefined)[] {
  let from = 0;
  return ranks.map((rank) => {
    const at = old.indexOf(rank, from);
    if (at < 0) return undefined;
    from = at + 1;
    return at;
  });
}

function inRowsOf(Psi: Matrix, terms: readonly string[], wanted: readonly string[]): Matrix {
  if (terms.length === wanted.length && terms.every((term, i) => term === wanted[i])) return Psi;
  const rowOf = new Map(terms.map((term, row) => [term, row]));
  const out = matrix(wanted.length, Psi.cols);
  wanted.forEach((term, i) => {
    const row = rowOf.get(term);
    if (row !== undefined) out.data.set(Psi.data.subarray(row * Psi.cols, (row + 1) * Psi.cols), i * Psi.cols);
  });
  for (let j = 0; j < Psi.cols; j++) {
    let sum = 0;
    for (let i = 0; i < out.rows; i++) sum += out.data[i * Psi.cols + j];
    if (!(sum > 0)) throw new InputError('A topic has none of the words of the vocabulary any more; start anew.');
  }
  return out;
}
