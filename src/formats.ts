/** File formats in a browser or in Node: matrices from bytes and back. Nothing here needs Node; some formats need a package of their own. */

export * from './errors.js';
export type { CoordinateOptions, Mode } from './formats/coordinates.js';
export { encodeCsv, parseCsvMatrix } from './formats/csv.js';
export type { ImageSize, MatrixNames } from './formats/file-format.js';
export { gunzip } from './formats/gzip.js';
export { inFile, type MatrixFile } from './formats/in-file.js';
export { encodeJson } from './formats/json.js';
export { parseLabels } from './formats/labels.js';
export { parseMtxMatrix } from './formats/mtx.js';
export { decodeNpy, decodeNpyTensor, encodeNpy } from './formats/npy.js';
export { encodeNpz } from './formats/npz.js';
export type { ReadMatrix } from './formats/oriented.js';
export { encodeParquet } from './formats/parquet.js';
export { parseMatrix } from './formats/parse.js';
export { contactSheet, decodePng, encodePng, type Image } from './formats/png.js';
export { decodeSafetensors, encodeSafetensors, type Tensor } from './formats/safetensors.js';
export type { TableOptions } from './formats/table-options.js';
export { parseTensor, type ReadTensor } from './formats/tensor-file.js';
export { type FactorForm, factorFiles } from './models/factor-files.js';
