/** The texts of a corpus as topics need them. */
import { stemmerOf } from '../text/languages.js';
import { type Document, termDocumentMatrix } from '../text/term-document.js';
import { tokenize } from '../text/tokens.js';
import type { Vocabulary } from '../text/vocabulary.js';
import { ngramsOf } from '../text/words.js';

export interface TextReader {
  /** The language of the texts, as a BCP 47 tag. */
  language: string;
  /** The words of each document in their order. */
  tokens(documents: readonly Document[]): string[][];
  /** The terms of each text. */
  termsOf(texts: readonly string[]): (readonly string[])[];
  /** The weight of each term in a text, as a column of X has it. */
  weigh(text: string): Float64Array;
}

/** Reads texts as those of the vocabulary were read. Throws OrthantError where its stems need a package that is not there. */
export async function textReader(vocabulary: Vocabulary): Promise<TextReader> {
  const { language } = vocabulary;
  const { stemming, ngrams } = vocabulary.options;
  const options = { vocabulary, stemmer: stemming === null ? undefined : await stemmerOf(stemming) };
  const named = (texts: readonly string[]) => texts.map((text) => ({ name: '', text }));
  return {
    language,
    tokens: (documents) => tokenize(documents, options),
    termsOf: (texts) => tokenize(named(texts), options).map((words) => ngramsOf(words, ngrams)),
    weigh(text) {
      const { X } = termDocumentMatrix(named([text]), options);
      const weights = new Float64Array(X.rows);
      for (let row = 0; row < X.rows; row++) if (X.rowStarts[row + 1] > X.rowStarts[row]) weights[row] = X.values[X.rowStarts[row]];
      return weights;
    },
  };
}
