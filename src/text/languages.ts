/** What texts of a language need: its stop words, its stems, and which language they are in. Lists and packages are loaded on demand. */
import { describe, inWords } from '../data/words.js';
import { InputError, OrthantError } from '../errors.js';
import { checkDocuments, type Document } from './documents.js';
import { englishStopWords } from './english.js';
import { type Stemmer, wordReader, wordSettings } from './words.js';

/** The ISO 639-1 code of a language tag, as lists have it. Throws InputError for what is no tag. */
export function languageOf(tag: string): string {
  try {
    const { language } = new Intl.Locale(tag);
    return language === 'nb' || language === 'nn' ? 'no' : language;
  } catch {
    throw new InputError(`The language ${describe(tag)} is not a language tag such as 'en' or 'de-AT'.`, { option: 'language' });
  }
}

/** The English name of a language: 'German' of 'de'. */
export function languageName(tag: string): string {
  return new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? tag;
}

/**
 * The stop words of a language: `englishStopWords`, else the list of stopwords-iso, which has 57 languages. Empty where there is none.
 *
 * @param language A BCP 47 tag.
 */
export async function stopWordsOf(language: string): Promise<string[]> {
  const code = languageOf(language);
  if (code === 'en') return [...englishStopWords];
  const { lists } = await import('./stop-words.generated.js');
  return Object.hasOwn(lists, code) ? lists[code].split(' ') : [];
}

const stemmed: Readonly<Record<string, string>> = {
  ar: 'arabic',
  hy: 'armenian',
  eu: 'basque',
  ca: 'catalan',
  cs: 'czech',
  da: 'danish',
  nl: 'dutch',
  en: 'english',
  fi: 'finnish',
  fr: 'french',
  de: 'german',
  hu: 'hungarian',
  ga: 'irish',
  it: 'italian',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sl: 'slovene',
  es: 'spanish',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
};

/**
 * The Snowball stemmer of a language, of the package snowball-stemmers.
 *
 * @param language A BCP 47 tag.
 * @throws InputError for a language without a stemmer; OrthantError where the package is not installed.
 */
export async function stemmerOf(language: string): Promise<Stemmer> {
  const code = languageOf(language);
  if (!Object.hasOwn(stemmed, code)) {
    const known = inWords(Object.keys(stemmed).sort());
    throw new InputError(`There are no stems for ${languageName(code)} (${code}); there are for ${known}.`, { option: 'language' });
  }
  const { default: snowball } = await import('snowball-stemmers').catch((cause: unknown) => {
    throw new OrthantError('Stems need the package snowball-stemmers: npm install snowball-stemmers', { cause });
  });
  const stemmer = snowball.newStemmer(stemmed[code]);
  return { language: code, stem: (word) => stemmer.stem(word) };
}

export interface DetectedLanguage {
  /** An ISO 639-1 code. */
  language: string;
  /** False where the texts say too little; the language is 'en' then. */
  sure: boolean;
}

/** Characters that are looked at, from the beginnings of documents all over the corpus. */
const sampled = 20_000;

/**
 * The language that most of the documents are in. Trigrams (the package franc-min) score the candidates; of these it is the one with
 * the largest product of score and share of its stop words among the words. Texts in which no list finds a tenth of the words say too little, unless their script has
 * one language.
 */
export async function detectLanguage(documents: readonly Document[]): Promise<DetectedLanguage> {
  checkDocuments(documents);
  const sample = sampleOf(documents);
  const { francAll } = await import('franc-min');
  const scores = new Map<string, number>(); // 1 for the nearest trigrams
  for (const [code, score] of francAll(sample).slice(0, 6)) if (code !== 'und') scores.set(languageOf(code), score);
  const [first] = scores.keys();
  // A script that one language has: Thai, kana, Hangul, … Chinese is what is written in Han characters alone.
  if (scores.size === 1 && /[^\p{sc=Latn}\p{sc=Cyrl}\p{sc=Arab}\p{Z}\p{P}]/u.test(sample)) return { language: first, sure: true };
  if (!scores.has('en')) scores.set('en', 0.5);
  let best: DetectedLanguage = { language: 'en', sure: false };
  let largest = 0;
  for (const [language, score] of scores) {
    const part = stopWordShare(sample, language, await stopWordsOf(language));
    if (part > 0.1 && part * score > largest) [best, largest] = [{ language, sure: true }, part * score];
  }
  return best;
}

function sampleOf(documents: readonly Document[]): string {
  const step = Math.max(1, Math.ceil(documents.length / 50));
  const chosen = documents.filter((_, i) => i % step === 0);
  const each = Math.max(200, Math.ceil(sampled / chosen.length));
  return chosen.map(({ text }) => text.slice(0, each)).join('\n');
}

function stopWordShare(text: string, language: string, stopWords: readonly string[]): number {
  const words = wordReader(wordSettings({ language, stopWords: [], minLength: 1 }))(text);
  const stop = new Set(stopWords);
  return words.length === 0 ? 0 : words.filter((word) => stop.has(word)).length / words.length;
}
