import { checkPositiveInteger, describe } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { type SparseMatrix, sparseTranspose } from '../data/sparse.js';
import { InputError, ShapeError } from '../errors.js';

export interface Document {
  name: string;
  text: string;
  /** Its class, where it has one. */
  label?: string;
  /** When it was written, as the source has it. */
  date?: string;
}

export interface TermOptions {
  /** The language, for lower case and for words in scripts without spaces; default 'en'. */
  locale?: string;
  /** Words left out, instead of `englishStopWords`; extend those with [...englishStopWords, 'congress']. */
  stopWords?: Iterable<string>;
  /** Fewest characters of a word; default 3 (choose 1 or 2 for Chinese or Japanese). */
  minLength?: number;
  /** A term must be in at least so many documents; default max(2, 2 % of them), and 1 below ten documents. */
  minDocuments?: number;
  /** A term must be in at most this share of the documents; default 0.5. Terms in more say little about any one topic. */
  maxDocumentFraction?: number;
  /** At most so many terms, those of the largest total tf-idf weight over documents scaled to unit length; default 2000. */
  maxTerms?: number;
  /** 'tfidf' (default): counts × (ln((1 + M) / (1 + documents with the term)) + 1), each column of unit L2 norm; or 'counts'. */
  weighting?: 'tfidf' | 'counts';
}

const termOptionNames = Object.keys({
  locale: true,
  stopWords: true,
  minLength: true,
  minDocuments: true,
  maxDocumentFraction: true,
  maxTerms: true,
  weighting: true,
} satisfies Record<keyof TermOptions, true>);

export interface TermDocumentMatrix {
  /** N terms × M documents, ≥ 0, of which only the terms that a document has are stored. */
  X: SparseMatrix;
  /** The terms, sorted: the names of the rows. */
  terms: string[];
  /** The names of the documents, in the order given: the names of the columns. */
  documents: string[];
  /** The names of documents without any of the terms; their columns are 0. */
  emptyDocuments: string[];
}

/** English function words: the English list of the npm package `stopword`, and those it lacks, old-fashioned ones among them. */
export const englishStopWords: ReadonlySet<string> = new Set(
  `a about above after again against all also am an and another any are as at be because been before being below between both but by
  came can cannot come could did do does doing down during each for from further get got had has hath have he her here hers herself
  him himself his how i if in into is it itself just like make many may me might more most much must my myself never nor now of off on
  once only or other our ours ourselves out over own per said same shall she should since some still such take than that the thee
  their theirs them themselves then there these they this those thou through thus thy to too under until unto up upon us very was way
  we well were what where which while who whom why with would you your yours yourself yourselves`.split(/\s+/),
);

/**
 * The term–document matrix of a corpus: terms are rows, documents columns.
 *
 * Words are runs of letters and digits with at least one letter; text is first put in NFKC form and lower case, and the clitics
 * 's, 're, n't, … are cut off. The same documents and options give the same matrix.
 * Throws InputError for an empty corpus, one without any word, thresholds that leave no term, and options out of range.
 */
export function termDocumentMatrix(documents: readonly Document[], options: TermOptions = {}): TermDocumentMatrix {
  checkNames('termDocumentMatrix', options, termOptionNames);
  checkDocuments(documents);
  const M = documents.length;
  if (M === 0) throw new InputError('The corpus has no documents; at least one is needed.');
  const { minDocuments = M < 10 ? 1 : Math.max(2, Math.ceil(0.02 * M)), maxDocumentFraction = 0.5, maxTerms = 2000 } = options;
  const { weighting = 'tfidf' } = options;
  checkPositiveInteger('minDocuments', minDocuments);
  checkPositiveInteger('maxTerms', maxTerms);
  if (!(maxDocumentFraction > 0 && maxDocumentFraction <= 1)) {
    const what = `maxDocumentFraction must be more than 0 and at most 1, not ${describe(maxDocumentFraction)}.`;
    throw new InputError(what, { option: 'maxDocumentFraction' });
  }
  if (weighting !== 'tfidf' && weighting !== 'counts') {
    throw new InputError(`weighting must be 'tfidf' or 'counts', not ${describe(weighting)}.`, { option: 'weighting' });
  }

  const counts = countWords(documents, options);
  const spread = new Map<string, number>();
  for (const words of counts) for (const word of words.keys()) spread.set(word, (spread.get(word) ?? 0) + 1);
  if (spread.size === 0) {
    throw new InputError(`No document has a word that counts: all ${M} are empty, or hold only stop words, short words and numbers.`);
  }
  const candidates = new Map([...spread].filter(([, n]) => n >= minDocuments && n <= maxDocumentFraction * M));
  if (candidates.size === 0) {
    throw new InputError(
      `None of the ${spread.size} words is in at least ${minDocuments} and at most ${Math.floor(maxDocumentFraction * M)} of the ${M} documents; ` +
        `lower minDocuments (${minDocuments}) or raise maxDocumentFraction (${maxDocumentFraction}).`,
      { option: 'minDocuments' },
    );
  }
  const idf = new Map([...candidates].map(([term, n]) => [term, Math.log((1 + M) / (1 + n)) + 1]));
  const terms = heaviestTerms(counts, idf, maxTerms);
  const rowOf = new Map(terms.map((term, row) => [term, row]));

  const columns = counts.map((words) => weigh(words, rowOf, weighting === 'tfidf' ? idf : undefined));
  const emptyDocuments = documents.filter((_, j) => columns[j].length === 0).map(({ name }) => name);
  const X = sparseTranspose(documentRows(columns, rowOf));
  return { X, terms, documents: documents.map(({ name }) => name), emptyDocuments };
}

