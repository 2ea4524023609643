/** The words of topics: by weight, by relevance, and labels made of them. */
import { checkPositiveInteger, describe } from '../data/check.js';
import { type DataMatrix, isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { relevance } from './relevance.js';

export interface TopicTerm {
  term: string;
  /** The part of the topic that it makes up, φ. */
  weight: number;
  /** The part of the corpus that it makes up, p. */
  overall: number;
}

export interface RelevantTerm extends TopicTerm {
  /** λ ln φ + (1 − λ) ln(φ / p). */
  relevance: number;
}

/** λ of the words in labels, which Sievert and Shirley found best for people who interpret topics. */
export const labelRelevance = 0.6;

/** The part of all entries of X (terms × documents) that each row makes up. */
export function termShares(X: DataMatrix): number[] {
  const sums = new Array<number>(X.rows).fill(0);
  for (let row = 0; row < X.rows; row++) {
    const values = isSparse(X)
      ? X.values.subarray(X.rowStarts[row], X.rowStarts[row + 1])
      : X.data.subarray(row * X.cols, (row + 1) * X.cols);
    for (const value of values) sums[row] += value;
  }
  const total = sums.reduce((sum, value) => sum + value, 0);
  return sums.map((sum) => (total > 0 ? sum / total : 0));
}

/** The terms that make up most of a topic, heaviest first; terms of weight 0 are left out. */
export function heaviestTerms(phi: ArrayLike<number>, overall: readonly number[], terms: readonly string[], count: number): TopicTerm[] {
  return weighted(phi, overall, terms)
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, count);
}

/**
 * The most relevant terms of a topic, λ ln φ + (1 − λ) ln(φ / p), most relevant first. With λ = 1 they are the heaviest, with λ = 0 those
 * that the topic has more of than the corpus, rare ones above all.
 *
 * Sievert, Shirley: LDAvis, a method for visualizing and interpreting topics, 2014.
 *
 * @param phi The part of the topic that each term makes up. @param overall The part of the corpus that it makes up.
 * @throws InputError for λ outside [0, 1].
 */
export function relevantTerms(
  phi: ArrayLike<number>,
  overall: readonly number[],
  terms: readonly string[],
  count: number,
  lambda: number,
): RelevantTerm[] {
  checkRelevance(lambda);
  checkPositiveInteger('count', count);
  return weighted(phi, overall, terms)
    .filter((one) => one.overall > 0)
    .map((one) => ({ ...one, relevance: relevance(one.weight, one.overall, lambda) }))
    .sort((a, b) => b.relevance - a.relevance || (a.term < b.term ? -1 : 1))
    .slice(0, count);
}

export function checkRelevance(lambda: number): void {
  if (typeof lambda !== 'number' || !(lambda >= 0 && lambda <= 1))
    throw new InputError(
      `relevance must be a number from 0 (words that the topic alone has) to 1 (its heaviest words), not ${describe(lambda)}.`,
      { option: 'relevance' },
    );
}

function weighted(phi: ArrayLike<number>, overall: readonly number[], terms: readonly string[]): TopicTerm[] {
  return terms.flatMap((term, i) => (phi[i] > 0 ? [{ term, weight: phi[i], overall: overall[i] }] : []));
}

/** A topic that needs a label. */
export interface Unlabelled {
  layer: number;
  /** Its words from the most relevant on. */
  words: readonly string[];
  /** A label that is given. */
  name?: string;
}

/** Words of a label. */
const labelWords = 3;

/**
 * A label for each topic, in the order given: its three most relevant words, but
 *
 * - no two forms of one word, such as job and jobs;
 * - first a word that no other label of the layer begins with, as long as there is one;
 * - no label twice: the last word gives way to the next one, and when there is none left, a number follows.
 */
export function topicLabels(topics: readonly Unlabelled[]): string[] {
  const taken = new Set<string>(topics.flatMap(({ name }) => (name === undefined ? [] : [name])));
  const first = new Set<string>();
  return topics.map(({ layer, words, name }) => {
    if (name !== undefined) return name;
    const forms = words.filter((word, i) => !words.slice(0, i).some((before) => isForm(word, before)));
    const head = forms.find((word) => !first.has(`${layer} ${word}`)) ?? forms[0];
    if (head !== undefined) first.add(`${layer} ${head}`);
    const rest = forms.filter((word) => word !== head);
    const label = firstNew(candidates(head, rest), taken);
    taken.add(label);
    return label;
  });
}

function firstNew(labels: Iterable<string>, taken: ReadonlySet<string>): string {
  for (const label of labels) if (!taken.has(label)) return label;
  throw new Error('There is always another number.');
}

/** Labels, the best first, without end. */
function* candidates(head: string | undefined, rest: readonly string[]): Iterable<string> {
  if (head === undefined) {
    yield '(empty)';
    for (let n = 2; ; n++) yield `(empty ${n})`;
  }
  const middle = rest.slice(0, labelWords - 2);
  const lasts = rest.slice(labelWords - 2);
  for (const last of lasts.length > 0 ? lasts : [undefined]) yield [head, ...middle, last].filter(Boolean).join(' · ');
  const plain = [head, ...rest.slice(0, labelWords - 1)].join(' · ');
  for (let n = 2; ; n++) yield `${plain} (${n})`;
}

/** Whether two words are forms of one: one begins with the other, or with all but the last letter of it, and is at most three longer. */
function isForm(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length < 3) return short === long;
  return long.length - short.length <= 3 && long.startsWith(short.length > 4 ? short.slice(0, -1) : short);
}
