/** Tables below the tree: coherence, shares by a field, flows, and the topics that are nearest to a text. */
import { quoted } from '../data/words.js';
import type { Coherence } from '../topics/coherence.js';
import type { Field, GroupShares } from '../topics/groups.js';
import type { TopicFlow } from '../topics/layers.js';
import type { NearTopic } from '../topics/nearest.js';
import type { LayerQuality } from '../topics/texts.js';
import { allTopics, type Topic } from '../topics/tree.js';
import { percent } from './print-tree.js';
import { columnsOf, cut, padded, wrap } from './text-width.js';

type Labels = (layer: number, index: number) => string;

/** The label of a topic by its layer and number. */
export function labelsOf(topics: readonly Topic[]): Labels {
  const labels = new Map(allTopics(topics).map(({ layer, index, label }) => [`${layer} ${index}`, label]));
  return (layer, index) => labels.get(`${layer} ${index}`) ?? '';
}

const measures: [name: string, key: keyof Coherence][] = [
  ['C_NPMI', 'cNpmi'],
  ['C_V', 'cV'],
  ['C_UCI', 'cUci'],
  ['UMass', 'uMass'],
];

/** A line for each topic, the last layer first and larger ones before smaller ones, and one for each layer. */
export function coherenceTable(topics: readonly Topic[], layers: readonly LayerQuality[], width: number): string[] {
  const all = [...allTopics(topics)].sort((a, b) => b.layer - a.layer || b.share - a.share);
  const values = (coherence?: Coherence) => measures.map(([, key]) => figure(coherence?.[key] ?? null));
  const rows = [...layers]
    .reverse()
    .flatMap(({ layer, coherence }) => [
      ...all.filter((topic) => topic.layer === layer).map((topic) => [topic.label, percent(topic.share), ...values(topic.coherence)]),
      [`all of layer ${layer}`, '', ...values(coherence)],
      [],
    ]);
  const diversity = layers
    .filter((one) => one.diversity !== null)
    .map((one) => `${percent(one.diversity!).trim()} in layer ${one.layer}`)
    .reverse();
  return [
    ...table(['topic', 'share', ...measures.map(([name]) => name)], rows.slice(0, -1), width),
    '',
    ...wrap(`Coherence of the 20 heaviest words of each topic; different words among the 25 heaviest: ${diversity.join(', ')}.`, width),
  ];
}

const figure = (value: number | null) => (value === null ? '–' : value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace(/^-(0\.00)$/, '$1'));

/** The share of each topic of the last layer in each group of documents. */
export function sharesTable(field: Field, shares: GroupShares, labels: Labels, width: number): string[] {
  const layer = shares.layers.length - 1;
  const columns = shares.layers[layer][0].map((_, index) => labels(layer, index));
  const rows = shares.groups.map(({ name }, g) => [name, ...shares.layers[layer][g].map(cell)]);
  const without =
    shares.without > 0
      ? [
          `Left out: ${shares.without} ${shares.without === 1 ? 'document' : 'documents'} without a ${field}${field === 'date' ? ' that can be read' : ''}.`,
        ]
      : [];
  return [...wrap(`Shares of the topics by ${field}, in percent:`, width), ...blocks([field, ...columns], rows, width), ...without];
}

/** Where the topics of a layer go: in each row the parts of one topic that go into those of the next layer. */
export function flowTable({ layer, shares }: TopicFlow, labels: Labels, width: number): string[] {
  const columns = shares[0].map((_, index) => labels(layer + 1, index));
  const rows = shares.map((row, index) => {
    const whole = row.reduce((sum, share) => sum + share, 0);
    return [labels(layer, index), ...row.map((share) => (whole > 0 ? cell(share / whole) : '–'))];
  });
  return [...wrap(`From layer ${layer} to layer ${layer + 1}, percent of each topic:`, width), ...blocks(['', ...columns], rows, width)];
}

export const cell = (share: number) => (share >= 0.005 ? (100 * share).toFixed(0) : '·');

/** The topics that a text is nearest to, the last layer first. */
export function nearestTable(
  text: string,
  near: readonly (readonly NearTopic[])[],
  topics: readonly Topic[],
  width: number,
  count = 3,
): string[] {
  const all = allTopics(topics);
  const lines = [...near].reverse().map((list) =>
    list.slice(0, count).flatMap(({ layer, index, similarity }) => {
      const topic = all.find((one) => one.layer === layer && one.index === index)!;
      const words = topic.terms.map(({ term }) => term).join(', ');
      return [cut(`${similarity.toFixed(2)}  ${topic.label}`, width), ...wrap(words, width - 6).map((line) => `      ${line}`)];
    }),
  );
  const title = wrap(`The nearest topics to ${quoted(text)}, by the cosine of their words:`, width);
  const tables = lines.flatMap((list, i) => [
    `layer ${near.length - 1 - i}`,
    ...(list.length > 0 ? list : ['      none has a word of it']),
    '',
  ]);
  return [...title, '', ...tables];
}

/** The first column on the left, cut where the table would be too wide; the others on the right. An empty row is an empty line. */
function table(header: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, c) => Math.max(...all.map((row) => (row[c] === undefined ? 0 : columnsOf(row[c])))));
  const others = widths.slice(1).reduce((sum, one) => sum + one + 2, 0);
  const first = Math.min(widths[0], Math.max(width - others, 8));
  return all.map((row) =>
    row
      .map((text, c) => (c === 0 ? padded(cut(text, first), first) : padded(text, widths[c], 'right')))
      .join('  ')
      .trimEnd(),
  );
}

/** Columns of a heading that is cut. */
const headingRoom = 12;

/** As `table`, with headings cut, in as many tables as the width makes necessary. */
export function blocks(header: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const names = Math.min(Math.max(...[header, ...rows].map((row) => columnsOf(row[0]))), Math.max(8, Math.floor(width / 3)));
  const fitting = Math.max(1, Math.floor((width - names) / (headingRoom + 2)));
  const starts = Array.from({ length: Math.ceil((header.length - 1) / fitting) }, (_, b) => 1 + b * fitting);
  return starts.flatMap((from, b) => {
    const take = (row: readonly string[]) => [cut(row[0], names), ...row.slice(from, from + fitting)];
    const lines = table(
      [
        take(header)[0],
        ...take(header)
          .slice(1)
          .map((text) => cut(text, headingRoom)),
      ],
      rows.map(take),
      width,
    );
    return b === 0 ? lines : ['', ...lines];
  });
}
