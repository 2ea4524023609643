/** The terms of a corpus and all that turns other texts into columns of the same rows: plain JSON, kept with a model. */
import { describe, quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import type { TextModel } from './text-model.js';
import { type WordOptions, type WordSettings, wordReader } from './words.js';

/** Of N terms. */
export interface Vocabulary extends TextModel {
  /** ln((1 + M) / (1 + documents with the term)) + 1 for each term, of the corpus that the vocabulary was made of; null for counts. */
  idf: number[] | null;
  weighting: Weighting;
  /** A BCP 47 tag. */
  language: string;
  options: VocabularyOptions;
}

/** How texts become words and numbers. A type and no interface, so that it is a Record of anything, too. */
export type VocabularyOptions = Omit<WordSettings, 'language'> & {
  /** Counts c enter as 1 + ln c. */
  sublinear: boolean;
};

export type Weighting = 'tfidf' | 'counts' | 'binary';

export const weightings: readonly Weighting[] = ['tfidf', 'counts', 'binary'];

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((one) => typeof one === 'string');
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of a vocabulary, and whether a value can stand there. */
const fields: Record<string, (value: unknown, vocabulary: Record<string, unknown>) => boolean> = {
  terms: (terms) => isTexts(terms) && terms.length > 0 && new Set(terms).size === terms.length,
  weighting: (weighting) => weightings.includes(weighting as Weighting),
  idf: (idf, { terms, weighting }) =>
    weighting === 'tfidf'
      ? Array.isArray(idf) && idf.length === (terms as string[]).length && idf.every((one) => Number.isFinite(one) && one > 0)
      : idf === null,
  language: (value) => typeof value === 'string' && isLanguage(value),
  options: isRecord,
  'options.sublinear': (value) => typeof value === 'boolean',
  'options.preset': (value) => value === 'topics' || value === 'sklearn',
  'options.stopWords': isTexts,
  'options.keepWords': isTexts,
  'options.minLength': (value) => value === null || (Number.isInteger(value) && (value as number) > 0),
  'options.ngrams': (value) => Array.isArray(value) && value.length === 2 && value.every((n) => Number.isInteger(n) && n >= 1 && n <= 10),
  'options.stemming': (value) => value === null || typeof value === 'string',
};

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** The vocabulary, if it is one: it may have come from a file. Throws InputError that names the first field that cannot be. */
export function checkVocabulary(given: unknown): Vocabulary {
  const place = { option: 'vocabulary' };
  if (!isRecord(given)) throw new InputError(`vocabulary must be one that termDocumentMatrix returned, not ${describe(given)}.`, place);
  for (const [name, fits] of Object.entries(fields)) {
    const [field, inner] = name.split('.');
    const value = inner === undefined ? given[field] : (given[field] as Record<string, unknown>)[inner];
    if (fits(value, given)) continue;
    throw new InputError(`The vocabulary cannot be used: its field ${quoted(name)} cannot be ${describe(value)}.`, place);
  }
  return given as unknown as Vocabulary;
}

/** Reads texts into words as they were read for the vocabulary. Of the options it takes the stemmer alone, and throws for others. */
export function wordsOfVocabulary(vocabulary: Vocabulary, options: WordOptions): (text: string) => string[] {
  const { stemmer, ...others } = options;
  refuseOthers(others);
  const { language, options: words } = checkVocabulary(vocabulary);
  return wordReader({ ...words, language }, stemmer);
}

/** Throws InputError for options beside a vocabulary, which has its own. */
export function refuseOthers(others: object): void {
  const [name] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined) throw new InputError(`${name} is settled by the vocabulary; leave it out.`, { option: name });
}
