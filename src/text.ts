/** Texts in a browser or in Node: documents from files, their words and terms, and the topics of new texts. Nothing here needs Node. */

export * from './errors.js';
export { type Agreement, agreement } from './methods/scores.js';
export { type DocumentFileOptions, documentFields, isDocumentFile, parseDocuments } from './text/document-file.js';
export {
  type Document,
  type FieldOptions,
  parseDocumentTable,
  parseJsonLines,
  parseTextLines,
} from './text/documents.js';
export { type Decoded, decodeDocument } from './text/encoding.js';
export { type DetectedLanguage, detectLanguage, languageName, stemmerOf, stopWordsOf } from './text/languages.js';
export {
  englishStopWords,
  type TermBounds,
  type TermDocumentMatrix,
  type TermOptions,
  termBounds,
  termDocumentMatrix,
  topTerms,
} from './text/term-document.js';
export type { TextModel } from './text/text-model.js';
export { type TokenOptions, tokenize } from './text/tokens.js';
export { checkVocabulary, type Vocabulary, type VocabularyOptions, type Weighting } from './text/vocabulary.js';
export type { Preset, Stemmer, WordOptions, WordSettings } from './text/words.js';
export { largestTopics } from './topics/clustering.js';
export {
  type Coherence,
  type CoherenceMeasure,
  type CoherenceOptions,
  topicCoherence,
  topicDiversity,
} from './topics/coherence.js';
export { type Field, type GroupShares, type Period, periodsOf, sharesByGroup } from './topics/groups.js';
export { type TopicFlow, topicFlows } from './topics/layers.js';
export { type NearTopic, nearestTopics } from './topics/nearest.js';
export { guideOf, parseSeeds, type Seed } from './topics/seeds.js';
export { readSentences, type Sentence, type SentenceOptions, typicalSentence } from './topics/sentences.js';
export { type DocumentTopics, documentTopics, type LayerTopic, layerTopics } from './topics/shares.js';
export { type TextReader, textReader } from './topics/text-reader.js';
export { type LayerQuality, withCoherence, withSentences } from './topics/texts.js';
export { allTopics, type Topic, type TreeOptions, type TypicalDocument, topicTree } from './topics/tree.js';
export { heaviestTerms, type RelevantTerm, relevantTerms, type TopicTerm, termShares } from './topics/words.js';
