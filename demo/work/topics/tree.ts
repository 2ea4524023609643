/** Factors as the tree that the page draws, and one topic of it with all that the page shows. */
import type { Matrix } from 'orthant';
import {
  type Document,
  type Field,
  type GroupShares,
  InputError,
  periodsOf,
  readSentences,
  relevantTerms,
  sharesByGroup,
  type TextReader,
  type Topic,
  type TopicTerm,
  topicFlows,
  topicTree,
  typicalSentence,
} from 'orthant/text';
import { columnSum, rowSum } from './change.js';
import { topicProducts } from './levels.js';
import { markedBy, type Segment } from './marks.js';

export interface Factors {
  A: Matrix[];
  S: Matrix[];
}

/** Names that the person gave, by `key`. */
export type Names = ReadonlyMap<string, string>;
export const key = (layer: number, index: number) => `${layer}:${index}`;

export interface DrawnTopic {
  layer: number;
  index: number;
  /** The person's name of it, else its label. */
  title: string;
  named: boolean;
  share: number;
  /** The part of the topic above that it makes up; null at the top. */
  weight: number | null;
  words: string[];
  children: DrawnTopic[];
}

/** What a corpus adds to factors. Texts are missing where a model was read without its documents. */
export interface Surroundings {
  terms: readonly string[];
  names: readonly string[];
  /** The part of the corpus that each term makes up. */
  overall?: readonly number[];
  documents?: readonly Document[];
  reader: TextReader;
}

const wordsShown = 8;
const documentsShown = 6;
/** A child that is its parent's only one, and this part of it, is the topic itself in the layer below. */
const standsFor = 0.99;

export function fullTree({ A, S }: Factors, { terms, names, overall }: Surroundings, documentsPerTopic = documentsShown): Topic[] {
  return topicTree({ A: A.slice(0, S.length), S }, terms, names, { words: wordsShown, documentsPerTopic, overall });
}

/** `labels` are those that topics had before the tree was changed by hand: they keep them. */
export function drawnTree(tree: readonly Topic[], names: Names, labels: Names = new Map()): DrawnTopic[] {
  return tree.map((topic) => {
    const { layer, index, share, weight, relevant } = topic;
    const name = names.get(key(layer, index));
    const label = labels.get(key(layer, index)) ?? topic.label;
    return {
      layer,
      index,
      title: name ?? label,
      named: name !== undefined,
      share,
      weight,
      words: relevant.map(({ term }) => term),
      children: drawnTree(shownChildren(topic), names, labels),
    };
  });
}

const standIn = ({ children }: Topic) => (children.length === 1 && children[0].weight! >= standsFor ? children[0] : undefined);

export function shownChildren(topic: Topic): Topic[] {
  const hidden = standIn(topic);
  return hidden ? shownChildren(hidden) : topic.children;
}

/** The topics that stand for one in the layers below, the lowest first; undefined unless they reach the lowest. */
export function standsOf(topic: Topic): number[] | undefined {
  const found: number[] = [];
  let at: Topic | undefined = topic;
  while (at && at.layer > 0) {
    at = standIn(at);
    if (at) found.unshift(at.index);
  }
  return at && found.length > 0 ? found : undefined;
}

export interface Link {
  layer: number;
  index: number;
  title: string;
  weight: number;
}

export interface ShownDocument {
  index: number;
  name: string;
  weight: number;
  date?: string;
  label?: string;
  excerpt: Segment[];
}

export interface Course {
  field: Field;
  groups: { name: string; documents: number; share: number }[];
}

export interface TopicView {
  layer: number;
  index: number;
  title: string;
  label: string;
  share: number;
  parents: Link[];
  children: Link[];
  documents: ShownDocument[];
  courses: Course[];
  divisible: boolean;
  /** Other topics of its layer. */
  siblings: { index: number; title: string }[];
}

/** Everything about factors that several questions need, made once. */
export class Reading {
  readonly tree: Topic[];
  private readonly all = new Map<string, Topic>();
  private readonly products: Matrix[];
  private fields?: [Field, GroupShares][];

  constructor(
    readonly factors: Factors,
    readonly around: Surroundings,
    readonly names: Names,
    private readonly labels: Names = new Map(),
  ) {
    this.tree = fullTree(factors, around);
    this.products = topicProducts(factors.A.slice(0, factors.S.length));
    const take = (topic: Topic) => {
      this.all.set(key(topic.layer, topic.index), topic);
      topic.children.forEach(take);
    };
    this.tree.forEach(take);
  }

  topic(layer: number, index: number): Topic {
    const found = this.all.get(key(layer, index));
    if (!found) throw new InputError('This topic is no longer in the tree.');
    return found;
  }

  label(layer: number, index: number): string {
    return this.labels.get(key(layer, index)) ?? this.topic(layer, index).label;
  }

  title(layer: number, index: number): string {
    return this.names.get(key(layer, index)) ?? this.label(layer, index);
  }

  /** Of every topic. */
  allLabels(): Map<string, string> {
    return new Map([...this.all.values()].map(({ layer, index }) => [key(layer, index), this.label(layer, index)]));
  }

  drawn(): DrawnTopic[] {
    return drawnTree(this.tree, this.names, this.labels);
  }

