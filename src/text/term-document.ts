import { checkPositiveInteger, describe } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { type SparseMatrix, sparseTranspose } from '../data/sparse.js';
import { InputError, ShapeError } from '../errors.js';
import { checkDocuments, type Document } from './documents.js';
import { refuseOthers, type Vocabulary, type Weighting, weightings, wordsOfVocabulary } from './vocabulary.js';
import { ngramsOf, type WordOptions, wordOptionNames, wordReader, wordSettings } from './words.js';

export type { Document } from './documents.js';
export { englishStopWords } from './english.js';

/** Options of the terms. In brackets the defaults of `preset: 'sklearn'` where they differ from those of 'topics'. */
export interface TermOptions extends WordOptions {
  /** A term must be in at least so many documents; default max(2, 2 % of them), and 1 below ten documents [1]. */
  minDocuments?: number;
  /** A term must be in at least this share of the documents, above 0 and at most 1. With it the default of minDocuments is 1. */
  minDocumentFraction?: number;
  /** A term must be in at most so many documents; default: any number. */
  maxDocuments?: number;
  /** A term must be in at most this share of the documents; default 0.5 [1]. Terms in more say little about any one topic. */
  maxDocumentFraction?: number;
  /**
   * At most so many terms, those of the largest total tf-idf weight over documents scaled to unit length; default 2000 [any number, and
   * the most frequent terms].
   */
  maxTerms?: number;
  /**
   * - 'tfidf' (default): counts × (ln((1 + M) / (1 + documents with the term)) + 1), each column of unit L2 norm.
   * - 'counts': how often a document has the term.
   * - 'binary': 1 where a document has the term.
   */
  weighting?: Weighting;
  /** Counts c enter tf-idf as 1 + ln c; default false. */
  sublinear?: boolean;
  /**
   * The vocabulary of another matrix: the rows are its terms, with its idf, and words are read as they were for it. Of the other options
   * only `stemmer` is taken.
   */
  vocabulary?: Vocabulary;
}

const termOptionNames = [
  ...wordOptionNames,
  ...Object.keys({
    minDocuments: true,
    minDocumentFraction: true,
    maxDocuments: true,
    maxDocumentFraction: true,
    maxTerms: true,
    weighting: true,
    sublinear: true,
    vocabulary: true,
  } satisfies Record<Exclude<keyof TermOptions, keyof WordOptions>, true>),
];

export interface TermDocumentMatrix {
  /** N terms × M documents, ≥ 0, of which only the terms that a document has are stored. */
  X: SparseMatrix;
  /** The terms, sorted: the names of the rows. */
  terms: string[];
  /** The names of the documents, in the order given: the names of the columns. */
  documents: string[];
  /** The names of documents without any of the terms; their columns are 0. */
  emptyDocuments: string[];
  /** What turns other texts into columns of the same rows: plain JSON. */
  vocabulary: Vocabulary;
}

type Counts = Map<string, number>;

/**
 * The term–document matrix of a corpus: terms are rows, documents columns. The same documents and options give the same matrix.
 *
 * `preset: 'sklearn'` gives what scikit-learn's TfidfVectorizer gives by default (transposed), and with `weighting: 'counts'` its
 * CountVectorizer.
 *
 * @throws InputError for an empty corpus, one without any word, thresholds that leave no term, and options out of range.
 */
export function termDocumentMatrix(documents: readonly Document[], options: TermOptions = {}): TermDocumentMatrix {
  checkNames('termDocumentMatrix', options, termOptionNames);
  checkDocuments(documents);
  if (documents.length === 0) throw new InputError('The corpus has no documents; at least one is needed.');
  if (options.vocabulary !== undefined) return byVocabulary(documents, options.vocabulary, options);
  const bounds = termBounds(documents.length, options);
  const { weighting = 'tfidf', sublinear = false } = options;
  checkWeighting(weighting, sublinear);
  const words = wordSettings(options);
  const read = wordReader(words, options.stemmer);
  const counts = documents.map(({ text }) => countsOf(ngramsOf(read(text), words.ngrams)));

  const keep = new Set(words.keepWords);
  const candidates = candidateTerms(counts, bounds, keep, options);
  const idf = new Map([...candidates].map(([term, n]) => [term, Math.log((1 + documents.length) / (1 + n)) + 1]));
  const weights = words.preset === 'topics' ? idf : undefined;
  const terms = heaviestTerms(counts, candidates, weights, keep, bounds.maxTerms);
  const { language, ...settings } = words;
  const vocabulary: Vocabulary = {
    terms,
    idf: weighting === 'tfidf' ? terms.map((term) => idf.get(term)!) : null,
    weighting,
    language,
    options: { ...settings, sublinear },
  };
  return matrixOf(documents, counts, vocabulary);
}

