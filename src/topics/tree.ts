/** A multilayer factorization of a term–document matrix as a tree of topics. */
import { type Matrix, multiply } from '../data/matrix.js';
import type { Factorization } from '../methods/methods.js';
import { topTerms } from '../text/term-document.js';

export interface Topic {
  layer: number;
  /** Its column of A⁰…Aˡ and row of Sˡ, counted from 0. */
  index: number;
  /** The part of its layer's reconstruction that it carries; the shares of one layer sum to 1. */
  share: number;
  /** The part of its parent that it makes up; null at the top. */
  weight: number | null;
  /** Its heaviest terms; the weights of all terms sum to 1. */
  terms: { term: string; weight: number }[];
  /** The documents with most of it; the weights of all documents sum to 1. */
  documents: { name: string; weight: number }[];
  /** The topics of the layer below that give most to this one, heaviest first. */
  children: Topic[];
}

/**
 * The topics of the last layer with those below them. A topic that gives nothing to any topic above it stands beside those of the
 * last layer, at the end.
 *
 * Factors are free in scale (a column of A may grow while its row of S shrinks), so everything is measured in the reconstruction,
 * which is not: topic j of layer l is the rank-one part ψⱼsⱼ of (A⁰…Aˡ)Sˡ, all entries ≥ 0, and its mass is their sum, (Σψⱼ)(Σsⱼ).
 * As ψⱼ = Σᵢ (A⁰…Aˡ⁻¹)ᵢ Aˡᵢⱼ, that mass is a sum over the topics i of the layer below, of the part of each in j.
 */
export function topicTree(
  { A, S }: Pick<Factorization, 'A' | 'S'>,
  terms: readonly string[],
  documents: readonly string[],
  { words = 10, documentsPerTopic = 3 } = {},
): Topic[] {
  let below: Topic[] = [];
  let belowSums: number[] = [];
  let orphans: Topic[] = [];
  let Psi = A[0];
  A.forEach((Al, layer) => {
    if (layer > 0) Psi = multiply(Psi, Al);
    const sums = columnSums(Psi);
    const rows = rowSums(S[layer]);
    const masses = sums.map((sum, j) => sum * rows[j]);
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    const topics = masses.map(
      (mass, index): Topic => ({
        layer,
        index,
        share: ratio(mass, total),
        weight: null,
        terms: topTerms(Psi, terms, index, words).map(({ term, weight }) => ({ term, weight: weight / sums[index] })),
        documents: topDocuments(S[layer], documents, index, documentsPerTopic, rows[index]),
        children: [],
      }),
    );
    for (const topic of below) {
      const given = rows.map((row, j) => belowSums[topic.index] * Al.data[topic.index * Al.cols + j] * row);
      const parent = given.indexOf(Math.max(...given));
      if (!(given[parent] > 0)) {
        orphans = [...orphans, topic];
        continue;
      }
      topics[parent].children.push({ ...topic, weight: ratio(given[parent], masses[parent]) });
    }
    for (const { children } of topics) children.sort((a, b) => b.weight! - a.weight!);
    below = topics;
    belowSums = sums;
  });
  const byShare = (a: Topic, b: Topic) => b.share - a.share;
  return [...below.sort(byShare), ...orphans];
}

function topDocuments(S: Matrix, documents: readonly string[], index: number, count: number, total: number): Topic['documents'] {
  return documents
    .map((name, m) => ({ name, weight: S.data[index * S.cols + m] / total }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function columnSums({ rows, cols, data }: Matrix): number[] {
  const sums = new Array<number>(cols).fill(0);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) sums[j] += data[i * cols + j];
  return sums;
}

function rowSums({ rows, cols, data }: Matrix): number[] {
  return Array.from({ length: rows }, (_, i) => data.subarray(i * cols, (i + 1) * cols).reduce((sum, s) => sum + s, 0));
}
