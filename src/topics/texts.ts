/** What the texts themselves say of topics: the sentences that show them, and how coherent they are. */
import { type Coherence, type CoherenceMeasure, topicCoherence, topicDiversity } from './coherence.js';
import { type Factors, topicLayers } from './layers.js';
import { readSentences, type Sentence, type SentenceOptions, typicalSentence } from './sentences.js';
import { allTopics, distribution, mapTopics, type Topic } from './tree.js';

/** The tree with the sentence of each typical document that shows its topic: see `typicalSentence`. `texts` are in the order of the columns. */
export function withSentences(
  tree: readonly Topic[],
  model: Factors,
  terms: readonly string[],
  texts: readonly string[],
  options: SentenceOptions,
): Topic[] {
  const layers = topicLayers(model, terms);
  const read = new Map<number, Sentence[]>();
  const sentencesIn = (document: number) => {
    const known = read.get(document) ?? readSentences(texts[document], options);
    read.set(document, known);
    return known;
  };
  return mapTopics(tree, (topic) => {
    const weights = distribution(layers[topic.layer], topic.index);
    const phi = new Map(terms.map((term, i) => [term, weights[i]]));
    const documents = topic.documents.map((document) => {
      const sentence = typicalSentence(sentencesIn(document.index), phi);
      return sentence === undefined ? document : { ...document, sentence };
    });
    return { ...topic, documents };
  });
}

/** How good the topics of a layer are, on the average. */
export interface LayerQuality {
  layer: number;
  /** The mean of each measure over the topics that have it. */
  coherence: Coherence;
  /** The part of their heaviest words that are different; null where they have none. */
  diversity: number | null;
}

/** Words of a topic whose coherence is measured, as in gensim. */
const coherentWords = 20;

/** Words of a topic whose diversity is measured, as Dieng, Ruiz and Blei do. */
const diverseWords = 25;

/**
 * The tree with the coherence of every topic's 20 heaviest words, and the means of every layer with the diversity of the 25 heaviest. Terms that
 * are no token of the documents, such as pairs of words, are left out of the coherence.
 *
 * @param tokens The words of each document in their order.
 */
export function withCoherence(
  tree: readonly Topic[],
  model: Factors,
  terms: readonly string[],
  tokens: readonly (readonly string[])[],
): { topics: Topic[]; layers: LayerQuality[] } {
  const layers = topicLayers(model, terms);
  const words = new Set<string>();
  for (const document of tokens) for (const word of document) words.add(word);
  const all = allTopics(tree);
  const heaviest = all.map(({ layer, index }) => heaviestOf(distribution(layers[layer], index), terms, diverseWords));
  const found = topicCoherence(
    heaviest.map((list) => list.filter((word) => words.has(word)).slice(0, coherentWords)),
    tokens,
  );
  const coherenceOf = new Map(all.map((topic, i) => [topic, found[i]]));
  const of = <T>(layer: number, values: readonly T[]) => values.filter((_, i) => all[i].layer === layer);
  return {
    topics: mapTopics(tree, (topic) => ({ ...topic, coherence: coherenceOf.get(topic) })),
    layers: layers.map((_, layer) => {
      const lists = of(layer, heaviest);
      return { layer, coherence: meanOf(of(layer, found)), diversity: lists.flat().length > 0 ? topicDiversity(lists) : null };
    }),
  };
}

function heaviestOf(phi: ArrayLike<number>, terms: readonly string[], count: number): string[] {
  const order = terms.map((_, i) => i).filter((i) => phi[i] > 0);
  order.sort((a, b) => phi[b] - phi[a] || (terms[a] < terms[b] ? -1 : 1));
  return order.slice(0, count).map((i) => terms[i]);
}

function meanOf(values: readonly Coherence[]): Coherence {
  const mean = (measure: CoherenceMeasure) => {
    const known = values.flatMap((one) => one[measure] ?? []);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  };
  return { uMass: mean('uMass'), cUci: mean('cUci'), cNpmi: mean('cNpmi'), cV: mean('cV') };
}
