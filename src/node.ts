/** orthant in Node: the same functions, an engine on Dawn in the place of the browser's, and files. */

export * from './errors.js';
export * from './formats.js';
export * from './index.js';
export { type ColumnFile, columnsOf } from './node/column-file.js';
export { type OpenColumns, openColumns } from './node/columns.js';
export { type Corpus, type CorpusOptions, type Labeling, readCorpus } from './node/corpus.js';
export { type AdapterDescription, type AdapterPreference, listAdapters } from './node/dawn.js';
export { createEngine, type NodeEngineOptions } from './node/engine.js';
export { readMatrix, writeOutputs } from './node/files.js';
export { loadModel, loadOnlineState, loadTensorModel, saveModel, saveTensorModel } from './node/model-folder.js';
export { connectMpi, type Mpi } from './node/mpi.js';
export { readTensor } from './node/tensor-file.js';
export { loadTuning, storeTuning } from './node/tuning-store.js';
export * from './text.js';
