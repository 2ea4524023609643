/** orthant in Node: the same functions, an engine on Dawn, and files. */
export { parseCsvMatrix } from './data/csv.js';
export { parseMtxMatrix } from './data/mtx.js';
export { decodeNpy, encodeNpy } from './data/npy.js';
export { type Document, englishStopWords, type TermDocumentMatrix, type TermOptions, termDocumentMatrix, topTerms } from './data/text.js';
export * from './errors.js';
export type * from './index.js';
export {
  createReferenceEngine,
  deepNmf,
  deepSemiNmf,
  dispatchCounts,
  hierarchicalNmf,
  isSparse,
  matrix,
  modelFiles,
  modelFromFiles,
  neuralNmf,
  nmf,
  nnls,
  nnlsVjp,
  planText,
  predict,
  printProgram,
  programFor,
  randomLowRank,
  reconstructUnfolded,
  sparseCoding,
  sparseFromDense,
  sparseFromEntries,
  sparseMatrix,
  sparseTranspose,
  ssnmf,
  svdBounds,
  tableOne,
  toDense,
  transform,
  transformDeep,
  transformDeepSemi,
  transformHierarchical,
  transformNeural,
  transformSparseCoding,
  transformSsnmf,
  transformUnfolded,
  transpose,
  unfoldedNmf,
} from './index.js';
export { type Corpus, readCorpus } from './node/corpus.js';
export { type AdapterDescription, type AdapterPreference, listAdapters } from './node/dawn.js';
export { createEngine, type NodeEngineOptions } from './node/engine.js';
export { readMatrix, writeOutputs } from './node/files.js';
export { loadModel, saveModel } from './node/model-folder.js';
export { loadTuning, storeTuning } from './node/tuning-store.js';
