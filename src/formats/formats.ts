import { arrow } from './arrow.js';
import { csv } from './csv.js';
import type { FileFormat } from './file-format.js';
import type { FolderFormat } from './folder-format.js';
import { h5ad } from './h5ad.js';
import { json } from './json.js';
import { mtx } from './mtx.js';
import { npy } from './npy.js';
import { npz } from './npz.js';
import { parquet } from './parquet.js';
import { images } from './png.js';
import { tenx } from './tenx.js';

/** The file formats of matrices. Reading, the command line's help and its errors know no other list. */
export const formats: readonly FileFormat[] = [csv, npy, npz, mtx, parquet, json, arrow, h5ad];

/** The formats of folders. */
export const folderFormats: readonly FolderFormat[] = [tenx, images];