function byVocabulary(documents: readonly Document[], vocabulary: Vocabulary, options: TermOptions): TermDocumentMatrix {
  const { vocabulary: _, stemmer, ...others } = options;
  refuseOthers(others);
  const read = wordsOfVocabulary(vocabulary, { stemmer });
  const counts = documents.map(({ text }) => countsOf(ngramsOf(read(text), vocabulary.options.ngrams)));
  return matrixOf(documents, counts, vocabulary);
}

function matrixOf(documents: readonly Document[], counts: readonly Counts[], vocabulary: Vocabulary): TermDocumentMatrix {
  const { terms } = vocabulary;
  const rowOf = new Map(terms.map((term, row) => [term, row]));
  const columns = counts.map((words) => weigh(words, rowOf, vocabulary));
  const emptyDocuments = documents.filter((_, j) => columns[j].length === 0).map(({ name }) => name);
  const X = sparseTranspose(documentRows(columns, terms.length));
  return { X, terms, documents: documents.map(({ name }) => name), emptyDocuments, vocabulary };
}

function checkWeighting(weighting: Weighting, sublinear: boolean): void {
  if (!weightings.includes(weighting))
    throw new InputError(`weighting must be 'tfidf', 'counts' or 'binary', not ${describe(weighting)}.`, { option: 'weighting' });
  if (typeof sublinear !== 'boolean')
    throw new InputError(`sublinear must be true or false, not ${describe(sublinear)}.`, { option: 'sublinear' });
  if (sublinear && weighting !== 'tfidf')
    throw new InputError(`sublinear is for weighting 'tfidf', and does nothing with '${weighting}'; leave it out.`, {
      option: 'sublinear',
    });
}

/** Which words can become terms. */
export interface TermBounds {
  /** A term is in at least so many documents, and in at most so many. */
  from: number;
  to: number;
  /** Infinity where there is no limit. */
  maxTerms: number;
}

/** The bounds of the terms of M documents by these options, defaults included. Throws InputError for options out of range. */
export function termBounds(M: number, options: TermOptions = {}): TermBounds {
  const common = options.preset === 'sklearn';
  const { minDocumentFraction, maxDocuments, maxDocumentFraction = common ? 1 : 0.5 } = options;
  const few = common || minDocumentFraction !== undefined || M < 10;
  const { minDocuments = few ? 1 : Math.max(2, Math.ceil(0.02 * M)), maxTerms = common ? undefined : 2000 } = options;
  checkPositiveInteger('minDocuments', minDocuments);
  if (maxDocuments !== undefined) checkPositiveInteger('maxDocuments', maxDocuments);
  if (maxTerms !== undefined) checkPositiveInteger('maxTerms', maxTerms);
  for (const [option, fraction] of Object.entries({ minDocumentFraction, maxDocumentFraction })) {
    if (fraction === undefined || (fraction > 0 && fraction <= 1)) continue;
    throw new InputError(`${option} must be more than 0 and at most 1, not ${describe(fraction)}.`, { option });
  }
  return {
    from: Math.max(minDocuments, (minDocumentFraction ?? 0) * M),
    to: Math.min(maxDocuments ?? M, maxDocumentFraction * M),
    maxTerms: maxTerms ?? Number.POSITIVE_INFINITY,
  };
}

/** The terms between the bounds, and those to be kept, with the number of documents that have them. */
function candidateTerms(counts: readonly Counts[], { from, to }: TermBounds, keep: ReadonlySet<string>, options: TermOptions): Counts {
  const M = counts.length;
  const spread: Counts = new Map();
  for (const words of counts) for (const word of words.keys()) spread.set(word, (spread.get(word) ?? 0) + 1);
  if (spread.size === 0)
    throw new InputError(
      `No document has a word that counts: ${M === 1 ? 'the only one is empty, or holds' : `all ${M} are empty, or hold`} only stop words, short words and numbers.`,
    );
  const candidates = new Map([...spread].filter(([term, n]) => (n >= from && n <= to) || keep.has(term)));
  if (candidates.size > 0) return candidates;
  const low = options.minDocumentFraction === undefined ? `minDocuments (${from})` : `minDocumentFraction (${options.minDocumentFraction})`;
  const high =
    options.maxDocuments !== undefined && options.maxDocuments <= to
      ? `maxDocuments (${options.maxDocuments})`
      : `maxDocumentFraction (${options.maxDocumentFraction ?? 0.5})`;
  throw new InputError(
    `None of the ${spread.size} words is in at least ${Math.ceil(from)} and at most ${Math.floor(to)} of the ${M} documents; lower ${low} or raise ${high}.`,
    { option: 'minDocuments' },
  );
}

