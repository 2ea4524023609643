/** Matrices as methods take them, features × samples, whichever way their files lie. */
import { type Matrix, transpose } from '../data/matrix.js';
import { type DataMatrix, isSparse, sparseTranspose } from '../data/sparse.js';
import type { FileContent, ImageSize } from './file-format.js';

/** A matrix that was read: features × samples, whichever way its file lies. */
export interface ReadMatrix {
  X: DataMatrix;
  /** Names of the rows of X, where the file has them. */
  features?: readonly string[];
  /** Names of the columns of X, where the file has them. */
  samples?: readonly string[];
  /** 0 for each cell of the file without a value, else 1: weights of the shape of X, only where there is such a cell. X is 0 there. */
  weights?: Matrix;
  /** The reading in words, one fact a sentence, where the file could be read in more ways than one. */
  notes?: readonly string[];
  /** The place of a sample in the file, where its format has it in one place whatever was asked for. */
  samplesAre?: 'rows' | 'columns';
  /** Of images: the size of each. */
  image?: ImageSize;
}

/** The content with samples as columns: where they are by the format's nature, else where the caller says. */
export function oriented(content: FileContent, asked: 'rows' | 'columns'): ReadMatrix {
  const { X, rowNames, columnNames, missing, notes, samples: samplesAre, image } = content;
  const present = missing && presenceOf(missing, X);
  const rest = { notes, ...(samplesAre && { samplesAre }), ...(image && { image }) };
  if ((samplesAre ?? asked) === 'columns') return { X, features: rowNames, samples: columnNames, weights: present, ...rest };
  return {
    X: isSparse(X) ? sparseTranspose(X) : transpose(X),
    features: columnNames,
    samples: rowNames,
    weights: present && transpose(present),
    ...rest,
  };
}

/** Weights of 0 for what is missing, else 1. */
export function presenceOf(missing: Uint8Array, { rows, cols }: DataMatrix): Matrix {
  const data = new Float32Array(missing.length);
  for (let at = 0; at < data.length; at++) data[at] = 1 - missing[at];
  return { rows, cols, data };
}