  product(layer: number): Matrix {
    return this.products[layer];
  }

  /** φ: the part of a topic that each term makes up. */
  distribution(layer: number, index: number): Float64Array {
    const Psi = this.products[layer];
    const sum = columnSum(Psi, index);
    return Float64Array.from({ length: Psi.rows }, (_, i) => (sum > 0 ? Psi.data[i * Psi.cols + index] / sum : 0));
  }

  words(layer: number, index: number, lambda: number, count: number): TopicTerm[] {
    const { overall, terms } = this.around;
    return relevantTerms(this.distribution(layer, index), overall ?? this.overall(), terms, count, lambda);
  }

  /** Where no corpus is at hand: the part of the reconstruction of the lowest layer. */
  private overall(): number[] {
    const [Psi] = this.products;
    const [S] = this.factors.S;
    const masses = Array.from({ length: Psi.cols }, (_, t) => rowSum(S, t));
    const sums = Array.from({ length: Psi.rows }, (_, i) => masses.reduce((sum, mass, t) => sum + mass * Psi.data[i * Psi.cols + t], 0));
    const total = sums.reduce((a, b) => a + b, 0);
    return sums.map((sum) => (total > 0 ? sum / total : 0));
  }

  /** The terms by which a document of the topic is known. */
  private tokens(layer: number, index: number): Set<string> {
    return new Set(this.words(layer, index, 0.6, 30).map(({ term }) => term));
  }

  view(layer: number, index: number): TopicView {
    const topic = this.topic(layer, index);
    const { A, S } = this.factors;
    return {
      layer,
      index,
      title: this.title(layer, index),
      label: this.label(layer, index),
      share: topic.share,
      ...this.links(layer, index),
      documents: this.typical(topic),
      courses: this.courses(layer, index),
      divisible: shownChildren(topic).length === 0,
      siblings: Array.from({ length: A[layer].cols }, (_, i) => i)
        .filter((i) => i !== index && S.length > layer)
        .map((i) => ({ index: i, title: this.title(layer, i) })),
    };
  }

  private links(layer: number, index: number): { parents: Link[]; children: Link[] } {
    const flows = topicFlows({ A: this.factors.A.slice(0, this.factors.S.length), S: this.factors.S });
    const link = (l: number, masses: number[]): Link[] => {
      const whole = masses.reduce((sum, mass) => sum + mass, 0);
      return masses
        .map((mass, i) => ({ layer: l, index: i, title: this.title(l, i), weight: whole > 0 ? mass / whole : 0 }))
        .filter(({ weight }) => weight >= 0.005)
        .sort((a, b) => b.weight - a.weight);
    };
    const above = flows[layer];
    const below = flows[layer - 1];
    return {
      parents: above ? link(layer + 1, above.shares[index]) : [],
      children:
        below && !standIn(this.topic(layer, index))
          ? link(
              layer - 1,
              below.shares.map((row) => row[index]),
            )
          : [],
    };
  }

  private typical({ layer, index, documents }: Topic): ShownDocument[] {
    const { documents: texts, reader } = this.around;
    const tokens = this.tokens(layer, index);
    const phi = this.distribution(layer, index);
    const weights = new Map(this.around.terms.map((term, i) => [term, phi[i]]));
    return documents.map(({ name, index: m, weight }) => {
      const text = texts?.[m];
      const sentence =
        text && typicalSentence(readSentences(text.text.slice(0, 20_000), { termsOf: reader.termsOf, locale: reader.language }), weights);
      const excerpt = sentence ? markedBy(shorten(sentence), tokens, reader) : [];
      return { index: m, name, weight, date: text?.date, label: text?.label, excerpt };
    });
  }

  /** A document with the words of a topic marked; with layer −1 with none. */
  document(document: number, layer: number, index: number): Segment[] {
    const text = this.around.documents?.[document].text;
    if (text === undefined) return [];
    return markedBy(
      text.slice(0, 6000) + (text.length > 6000 ? ' …' : ''),
      layer < 0 ? new Set() : this.tokens(layer, index),
      this.around.reader,
    );
  }

  groups(): [Field, GroupShares][] {
    if (this.fields) return this.fields;
    const { documents } = this.around;
    this.fields = [];
    if (!documents) return this.fields;
    const add = (field: Field, values: () => (string | null)[]) => {
      try {
        this.fields!.push([
          field,
          sharesByGroup({ A: this.factors.A.slice(0, this.factors.S.length), S: this.factors.S }, values(), field),
        ]);
      } catch (error) {
        if (!(error instanceof InputError)) throw error; // a field without two values has no course
      }
    };
    add('date', () => periodsOf(documents.map(({ date }) => date ?? null)));
    add('label', () => documents.map(({ label }) => label ?? null));
    return this.fields;
  }

  private courses(layer: number, index: number): Course[] {
    return this.groups().map(([field, { groups, layers }]) => ({
      field,
      groups: groups.slice(0, 60).map(({ name, documents }, g) => ({ name, documents, share: layers[layer][g][index] })),
    }));
  }
}

const longest = 400;
const shorten = (text: string) => (text.length > longest ? `${text.slice(0, longest)} …` : text);