/** The `count` largest entries > 0 of a column of A (N terms × k topics, say), with their terms, largest first. */
export function topTerms(A: Matrix, terms: readonly string[], column: number, count: number): { term: string; weight: number }[] {
  if (terms.length !== A.rows) throw new ShapeError(`A has ${A.rows} rows, but ${terms.length} terms were given; each row needs its term.`);
  if (!Number.isInteger(column) || column < 0 || column >= A.cols) {
    throw new InputError(`Column ${column} is not one of the ${A.cols} columns of A, counted from 0.`);
  }
  checkPositiveInteger('count', count);
  return terms
    .map((term, i) => ({ term, weight: A.data[i * A.cols + column] }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}

function countsOf(terms: readonly string[]): Counts {
  const counts: Counts = new Map();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

type Weighed = [row: number, weight: number][];

/** The weights of one document's terms, in the order of rows. Words that are no term are left out. */
function weigh(counts: Counts, rowOf: ReadonlyMap<string, number>, { weighting, idf, options: { sublinear } }: Vocabulary): Weighed {
  const column: Weighed = [];
  for (const [term, count] of counts) {
    const row = rowOf.get(term);
    if (row === undefined) continue;
    const frequency = sublinear ? 1 + Math.log(count) : count;
    column.push([row, weighting === 'binary' ? 1 : idf === null ? count : frequency * idf[row]]);
  }
  if (weighting === 'tfidf') scaleToUnit(column);
  return column.sort(([a], [b]) => a - b);
}

function scaleToUnit(column: [unknown, number][]): void {
  let norm2 = 0;
  for (const [, weight] of column) norm2 += weight * weight;
  for (const entry of column) entry[1] /= Math.sqrt(norm2);
}

/** Documents × terms. */
function documentRows(columns: readonly Weighed[], terms: number): SparseMatrix {
  const rowStarts = new Uint32Array(columns.length + 1);
  columns.forEach(({ length }, j) => {
    rowStarts[j + 1] = rowStarts[j] + length;
  });
  const entries = columns.flat();
  return {
    rows: columns.length,
    cols: terms,
    rowStarts,
    columns: Uint32Array.from(entries, ([row]) => row),
    values: Float32Array.from(entries, ([, weight]) => weight),
  };
}

/**
 * The `maxTerms` candidates of the largest total, sorted, and those to be kept. The total is that of tf-idf weights where `idf` is given, in
 * which documents count alike whatever their length, else that of counts.
 */
function heaviestTerms(
  counts: readonly Counts[],
  candidates: Counts,
  idf: ReadonlyMap<string, number> | undefined,
  keep: ReadonlySet<string>,
  maxTerms: number,
): string[] {
  if (candidates.size <= maxTerms) return [...candidates.keys()].sort(byCodePoints);
  const total: Counts = new Map();
  for (const words of counts) {
    const column: [string, number][] = [];
    for (const [term, count] of words) if (candidates.has(term)) column.push([term, count * (idf?.get(term) ?? 1)]);
    if (idf) scaleToUnit(column);
    for (const [term, weight] of column) total.set(term, (total.get(term) ?? 0) + weight);
  }
  const first = (term: string) => (keep.has(term) ? 1 : 0);
  return [...total]
    .sort(([a, weightA], [b, weightB]) => first(b) - first(a) || weightB - weightA || (a < b ? -1 : 1))
    .slice(0, Math.max(maxTerms, [...keep].filter((term) => candidates.has(term)).length))
    .map(([term]) => term)
    .sort(byCodePoints);
}

/** The order of Python. That of JavaScript differs where a character has two code units. */
function byCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  if (i >= a.length || i >= b.length) return a.length - b.length;
  const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
  const isHalf = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
  return isHalf(x) === isHalf(y) ? x - y : isHalf(x) ? 1 : -1;
}
