/**
 * The meaning of every operation of the vocabulary, in f64 and plain loops, in files with the names of those in src/graph/operations.
 * They are written to be read; the kernels are tested against them.
 */
import type { OperationKind } from '../graph/operations.js';
import { elementwise } from './elementwise.js';
import { multilinear } from './multilinear.js';
import { nnls } from './nnls.js';
import { products } from './products.js';
import { reduce } from './reduce.js';
import { update } from './update.js';
import type { Meanings } from './value.js';

export const meanings: Meanings<OperationKind> = { ...elementwise, ...multilinear, ...products, ...nnls, ...reduce, ...update };
