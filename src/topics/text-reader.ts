/** The texts of a corpus as topics need them. */
import type { SparseMatrix } from '../data/sparse.js';
import type { Document, TermOptions } from '../text/term-document.js';
import { tokenize } from '../text/tokens.js';

export interface TextReader {
  /** The language of the texts, as a BCP 47 tag. */
  language: string;
  /** The words of each document in their order. */
  tokens(documents: readonly Document[]): string[][];
  /** The terms of each text. */
  termsOf(texts: readonly string[]): string[][];
  /** The weight of each term in a text, as a column of X has it. */
  weigh(text: string): Float64Array;
}

/** Reads texts as those of the matrix were read: `options` are those that it was made with. */
export function textReader({ X, terms }: { X: SparseMatrix; terms: readonly string[] }, options: TermOptions = {}): TextReader {
  const { locale, stopWords, minLength } = options;
  const read = (texts: readonly Document[]) => tokenize(texts, { locale, stopWords, minLength });
  const termsOf = (texts: readonly string[]) => read(texts.map((text) => ({ name: '', text })));
  return {
    language: locale ?? 'en',
    tokens: read,
    termsOf,
    weigh(text) {
      const [words] = termsOf([text]);
      const rowOf = new Map(terms.map((term, row) => [term, row]));
      const weights = new Float64Array(terms.length);
      for (const word of words) {
        const row = rowOf.get(word);
        if (row !== undefined) weights[row] += Math.log((1 + X.cols) / (1 + X.rowStarts[row + 1] - X.rowStarts[row])) + 1;
      }
      return weights;
    },
  };
}
