/** How far the topics of each layer agree with classes of the documents that are known. */
import type { Factorization } from '../methods/methods.js';
import type { Labeling } from '../node/corpus.js';
import { type Agreement, agreement, largestTopics } from '../topics/clustering.js';
import { alignColumns } from './columns.js';

export interface LayerAgreement extends Agreement {
  labels: string;
  layer: number;
  /** The number of topics. */
  rank: number;
}

/** The agreement of the largest topics with each labelling that has two classes or more, layer by layer. */
export function classAgreements(model: Factorization, labelings: readonly Labeling[]): LayerAgreement[] {
  return labelings
    .filter(({ labels }) => new Set(labels.filter((label) => label !== undefined)).size > 1)
    .flatMap(({ name, labels }) =>
      model.S.map((S, layer) => ({ labels: name, layer, rank: S.rows, ...agreement(largestTopics(model, layer), labels) })),
    );
}

/** The same as lines, with an empty one at the end; none without labels. */
export function agreementTable(agreements: readonly LayerAgreement[]): string[] {
  if (agreements.length === 0) return [];
  const rows = agreements.map(({ labels, classes, samples, layer, rank, nmi, purity }) => [
    labels,
    `${classes}`,
    `${samples}`,
    `${layer}`,
    `${rank}`,
    nmi.toFixed(3),
    purity.toFixed(3),
  ]);
  const headings = ['labels', 'classes', 'documents', 'layer', 'topics', 'NMI', 'purity'];
  const note = 'A document counts for its largest topic. Purity: the part of documents in the most frequent class of their topic.';
  return [...alignColumns([headings, ...rows], ['left', ...headings.slice(1).map(() => 'right' as const)]), note, ''];
}
