import { csv } from './csv.js';
import type { FileFormat } from './file-format.js';
import { mtx } from './mtx.js';
import { npy } from './npy.js';

/** The file formats of matrices. Reading, the command line's help and its errors know no other list. */
export const formats: readonly FileFormat[] = [csv, npy, mtx];
