/**
 * Lowering: one operation of a program → the dispatches that run it, in files that bear the names of those in src/graph/operations. Pure:
 * plain data in, plain data out, so that dispatches can be printed and tested without a GPU.
 */
import type { Operation, OperationKind } from '../../graph/operations.js';
import type { AdapterFacts, Forced } from '../plan/planner.js';
import type { FusedOperation } from '../steps/step.js';
import type { Dispatch, Lowerings } from './dispatch.js';
import { elementwise } from './elementwise.js';
import { multilinear } from './multilinear.js';
import { nnls } from './nnls.js';
import { lowerProduct, products } from './products.js';
import { reduce } from './reduce.js';
import { update } from './update.js';

const lowerings: Lowerings<OperationKind> = { ...elementwise, ...multilinear, ...products, ...nnls, ...reduce, ...update };

export function lower(operation: FusedOperation, facts: AdapterFacts, forced: Forced = {}): Dispatch[] {
  if (operation.kind === 'fusedProduct') return lowerProduct(operation, facts, forced);
  const lowering = lowerings[operation.kind] as (operation: Operation, facts: AdapterFacts, forced: Forced) => Dispatch[];
  return lowering(operation, facts, forced);
}
