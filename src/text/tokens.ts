import { checkNames } from '../data/names.js';
import { checkDocuments, type Document } from './documents.js';
import { type Vocabulary, wordsOfVocabulary } from './vocabulary.js';
import { type WordOptions, wordOptionNames, wordReader, wordSettings } from './words.js';

export interface TokenOptions extends WordOptions {
  /** A vocabulary, instead of the other options but `stemmer`: words are read as they were for it. They need not be terms of it. */
  vocabulary?: Vocabulary;
}

const tokenOptionNames = [...wordOptionNames, 'vocabulary'];

/**
 * The words of each document in the order of its text, as `termDocumentMatrix` counts them: without stop words, short words and what is no
 * word, so that a window of ten is one of ten words that count. Sequences of words (`ngrams`) are not formed.
 *
 * @throws InputError for documents without a text and options out of range.
 */
export function tokenize(documents: readonly Document[], options: TokenOptions = {}): string[][] {
  checkNames('tokenize', options, tokenOptionNames);
  checkDocuments(documents);
  const { vocabulary, ...words } = options;
  const read = vocabulary === undefined ? wordReader(wordSettings(words), words.stemmer) : wordsOfVocabulary(vocabulary, words);
  return documents.map(({ text }) => read(text));
}
