/** Texts in a browser or in Node: documents from files, their words and terms, and the topics of new texts. Nothing here needs Node. */

export * from './errors.js';
export {
  type Document,
  type FieldOptions,
  parseDocumentTable,
  parseJsonLines,
  parseTextLines,
} from './text/documents.js';
export { type Decoded, decodeDocument } from './text/encoding.js';
export { type DetectedLanguage, detectLanguage, stemmerOf, stopWordsOf } from './text/languages.js';
export { englishStopWords, type TermDocumentMatrix, type TermOptions, termDocumentMatrix, topTerms } from './text/term-document.js';
export type { TextModel } from './text/text-model.js';
export { type TokenOptions, tokenize } from './text/tokens.js';
export { checkVocabulary, type Vocabulary, type VocabularyOptions, type Weighting } from './text/vocabulary.js';
export type { Preset, Stemmer, WordOptions, WordSettings } from './text/words.js';
export { type Agreement, agreement, largestTopics } from './topics/clustering.js';
export { type DocumentTopics, documentTopics, type LayerTopic, layerTopics } from './topics/shares.js';
