/** The search over topics and documents. */
import type { SparseMatrix } from 'orthant';
import { nearestTopics } from 'orthant/text';
import { markedBy } from './marks.js';
import type { Reading, ShownDocument } from './tree.js';

export interface Found {
  topics: { layer: number; index: number; title: string; similarity: number }[];
  documents: ShownDocument[];
}

/** Topics and documents near to some words, and those whose names have them. */
export function found(query: string, reading: Reading, X: SparseMatrix | undefined): Found {
  const { reader, documents = [], names } = reading.around;
  const sought = query.trim().toLowerCase();
  const weights = reader.weigh(query);
  const known = weights.some((weight) => weight > 0);
  const near = known ? nearestTopics(reading.factors, weights).flat() : [];
  const named = [...reading.names]
    .filter(([, name]) => name.toLowerCase().includes(sought))
    .map(([place]) => {
      const [layer, index] = place.split(':').map(Number);
      return { layer, index, similarity: 1 };
    });
  const topics = [...named, ...near.filter(({ layer, index }) => !named.some((one) => one.layer === layer && one.index === index))]
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, 8)
    .map((one) => ({ ...one, title: reading.title(one.layer, one.index) }));
  const scores = known && X ? scoresOf(X, weights) : new Float64Array(names.length);
  names.forEach((name, m) => {
    if (name.toLowerCase().includes(sought)) scores[m] += 1;
    else if (!known && documents[m]?.text.toLowerCase().includes(sought)) scores[m] += 0.5;
  });
  const terms = new Set(reading.around.terms.filter((_, i) => weights[i] > 0));
  const best = names
    .map((_, m) => m)
    .filter((m) => scores[m] > 0)
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, 10);
  return {
    topics,
    documents: best.map((m) => {
      const text = documents[m]?.text ?? '';
      const hit = Math.max(0, firstOf(text, [sought, ...terms]) - 80);
      const excerpt = text.slice(hit, hit + 260).replaceAll(/\s+/g, ' ');
      return {
        index: m,
        name: names[m],
        weight: scores[m],
        date: documents[m]?.date,
        label: documents[m]?.label,
        excerpt: markedBy(excerpt, terms, reader),
      };
    }),
  };
}

/** The cosine of each document with weights of length 1. */
function scoresOf(X: SparseMatrix, weights: ArrayLike<number>): Float64Array {
  const scores = new Float64Array(X.cols);
  for (let i = 0; i < X.rows; i++)
    if (weights[i] > 0) for (let at = X.rowStarts[i]; at < X.rowStarts[i + 1]; at++) scores[X.columns[at]] += weights[i] * X.values[at];
  return scores;
}

function firstOf(text: string, words: readonly string[]): number {
  const lower = text.toLowerCase();
  const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
  return places.length > 0 ? Math.min(...places) : 0;
}
