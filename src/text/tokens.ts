import { type Document, type TermOptions, wordReader } from './term-document.js';

/** The words of each document in the order of its text, as `termDocumentMatrix` counts them: without stop words and short words. */
export function tokenize(documents: readonly Document[], options: TermOptions = {}): string[][] {
  const read = wordReader(options);
  return documents.map(({ text }) => read(text));
}
