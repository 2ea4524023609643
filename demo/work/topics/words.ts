/** The vocabulary of the documents, and what each option leaves out of it. */
import {
  type Document,
  detectLanguage,
  languageName,
  type Stemmer,
  stemmerOf,
  stopWordsOf,
  type TermDocumentMatrix,
  type TermOptions,
  termBounds,
  termDocumentMatrix,
  tokenize,
} from 'orthant/text';

/** The text options of the page; undefined where the default holds. */
export interface TextChoices {
  language?: string;
  stopList: boolean;
  stopWords: string[];
  ngrams: number;
  minDocuments?: number;
  maxDocumentFraction?: number;
  maxTerms?: number;
  stem: boolean;
}

export interface LeftOut {
  count: number;
  /** Some of them, those in most documents first. */
  examples: string[];
}

export interface Effect {
  language: string;
  languageName: string;
  how: 'chosen' | 'detected' | 'assumed';
  documents: number;
  /** Documents with none of the terms. */
  empty: string[];
  terms: number;
  /** The heaviest terms. */
  first: string[];
  /** A term is in at least so many documents, and in at most so many. */
  from: number;
  to: number;
  maxTerms: number;
  stopWords: LeftOut;
  rare: LeftOut;
  frequent: LeftOut;
  beyond: LeftOut;
}

export interface Words {
  matrix: TermDocumentMatrix;
  effect: Effect;
}

/** As `orthant topics` has it. */
export const mostTerms = 1500;
const shown = 60;
const examplesShown = 8;

/** All words of the documents, stop words included, by what they were read with. */
let read: { documents: readonly Document[]; language: string; tokens: string[][] } | undefined;

export async function wordsOf(documents: readonly Document[], choices: TextChoices): Promise<Words> {
  const found = choices.language === undefined ? await detectLanguage(documents) : undefined;
  const language = choices.language ?? found!.language;
  const list = choices.stopList ? await stopWordsOf(language) : [];
  const stemmer = choices.stem ? await stemmerOf(language) : undefined;
  const { ngrams, minDocuments, maxDocumentFraction, maxTerms = mostTerms } = choices;
  const options: TermOptions = {
    language,
    stopWords: [...list, ...choices.stopWords],
    ngrams,
    minDocuments,
    maxDocumentFraction,
    maxTerms,
    stemmer,
  };
  const matrix = termDocumentMatrix(documents, options);
  if (read?.documents !== documents || read.language !== language)
    read = { documents, language, tokens: tokenize(documents, { language, stopWords: [] }) };
  const bounds = termBounds(documents.length, options);
  const stop = new Set(matrix.vocabulary.options.stopWords);
  const counted = documentCounts(read.tokens, stop, stemmer, ngrams);
  const terms = new Set(matrix.terms);
  const left = (accept: (count: number) => boolean) =>
    leftOut([...counted.terms].filter(([term, count]) => !terms.has(term) && accept(count)));
  return {
    matrix,
    effect: {
      language,
      languageName: languageName(language),
      how: found === undefined ? 'chosen' : found.sure ? 'detected' : 'assumed',
      documents: documents.length,
      empty: matrix.emptyDocuments,
      terms: matrix.terms.length,
      first: heaviest(matrix),
      from: Math.ceil(bounds.from),
      to: Math.floor(bounds.to),
      maxTerms,
      stopWords: leftOut([...counted.stopped]),
      rare: left((count) => count < bounds.from),
      frequent: left((count) => count > bounds.to),
      beyond: left((count) => count >= bounds.from && count <= bounds.to),
    },
  };
}

/** In how many documents each stop word and each other term is. */
function documentCounts(tokens: readonly string[][], stop: ReadonlySet<string>, stemmer: Stemmer | undefined, ngrams: number) {
  const [stopped, terms] = [new Map<string, number>(), new Map<string, number>()];
  const stems = new Map<string, string>();
  const stemOf = (word: string) => {
    if (!stemmer) return word;
    const known = stems.get(word) ?? stemmer.stem(word);
    stems.set(word, known);
    return known;
  };
  for (const document of tokens) {
    const [gone, here] = [new Set<string>(), new Set<string>()];
    const kept: string[] = [];
    for (const word of document) {
      if (stop.has(word)) gone.add(word);
      else kept.push(stemOf(word));
    }
    for (let n = 1; n <= ngrams; n++)
      for (let i = 0; i + n <= kept.length; i++) here.add(n === 1 ? kept[i] : kept.slice(i, i + n).join(' '));
    for (const word of gone) stopped.set(word, (stopped.get(word) ?? 0) + 1);
    for (const term of here) terms.set(term, (terms.get(term) ?? 0) + 1);
  }
  return { stopped, terms };
}

function leftOut(words: [string, number][]): LeftOut {
  const examples = words
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, examplesShown)
    .map(([word]) => word);
  return { count: words.length, examples };
}

function heaviest({ X, terms }: TermDocumentMatrix): string[] {
  const weights = terms.map((_, row) => X.values.subarray(X.rowStarts[row], X.rowStarts[row + 1]).reduce((sum, value) => sum + value, 0));
  return terms
    .map((term, row) => ({ term, weight: weights[row] }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, shown)
    .map(({ term }) => term);
}
