/** Lowering of operations that compute every entry from few entries of their inputs. */
import type { elementwise as definitions } from '../../graph/operations/elementwise.js';
import type { Tensor } from '../../graph/tensor.js';
import { strideOf } from '../layout/layout.js';
import type { AdapterFacts } from '../plan/planner.js';
import { type Dispatch, entries, type Lowerings, perItem, standIn, vectors } from './dispatch.js';
import { functionNumber } from './names.js';

export const elementwise: Lowerings<keyof typeof definitions> = {
  combine: ({ inputs: [X, Y], outputs: [out], attributes: { scale, otherScale } }, facts) =>
    combined(X, Y, out, { SCALE: scale, OTHER_SCALE: otherScale, PRODUCT: false }, facts),
  hadamard: ({ inputs: [X, Y], outputs: [out] }, facts) => combined(X, Y, out, { SCALE: 1, OTHER_SCALE: 0, PRODUCT: true }, facts),
  copy: ({ inputs: [X], outputs: [out] }, facts) => copied(X, out, facts),

  seen({ inputs: [X], outputs: [out] }, facts) {
    return [perItem('elementwise/seen', vectors(out), out.batch, { X, out }, { COLS: out.cols }, facts)];
  },

  map({ inputs: [X, Y = X, W = X], outputs: [out], attributes: { fn, p, q } }, facts) {
    const numbers = { COLS: out.cols, FUNCTION: functionNumber(fn), P: p, Q: q };
    return [perItem('elementwise/map', entries(out), out.batch, { X, Y, W, out }, numbers, facts)];
  },

  shift({ inputs: [X, y], outputs: [out], attributes: { scale } }, facts) {
    return [perItem('elementwise/shift', entries(out), out.batch, { X, y, out }, { COLS: out.cols, SCALE: scale }, facts)];
  },

  transpose({ inputs: [X], outputs: [out] }, facts) {
    const blocks = (strideOf(X) / 4) * (strideOf(out) / 4);
    return [perItem('elementwise/transpose', blocks, out.batch, { X, out }, { ROWS: X.rows, COLS: X.cols }, facts)];
  },

  rowProducts({ inputs: [A], outputs: [out] }, facts) {
    return [perItem('elementwise/row-products', entries(out), out.batch, { A, out }, { K: A.cols }, facts)];
  },

  takeColumns({ inputs: [X, order, control], outputs: [out] }, facts) {
    const numbers = { COLS: out.cols, X_COLS: X.cols };
    return [perItem('elementwise/take-columns', entries(out), out.batch, { X, order, control, out }, numbers, facts)];
  },
};

function combined(
  X: Tensor,
  Y: Tensor | undefined,
  out: Tensor,
  numbers: { SCALE: number; OTHER_SCALE: number; PRODUCT: boolean },
  facts: AdapterFacts,
): Dispatch[] {
  return [perItem('elementwise/combine', vectors(out), out.batch, { X, Y: Y ?? standIn(X), out }, numbers, facts)];
}

export function copied(X: Tensor, out: Tensor, facts: AdapterFacts): Dispatch[] {
  return combined(X, undefined, out, { SCALE: 1, OTHER_SCALE: 0, PRODUCT: false }, facts);
}
