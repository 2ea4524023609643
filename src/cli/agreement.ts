/** How far the topics of each layer agree with classes of the documents that are known. */
import type { Factorization } from '../methods/methods.js';
import { type Agreement, agreement } from '../methods/scores.js';
import type { Labeling } from '../node/corpus.js';
import type { ReportTable } from '../report/types.js';
import { largestTopics } from '../topics/clustering.js';
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

/** The same for a page, and for each labelling how many documents of a class have which topic of the last layer as their largest. */
export function agreementTables(
  agreements: readonly LayerAgreement[],
  model: Factorization,
  labelings: readonly Labeling[],
): ReportTable[] {
  if (agreements.length === 0) return [];
  const last = model.S.length - 1;
  const largest = largestTopics(model, last);
  const named = labelings.filter(({ name }) => agreements.some(({ labels }) => labels === name));
  const counted = named.map(({ name, labels }): ReportTable => {
    const classes = [...new Set(labels)].filter((label) => label !== undefined).sort();
    const topics = Array.from({ length: model.S[last].rows }, (_, topic) => topic);
    const count = (label: string, topic: number) => labels.filter((one, m) => one === label && largest[m] === topic).length;
    return {
      title: `Documents of each ${name} by their largest topic of layer ${last}`,
      columns: [name, ...topics.map((topic) => `topic ${topic}`)],
      rows: classes.map((label) => [label, ...topics.map((topic) => count(label, topic))]),
    };
  });
  const rows = agreements.map(({ labels, classes, samples, layer, rank, nmi, purity }) => [
    labels,
    classes,
    samples,
    layer,
    rank,
    Number(nmi.toFixed(4)),
    Number(purity.toFixed(4)),
  ]);
  const columns = ['labels', 'classes', 'documents', 'layer', 'topics', 'NMI', 'purity'];
  return [{ title: 'Agreement of topics with labels', columns, rows }, ...counted];
}
