/**
 * What every operation of the vocabulary means, in f64 and plain loops, in files that bear the names of those in src/graph/operations.
 * Written to be read: this is the definition the kernels are tested against.
 */
import type { OperationKind } from '../graph/operations.js';
import { elementwise } from './elementwise.js';
import { nnls } from './nnls.js';
import { products } from './products.js';
import { reduce } from './reduce.js';
import { update } from './update.js';
import type { Meanings } from './value.js';

export const meanings: Meanings<OperationKind> = { ...elementwise, ...products, ...nnls, ...reduce, ...update };
