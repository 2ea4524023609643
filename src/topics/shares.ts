/** The topics of single documents. */
import { type Matrix, multiply } from '../data/matrix.js';
import { topTerms } from '../text/term-document.js';

export interface LayerTopic {
  /** Its row of Sˡ, counted from 0. */
  index: number;
  /** Its heaviest terms, heaviest first. */
  terms: string[];
}

export interface DocumentTopics {
  name: string;
  /** The topics that the document has, the largest first. The shares of a document sum to 1. */
  topics: { index: number; share: number }[];
}

/** The topics of a layer: the columns of A⁰…Aˡ, by their heaviest terms. */
export function layerTopics(A: readonly Matrix[], terms: readonly string[], layer: number, words = 3): LayerTopic[] {
  const Psi = topicsOf(A, layer);
  return Array.from({ length: Psi.cols }, (_, index) => ({ index, terms: topTerms(Psi, terms, index, words).map(({ term }) => term) }));
}

/**
 * The shares of the topics of a layer in each document: the mass (Σψⱼ) Sⱼ of topic j in the reconstruction, over that of all. No topics for
 * a document that has none.
 *
 * @param S k_l×M, the coefficients of the layer, a column a document.
 */
export function documentTopics(A: readonly Matrix[], S: Matrix, layer: number, documents: readonly string[]): DocumentTopics[] {
  const Psi = topicsOf(A, layer);
  const sums = new Float64Array(Psi.cols);
  Psi.data.forEach((value, p) => {
    sums[p % Psi.cols] += value;
  });
  return documents.map((name, m) => {
    const masses = Array.from(sums, (sum, j) => sum * S.data[j * S.cols + m]);
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    const topics = masses.flatMap((mass, index) => (mass > 0 ? [{ index, share: mass / total }] : []));
    return { name, topics: topics.sort((a, b) => b.share - a.share) };
  });
}

function topicsOf(A: readonly Matrix[], layer: number): Matrix {
  return A.slice(1, layer + 1).reduce((Psi, next) => multiply(Psi, next), A[0]);
}