function checkDocuments(documents: readonly Document[]): void {
  if (!Array.isArray(documents)) throw new InputError(`The corpus must be a list of documents, not ${describe(documents)}.`);
  documents.forEach((document, j) => {
    if (typeof document !== 'object' || document === null)
      throw new InputError(`Document ${j} must be { name, text }, not ${describe(document)}.`);
    if (typeof document.text !== 'string')
      throw new InputError(`The document ${describe(document.name)} has no text: a string is needed, not ${describe(document.text)}.`);
  });
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

/** How often each word is in each document. */
function countWords(documents: readonly Document[], options: TermOptions): Map<string, number>[] {
  const read = wordReader(options);
  return documents.map(({ text }) => {
    const counts = new Map<string, number>();
    for (const word of read(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  });
}

/** The words of a text that count, in their order. */
export function wordReader(options: TermOptions): (text: string) => string[] {
  const { locale = 'en', stopWords = englishStopWords, minLength = 3 } = options;
  checkPositiveInteger('minLength', minLength);
  if (typeof stopWords !== 'object' || stopWords === null || !(Symbol.iterator in stopWords))
    throw new InputError(`stopWords must be a list of words, not ${describe(stopWords)}.`, { option: 'stopWords' });
  const wordsOf = splitter(locale);
  const stop = new Set(Array.from(stopWords, (word) => word.normalize('NFKC').toLocaleLowerCase(locale)));
  const kept = (word: string) => word.length >= minLength && letter.test(word) && !stop.has(word);
  const known = new Map<string, string[]>(); // a run is looked at once, however often it comes

  return (text) =>
    (text.normalize('NFKC').toLocaleLowerCase(locale).match(runs) ?? []).flatMap((run) => {
      let words = known.get(run);
      if (words === undefined) {
        words = wordsOf(run).filter(kept);
        known.set(run, words);
      }
      return words;
    });
}

// At most nine apostrophes: V8 has no room for a group that is repeated a million times.
const runs = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+){0,9}/gu;
const letter = /\p{L}/u;
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const clitic = /(?:n't|'(?:s|d|m|ll|re|ve))$/;

/**
 * The words in a run of letters, most often one. Intl.Segmenter finds them only where a script has no spaces between them: on
 * spaced text it finds practically the same words, hundreds of times slower (72 s against 0.1 s for the addresses of `sotu`).
 */
function splitter(locale: string): (run: string) => string[] {
  try {
    Intl.getCanonicalLocales(locale);
  } catch {
    throw new InputError(`The locale ${describe(locale)} is not a language tag such as 'en' or 'de-AT'.`, { option: 'locale' });
  }
  let segmenter: Intl.Segmenter | undefined;
  return (run) => {
    if (!unspaced.test(run)) return [run.replaceAll('’', "'").replace(clitic, '')];
    segmenter ??= new Intl.Segmenter(locale, { granularity: 'word' });
    // Its time grows faster than the length of a run, and no run of a text is so long.
    const parts = run.match(/.{1,500}/gsu) ?? [];
    return parts.flatMap((part) => Array.from(segmenter!.segment(part), ({ segment }) => segment));
  };
}

/** The weights of one document's terms: counts, or counts × idf scaled to unit length. Words that are no term are left out. */
function weigh(words: Map<string, number>, terms: { has(word: string): boolean }, idf?: Map<string, number>): [string, number][] {
  const column: [string, number][] = [];
  let norm2 = 0;
  for (const [term, count] of words) {
    if (!terms.has(term)) continue;
    const weight = count * (idf?.get(term) ?? 1);
    norm2 += weight * weight;
    column.push([term, weight]);
  }
  if (idf) for (const entry of column) entry[1] /= Math.sqrt(norm2);
  return column;
}

/** Documents × terms. */
function documentRows(columns: readonly [term: string, weight: number][][], rowOf: ReadonlyMap<string, number>): SparseMatrix {
  const entries = columns.flatMap((column) =>
    column.map(([term, weight]) => ({ at: rowOf.get(term) as number, weight })).sort((a, b) => a.at - b.at),
  );
  const rowStarts = new Uint32Array(columns.length + 1);
  columns.forEach(({ length }, j) => {
    rowStarts[j + 1] = rowStarts[j] + length;
  });
  return {
    rows: columns.length,
    cols: rowOf.size,
    rowStarts,
    columns: Uint32Array.from(entries, ({ at }) => at),
    values: Float32Array.from(entries, ({ weight }) => weight),
  };
}

/** The `maxTerms` terms of the largest total weight, sorted. Documents count alike, whatever their length. */
function heaviestTerms(counts: Map<string, number>[], idf: Map<string, number>, maxTerms: number): string[] {
  const total = new Map<string, number>();
  for (const words of counts) for (const [term, weight] of weigh(words, idf, idf)) total.set(term, (total.get(term) ?? 0) + weight);
  return [...total]
    .sort(([a, weightA], [b, weightB]) => weightB - weightA || (a < b ? -1 : 1))
    .slice(0, maxTerms)
    .map(([term]) => term)
    .sort();
}
