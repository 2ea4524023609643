/** Makes the plain JSON that a report shows. */
import type { Matrix } from '../data/matrix.js';
import { type Factorization, methodOf } from '../methods/methods.js';
import { topicTree } from '../topics/tree.js';
import { confusions } from './confusion.js';
import { picturesOf, productsOf } from './pictures.js';
import type { GivenTopic, Nouns, ReportData, ReportSource, ReportTopic } from './types.js';
import { type ReportWord, rowShares, topicWords } from './words.js';

const plainNouns: Nouns = { feature: 'feature', sample: 'sample', part: 'component' };

/** Samples listed for a topic. */
const documentsPerTopic = 8;

/** Everything that the page of a report shows. Numbers keep six digits. */
export function reportData(source: ReportSource): ReportData {
  const { title, model, X, nouns = plainNouns, labels = [], truth, settings = {}, facts = [], origin = [], command, notes = [] } = source;
  const { method, ranks, seed, layers, svdBoundMethod, history, restartErrors, restart } = model;
  const features = source.features ?? model.features ?? numbered(nouns.feature, X.rows);
  const samples = source.samples ?? model.samples ?? numbered(nouns.sample, X.cols);
  const products = productsOf(model);
  const topics = hasShares(model, products) ? topicsOf(source, products, features, samples, nouns) : [];
  return {
    title,
    nouns,
    method,
    summary: methodOf(method).summary,
    ranks: [...ranks],
    features: X.rows,
    samples: X.cols,
    seed,
    facts,
    settings: settingsInWords(settings),
    origin,
    command: command ?? null,
    notes: [...notes],
    layers: layers.map(({ rank, relativeError, svdBound }) => ({ rank, relativeError, svdBound })),
    svdBoundMethod,
    history: history.map(({ stage, iteration, relativeError }) => ({ stage, iteration, relativeError: short(relativeError) })),
    restarts: { errors: restartErrors.map((error) => (Number.isFinite(error) ? short(error) : null)), kept: restart },
    topics,
    ...picturesOf(source, products, topics, nouns),
    confusions: confusions(model, labels, truth),
    surveys: (source.surveys ?? []).map(({ ranks: tried, ...survey }) => ({ ...survey, ranks: tried.map(shortened) })),
    tables: (source.tables ?? []).map((table) => ({ ...table })),
  };
}

const short = (x: number) => Number(x.toPrecision(6));
const shortened = <T extends Record<string, number | null>>(row: T): T =>
  Object.fromEntries(Object.entries(row).map(([name, x]) => [name, x === null ? null : short(x)])) as T;

function numbered(noun: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${noun} ${i + 1}`);
}

function hasShares({ S }: Factorization, products: readonly Matrix[]): boolean {
  return products.every(({ data }, l) => data.every((x) => x >= 0) && S[l].data.every((x) => x >= 0));
}

function topicsOf(
  { model, X, topics }: ReportSource,
  products: readonly Matrix[],
  features: readonly string[],
  samples: readonly string[],
  nouns: Nouns,
): ReportTopic[] {
  const corpus = rowShares(X);
  const { A, S } = model;
  const tree: readonly GivenTopic[] =
    topics ?? topicTree({ A: A.slice(0, products.length), S: S.slice(0, products.length) }, features, samples, { documentsPerTopic });
  const convert = ({ layer, index, label, share, weight, documents, children }: GivenTopic): ReportTopic => {
    const words = topicWords(products[layer], index, features, corpus).map(({ term, share: φ, corpus: p }) => ({
      term,
      share: short(φ),
      corpus: short(p),
    }));
    return {
      layer,
      index,
      title: label ?? titleOf(words, `empty ${nouns.part}`),
      share: short(share),
      weight: weight === null ? null : short(weight),
      words,
      documents: documents.map(({ name, weight: part, sentence }) => ({ name, weight: short(part), ...(sentence ? { sentence } : {}) })),
      children: children.map(convert),
    };
  };
  return tree.map(convert);
}

/** The first words of a topic. */
function titleOf(words: readonly ReportWord[], otherwise: string): string {
  return words.length === 0
    ? otherwise
    : words
        .slice(0, 3)
        .map(({ term }) => term)
        .join(', ');
}

export function settingsInWords(settings: object): [string, string][] {
  return Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return [];
    const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return [[words, Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value)]];
  });
}
