/** A multilayer factorization of a term–document matrix as a tree of topics. */
import { checkPositiveInteger } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { ShapeError } from '../errors.js';
import type { Coherence } from './coherence.js';
import { type Factors, givenMasses, ratio, type TopicLayer, topicLayers } from './layers.js';
import { checkMinChildren, parentsOf } from './parents.js';
import { checkRelevance, heaviestTerms, labelRelevance, type RelevantTerm, relevantTerms, type TopicTerm, topicLabels } from './words.js';

export interface Topic {
  layer: number;
  /** Its column of A⁰…Aˡ and row of Sˡ, counted from 0. */
  index: number;
  /** A few of its relevant words; no two topics have the same. */
  label: string;
  /** The part of its layer's reconstruction that it carries; the shares of one layer sum to 1. */
  share: number;
  /** The part of its parent that it makes up; null at the top. */
  weight: number | null;
  /** Its heaviest terms; the weights of all terms sum to 1. */
  terms: TopicTerm[];
  /** Its most relevant terms. */
  relevant: RelevantTerm[];
  /** The documents with most of it; the weights of all documents sum to 1. */
  documents: TypicalDocument[];
  /** Where texts were at hand: see `topicCoherence`. */
  coherence?: Coherence;
  /** The topics of the layer below that give most to this one, heaviest first. */
  children: Topic[];
}

export interface TypicalDocument {
  name: string;
  /** Its column of X. */
  index: number;
  weight: number;
  /** Where texts were at hand: see `typicalSentence`. */
  sentence?: string;
}

export interface TreeOptions {
  /** Terms of each topic; default 10. */
  words?: number;
  /** Default 3. */
  documentsPerTopic?: number;
  /** λ from 0 to 1 of the relevant terms; default 0.6. See `relevantTerms`. */
  relevance?: number;
  /** The part of the corpus that each term makes up: see `termShares`. Default: its part of the reconstruction of the lowest layer. */
  overall?: readonly number[];
  /** Fewest children of every topic that has a layer below; default 0. See `parentsOf`. */
  minChildren?: number;
  /** Labels of topics of the lowest layer, by their number, as of those that came from seed words. */
  names?: readonly (string | undefined)[];
}

/**
 * The topics of the last layer with those below them, each under the topic that it gives most to. A topic that gives nothing to any topic
 * above it stands beside those of the last layer, at the end. Shares and weights are parts of the reconstruction: see `TopicLayer`.
 *
 * @param terms The names of the rows of X. @param documents The names of its columns.
 * @throws InputError for a relevance outside [0, 1], and for more children than there can be; ShapeError for names that do not fit.
 */
export function topicTree(
  model: Factors,
  terms: readonly string[],
  documents: readonly string[],
  { words = 10, documentsPerTopic = 3, relevance = labelRelevance, overall, minChildren = 0, names = [] }: TreeOptions = {},
): Topic[] {
  checkPositiveInteger('words', words);
  checkRelevance(relevance);
  checkMinChildren(
    minChildren,
    model.A.map(({ cols }) => cols),
  );
  if (overall && overall.length !== terms.length)
    throw new ShapeError(`There are ${overall.length} shares of terms for ${terms.length} terms; each term needs one.`);
  const layers = topicLayers(model, terms, documents);
  const corpus = overall ?? reconstructed(layers[0]);
  const label = labelled(layers, terms, corpus, names);
  let below: Topic[] = [];
  let orphans: Topic[] = [];
  layers.forEach((layer, l) => {
    const topics = layer.shares.map((share, index): Topic => {
      const phi = distribution(layer, index);
      return {
        layer: l,
        index,
        label: label[l][index],
        share,
        weight: null,
        terms: heaviestTerms(phi, corpus, terms, words),
        relevant: relevantTerms(phi, corpus, terms, words, relevance),
        documents: topDocuments(model.S[l], documents, index, documentsPerTopic, layer.ofDocuments[index]),
        children: [],
      };
    });
    if (l > 0) {
      const given = givenMasses(model.A[l], layers[l - 1], layer);
      const parents = parentsOf(given, minChildren);
      below.forEach((topic, i) => {
        const parent = parents[i];
        if (parent === null) orphans = [...orphans, topic];
        else topics[parent].children.push({ ...topic, weight: ratio(given[i][parent], layer.ofTerms[parent] * layer.ofDocuments[parent]) });
      });
      for (const { children } of topics) children.sort((a, b) => b.weight! - a.weight!);
    }
    below = topics;
  });
  const byShare = (a: Topic, b: Topic) => b.share - a.share;
  return [...below.sort(byShare), ...orphans];
}

/** All topics of a tree, each before those below it. */
export function allTopics(tree: readonly Topic[]): Topic[] {
  return tree.flatMap((topic) => [topic, ...allTopics(topic.children)]);
}

/** The tree with every topic replaced by `change` of it, whose children are replaced after it. */
export function mapTopics(tree: readonly Topic[], change: (topic: Topic) => Topic): Topic[] {
  return tree.map((topic) => {
    const changed = change(topic);
    return { ...changed, children: mapTopics(changed.children, change) };
  });
}

/** Words that a label can choose from. */
const labelChoice = 12;

/** The labels of each layer. Topics above choose first, and larger ones before smaller ones. */
function labelled(
  layers: readonly TopicLayer[],
  terms: readonly string[],
  corpus: readonly number[],
  names: TreeOptions['names'] = [],
): string[][] {
  const order = layers
    .flatMap(({ shares }, layer) => shares.map((share, index) => ({ layer, index, share })))
    .sort((a, b) => b.layer - a.layer || b.share - a.share || a.index - b.index);
  const labels = topicLabels(
    order.map(({ layer, index }) => ({
      layer,
      words: relevantTerms(distribution(layers[layer], index), corpus, terms, labelChoice, labelRelevance).map(({ term }) => term),
      name: layer === 0 ? names[index] : undefined,
    })),
  );
  const result = layers.map(({ shares }) => new Array<string>(shares.length));
  order.forEach(({ layer, index }, i) => {
    result[layer][index] = labels[i];
  });
  return result;
}

/** φ: the part of topic `index` that each term makes up. */
export function distribution({ Psi, ofTerms }: TopicLayer, index: number): Float64Array {
  return Float64Array.from({ length: Psi.rows }, (_, i) => ratio(Psi.data[i * Psi.cols + index], ofTerms[index]));
}

/** The part of the reconstruction that each term makes up. */
function reconstructed(layer: TopicLayer): number[] {
  const all = layer.shares.map((_, index) => distribution(layer, index));
  return Array.from({ length: layer.Psi.rows }, (_, i) => all.reduce((sum, phi, j) => sum + phi[i] * layer.shares[j], 0));
}

function topDocuments(S: Matrix, documents: readonly string[], index: number, count: number, total: number): TypicalDocument[] {
  return documents
    .map((name, m) => ({ name, index: m, weight: S.data[index * S.cols + m] / total }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}
