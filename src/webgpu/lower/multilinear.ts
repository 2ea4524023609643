/** Lowering of operations of tensors of several modes. */
import type { multilinear as definitions } from '../../graph/operations/multilinear.js';
import type { Tensor } from '../../graph/tensor.js';
import { cooModes } from '../layout/coo-layout.js';
import { strideOf } from '../layout/layout.js';
import { type Lowerings, perItem, type Scratch, standIn, vectors } from './dispatch.js';
import { terms } from './names.js';
import { foldLevels } from './reduce.js';

/** Entries that one invocation of a residual adds up: few, since they are not tied to lines. */
const residualSteps = 16;

export const multilinear: Lowerings<keyof typeof definitions> = {
  khatriRao({ inputs: [A, B], outputs: [out] }, facts) {
    return [perItem('multilinear/khatri-rao', vectors(out), out.batch, { A, B, out }, { B_ROWS: B.rows }, facts)];
  },

  contract({ inputs: [X, F], outputs: [out], attributes: { mode } }, facts) {
    const numbers = { SUMMED: F.rows, KEPT: out.rows, FIRST: mode === 'first' };
    return [perItem('multilinear/contract', vectors(out), out.batch, { X, F, out }, numbers, facts)];
  },

  mttkrp({ inputs: [X, ...others], outputs: [out], attributes: { mode } }, facts) {
    const { linesAt, placesAt, tailsAt, tails: count, segment } = cooModes(X)[mode];
    const stride = strideOf(out) / 4;
    const tails: Scratch = { scratch: 0, bytes: Math.max(16, count * stride * 16 * out.batch) };
    const [F0, F1, F2, F3, F4] = allOf(others, 5);
    const operands = { X, F0, F1, F2, F3, F4, tails };
    const shared = { OTHERS: others.length, MODE: mode, LINES_AT: linesAt, PLACES_AT: placesAt, SEGMENT: segment, STRIDE: stride };
    const sums = perItem('multilinear/mttkrp-tails', count * stride, out.batch, operands, { ...shared, TAILS_AT: tailsAt }, facts);
    const product = perItem('multilinear/mttkrp', vectors(out), out.batch, { ...operands, out }, { ...shared, TAILS: count }, facts);
    return count === 0 ? [product] : [sums, product];
  },

  storedResidual({ inputs: [X, ...F], outputs: [out] }, facts, forced) {
    const count = Math.max(1, Math.ceil(X.entries / residualSteps));
    const batchStride = Math.ceil(count / 4) * 4;
    const partials: Scratch = { scratch: 1, bytes: batchStride * out.batch * 4 };
    const [F0, F1, F2, F3, F4, F5] = allOf(F, 6);
    const numbers = { ORDER: F.length, ENTRIES: X.entries, OUT_BATCH: batchStride };
    return [
      perItem('multilinear/stored-residual', count, out.batch, { X, F0, F1, F2, F3, F4, F5, partials }, numbers, facts),
      ...foldLevels(
        { from: partials, count, batchStride, batch: out.batch, out, map: terms.PARTIALS, maximum: false, level: 0 },
        facts,
        forced,
      ),
    ];
  },
};

/** As many factors as a kernel binds; those that there are not are stand-ins. */
function allOf(factors: readonly Tensor[], count: number) {
  return Array.from({ length: count }, (_, m) => factors[m] ?? standIn(factors[0]));
}
