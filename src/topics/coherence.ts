/** How well the words of a topic go together in texts, as gensim's CoherenceModel measures it, and how different topics are. */
import { checkPositiveInteger, describe } from '../data/check.js';
import { inWords, quoted } from '../data/words.js';
import { InputError } from '../errors.js';

export type CoherenceMeasure = 'uMass' | 'cUci' | 'cNpmi' | 'cV';

/** The measures of one topic; null where it has fewer than two words. */
export type Coherence = Record<CoherenceMeasure, number | null>;

export interface CoherenceOptions {
  /** Tokens of a window for C_UCI and C_NPMI; default 10. A shorter document is one window. */
  window?: number;
  /** Tokens of a window for C_V; default 110. */
  windowOfCv?: number;
}

/** Added to every probability of a pair, as gensim does. */
const epsilon = 1e-12;

/**
 * The coherence of each list of words, the topic's words from the heaviest on. `tokens` has the words of each document in their order.
 *
 * With P(w) the part of the windows (for UMass: of the documents) that have w, P(v, w) the part that has both, and ε = 1e-12:
 *
 * - UMass: the mean of ln((P(v, w) + ε) / P(w)) over all v that come after w in the list.
 * - C_UCI: the mean of PMI(v, w) = ln((P(v, w) + ε) / (P(v) P(w))) over all pairs v ≠ w, windows of 10 tokens.
 * - C_NPMI: the mean of NPMI(v, w) = PMI(v, w) / −ln(P(v, w) + ε) over the same.
 * - C_V: each word's vector of its NPMI with every word of the topic, itself among them, windows of 110 tokens; the mean cosine of these
 *   vectors with their sum.
 *
 * A window starts at every token that has enough tokens after it, so that a document of n tokens has max(1, n − size + 1) windows. A word
 * is in a window or not, however often. gensim's code (4.2) forgets a word as soon as one of several occurrences has left the window: where
 * words repeat within a window that is shorter than the document it counts too few windows, and its C_UCI, C_NPMI and C_V differ.
 *
 * Röder, Both, Hinneburg: Exploring the Space of Topic Coherence Measures, WSDM 2015; gensim 4.2, topic_coherence/.
 *
 * @throws InputError for no documents, a word that is in none of them, a word twice in one topic, windows that are no positive integers.
 */
export function topicCoherence(
  topics: readonly (readonly string[])[],
  tokens: readonly (readonly string[])[],
  { window = 10, windowOfCv = 110 }: CoherenceOptions = {},
): Coherence[] {
  checkPositiveInteger('window', window);
  checkPositiveInteger('windowOfCv', windowOfCv);
  if (tokens.length === 0) throw new InputError('There are no documents; coherence is measured in at least one.');
  for (const words of topics) checkWords(words);
  const ids = new Map([...new Set(topics.flat())].map((word, id) => [word, id]));
  const documents = tokens.map((words) => occurrences(words, ids));
  const whole = countWindows(documents, ids.size, Number.POSITIVE_INFINITY);
  const absent = [...ids].filter(([, id]) => whole.of(id, id) === 0).map(([word]) => quoted(word));
  if (absent.length > 0) {
    const named = absent.length > 5 ? [...absent.slice(0, 4), `${absent.length - 4} more`] : absent;
    throw new InputError(`${inWords(named)} ${absent.length === 1 ? 'is' : 'are'} in no document; leave out words that are no tokens.`);
  }
  const near = countWindows(documents, ids.size, window);
  const far = countWindows(documents, ids.size, windowOfCv);
  return topics.map((words) => {
    const own = words.map((word) => ids.get(word)!);
    if (own.length < 2) return { uMass: null, cUci: null, cNpmi: null, cV: null };
    return { uMass: uMass(own, whole), cUci: meanOfPairs(own, near, pmi), cNpmi: meanOfPairs(own, near, npmi), cV: cV(own, far) };
  });
}

/**
 * The part of all words in the lists that are different: 1 where no two topics share a word.
 *
 * Dieng, Ruiz, Blei: Topic Modeling in Embedding Spaces, TACL 2020, which takes the 25 heaviest words of each topic.
 */
export function topicDiversity(topics: readonly (readonly string[])[]): number {
  const all = topics.flat();
  if (all.length === 0) throw new InputError('The topics have no words; diversity is the part of their words that are different.');
  return new Set(all).size / all.length;
}

function checkWords(words: readonly string[]): void {
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string'))
    throw new InputError(`A topic must be a list of words, not ${describe(words)}.`);
  const twice = words.find((word, i) => words.indexOf(word) < i);
  if (twice !== undefined) throw new InputError(`The word ${quoted(twice)} is twice in one topic; give each word once.`);
}

/** A document as the places of the words that count. */
interface Places {
  length: number;
  at: number[];
  id: number[];
}

function occurrences(words: readonly string[], ids: ReadonlyMap<string, number>): Places {
  const at: number[] = [];
  const id: number[] = [];
  words.forEach((word, place) => {
    const found = ids.get(word);
    if (found === undefined) return;
    at.push(place);
    id.push(found);
  });
  return { length: words.length, at, id };
}

interface Counts {
  windows: number;
  /** Windows that have both words; of a word with itself those that have it. */
  of(a: number, b: number): number;
}

/**
 * Counts windows of so many tokens by the words that they have. Between two steps at which a word comes or goes all windows have the same
 * words, so the time follows the occurrences, not the tokens.
 */
function countWindows(documents: readonly Places[], words: number, size: number): Counts {
  const together = new Float64Array(words * words);
  let windows = 0;
  for (const { length, at, id } of documents) {
    const starts = Math.max(1, length - size + 1);
    windows += starts;
    const inside = new Int32Array(words);
    const present: number[] = [];
    let coming = 0; // the next occurrence to come in
    let going = 0; // the next to leave
    for (let start = 0; start < starts; ) {
      for (; coming < at.length && at[coming] < start + size; coming++) if (inside[id[coming]]++ === 0) present.push(id[coming]);
      for (; going < at.length && at[going] < start; going++) if (--inside[id[going]] === 0) present.splice(present.indexOf(id[going]), 1);
      const next = Math.min(starts, coming < at.length ? at[coming] - size + 1 : starts, going < coming ? at[going] + 1 : starts);
      for (const a of present) for (const b of present) together[a * words + b] += next - start;
      start = next;
    }
  }
  return { windows, of: (a, b) => together[a * words + b] };
}

function uMass(words: readonly number[], { windows, of }: Counts): number {
  const confirmed = words.flatMap((v, i) => words.slice(0, i).map((w) => Math.log((of(v, w) / windows + epsilon) / (of(w, w) / windows))));
  return mean(confirmed);
}

function pmi(a: number, b: number, { windows, of }: Counts): number {
  return Math.log((of(a, b) / windows + epsilon) / ((of(a, a) / windows) * (of(b, b) / windows)));
}

function npmi(a: number, b: number, counts: Counts): number {
  return pmi(a, b, counts) / -Math.log(counts.of(a, b) / counts.windows + epsilon);
}

function meanOfPairs(words: readonly number[], counts: Counts, measure: typeof pmi): number {
  return mean(words.flatMap((a) => words.filter((b) => b !== a).map((b) => measure(a, b, counts))));
}

function cV(words: readonly number[], counts: Counts): number {
  const vectors = words.map((a) => words.map((b) => npmi(a, b, counts)));
  const sum = words.map((_, c) => vectors.reduce((total, vector) => total + vector[c], 0));
  return mean(vectors.map((vector) => dot(vector, sum) / Math.sqrt(dot(vector, vector) * dot(sum, sum))));
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
