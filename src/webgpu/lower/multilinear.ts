/** Lowering of operations of tensors of three and more modes. */
import type { multilinear as definitions } from '../../graph/operations/multilinear.js';
import { type Lowerings, perItem, vectors } from './dispatch.js';

export const multilinear: Lowerings<keyof typeof definitions> = {
  khatriRao({ inputs: [A, B], outputs: [out] }, facts) {
    return [perItem('multilinear/khatri-rao', vectors(out), out.batch, { A, B, out }, { B_ROWS: B.rows }, facts)];
  },

  contract({ inputs: [X, F], outputs: [out], attributes: { mode } }, facts) {
    const numbers = { SUMMED: F.rows, KEPT: out.rows, FIRST: mode === 'first' };
    return [perItem('multilinear/contract', vectors(out), out.batch, { X, F, out }, numbers, facts)];
  },
};
