/** The tree and the model as files. */
import { modelFiles, type NeuralFactorization, type SavedModel, type SparseMatrix } from 'orthant';
import { allTopics, documentTopics, type Topic, topicFlows, withSentences } from 'orthant/text';
import type { Reading } from './tree.js';

export type Kind = 'report' | 'topics' | 'documents' | 'json' | 'model';

/** What only the page knows. */
export interface Origin {
  device: string;
  command: string;
  settings: Record<string, unknown>;
}

export interface Exporting {
  title: string;
  model: SavedModel & NeuralFactorization;
  reading: Reading;
  X?: SparseMatrix;
  origin: Origin;
}

export type Exported = { name: string; content: string } | { name: string; files: Record<string, string | Uint8Array> };

const documentsListed = 8;

export async function exportAs(kind: Kind, given: Exporting): Promise<Exported> {
  const base = given.title.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '') || 'topics';
  switch (kind) {
    case 'report':
      return { name: `${base}.html`, content: await report(given) };
    case 'topics':
      return { name: `${base}-topics.csv`, content: topicsTable(given) };
    case 'documents':
      return { name: `${base}-documents.csv`, content: documentsTable(given) };
    case 'json':
      return { name: `${base}.json`, content: `${JSON.stringify(asJson(given), null, 1)}\n` };
    case 'model':
      return { name: `${base}-model.zip`, files: modelFiles(given.model, { ...modelFacts(given) }) };
  }
}

/** The tree with the person's names, and documents enough for a page. */
function named(given: Exporting): Topic[] {
  const { reading } = given;
  const rename = (topics: readonly Topic[]): Topic[] =>
    topics.map((topic) => ({ ...topic, label: reading.title(topic.layer, topic.index), children: rename(topic.children) }));
  return rename(reading.tree);
}

function modelFacts({ reading, origin }: Exporting) {
  const topicNames = [...reading.names].map(([place, name]) => {
    const [layer, index] = place.split(':').map(Number);
    return { layer, index, name };
  });
  return { device: origin.device, options: origin.settings, ...(topicNames.length > 0 ? { topicNames } : {}) };
}

async function report(given: Exporting): Promise<string> {
  const { title, model, X, reading, origin } = given;
  if (!X) throw new Error('A report needs the documents, and this model was opened without them.');
  const { reportData, reportPage, reportParts } = await import('orthant/report');
  const { terms, names, documents, reader } = reading.around;
  const topics = documents
    ? withSentences(
        named(given),
        reading.factors,
        terms,
        documents.map(({ text }) => text.slice(0, 20_000)),
        { termsOf: reader.termsOf, locale: reader.language },
      )
    : named(given);
  const titleOf = (layer: number, index: number) => reading.title(layer, index);
  const groups = reading.groups().map(([field, { groups: found, layers }]) => {
    const last = layers.length - 1;
    return {
      title: `Shares of the topics of layer ${last} by ${field}`,
      columns: [field, 'documents', ...layers[last][0].map((_, i) => titleOf(last, i))],
      rows: found.map(({ name, documents: count }, g) => [name, count, ...layers[last][g].map((share) => Number(share.toFixed(4)))]),
    };
  });
  const data = reportData({
    title,
    model,
    X,
    features: terms,
    samples: names,
    nouns: { feature: 'term', sample: 'document', part: 'topic' },
    topics,
    order: 'parts',
    facts: [
      ['iterations', String(model.iterations)],
      ['KKT residual', model.kktResidual.toExponential(1)],
      ['time', `${(model.elapsedMs / 1000).toFixed(1)} s`],
    ],
    settings: { method: model.method, ranks: model.ranks, seed: model.seed, ...origin.settings },
    origin: [
      ['device', origin.device],
      ['made by', 'the page of orthant'],
      ['made', `${new Date().toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ],
    command: origin.command,
    tables: groups,
  });
  return reportPage(data, await reportParts());
}

function topicsTable({ reading }: Exporting): string {
  const parents = new Map<Topic, Topic>();
  for (const topic of allTopics(reading.tree)) for (const child of topic.children) parents.set(child, topic);
  const rows = allTopics(reading.tree).map((topic) => {
    const { layer, index, share, weight } = topic;
    const label = reading.label(layer, index);
    const parent = parents.get(topic);
    const words = reading.words(layer, index, 1, 10).map(({ term }) => term);
    return [
      layer,
      index,
      reading.names.get(`${layer}:${index}`) ?? '',
      label,
      share,
      parent ? parent.index : '',
      weight ?? '',
      words.join(' '),
    ];
  });
  return table([['layer', 'topic', 'name', 'label', 'share', 'parent', 'part of parent', 'words'], ...rows]);
}

/** A row for each document: the share of every topic of every layer, which sum to 1 in a layer. */
function documentsTable({ reading }: Exporting): string {
  const { factors, around } = reading;
  const layers = factors.A.map((_, l) => documentTopics(factors.A, factors.S[l], l, around.names));
  const columns = factors.A.flatMap(({ cols }, l) => Array.from({ length: cols }, (_, i) => `${l}: ${reading.title(l, i)}`));
  const rows = around.names.map((name, m) => {
    const shares = layers.flatMap((documents, l) => {
      const own = new Array<number>(factors.A[l].cols).fill(0);
      for (const { index, share } of documents[m].topics) own[index] = share;
      return own;
    });
    return [name, around.documents?.[m].label ?? '', around.documents?.[m].date ?? '', ...shares];
  });
  return table([['document', 'label', 'date', ...columns], ...rows]);
}

function asJson(given: Exporting): unknown {
  const { title, model, reading, origin } = given;
  const strip = (topics: readonly Topic[]): unknown[] =>
    topics.map(({ layer, index, label, share, weight, terms, documents, children }) => ({
      layer,
      index,
      name: label,
      share,
      weight,
      terms,
      documents: documents.slice(0, documentsListed),
      children: strip(children),
    }));
  return {
    title,
    method: model.method,
    ranks: model.ranks,
    seed: model.seed,
    ...origin,
    layers: model.layers,
    topics: strip(named(given)),
    flows: topicFlows(reading.factors),
  };
}

const cell = (value: string | number) => {
  const text = typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const table = (rows: readonly (string | number)[][]) => `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
