/** Lowering of sums and maxima over many entries. */
import type { reduce as definitions } from '../../graph/operations/reduce.js';
import type { Tensor } from '../../graph/tensor.js';
import { restartStep, strideOf } from '../layout/layout.js';
import { type AdapterFacts, type Forced, planGroupFold } from '../plan/planner.js';
import { call, type Dispatch, entries, type Lowerings, perItem, type Scratch, vectors } from './dispatch.js';
import { terms } from './names.js';

export const reduce: Lowerings<keyof typeof definitions> = {
  reduce({ inputs: [X], outputs: [out], attributes: { of } }, facts, forced) {
    const map = { sum: terms.ENTRIES, squares: terms.SQUARES, maxAbs: terms.MAGNITUDES }[of];
    const fold = { from: X, count: vectors(X), batchStride: restartStep(X) / 4, out, map, maximum: of === 'maxAbs', level: 0 };
    return foldLevels(fold, facts, forced);
  },

  softmaxCrossEntropy({ inputs: [logits, Y], outputs: [loss, gradient] }, facts) {
    const operands = { logits, Y, loss, gradient };
    return [perItem('reduce/softmax-cross-entropy', strideOf(logits), loss.batch, operands, { ROWS: logits.rows }, facts)];
  },

  maxPool({ inputs: [S], outputs: [pooled, selector], attributes: { size } }, facts) {
    const numbers = { ROWS: S.rows, COLS: S.cols, SIZE: size };
    return [perItem('reduce/max-pool', entries(pooled), pooled.batch, { S, pooled, selector }, numbers, facts)];
  },
};

export interface Fold {
  from: Tensor | Scratch;
  /** Items of one restart: vec4 of a tensor, or entries of an earlier level. */
  count: number;
  batchStride: number;
  out: Tensor;
  /** One of `terms`. */
  map: number;
  maximum: boolean;
  level: number;
}

/** Longest run one invocation adds up. */
const foldSteps = 64;

/** One workgroup a restart, or levels of reduce/fold until one number per restart is left, which alternate between two scratch buffers. */
export function foldLevels(fold: Fold, facts: AdapterFacts, forced: Forced = {}): Dispatch[] {
  const { from, count, batchStride, out, map, maximum, level } = fold;
  const workgroup = planGroupFold(count, out.batch, facts, forced);
  if (workgroup) {
    const numbers = { COUNT: count, IN_BATCH: batchStride, OUT_BATCH: restartStep(out), MAP: map, MAXIMUM: maximum, WORKGROUP: workgroup };
    return [call('reduce/fold-group', { X: from, result: out }, numbers, [out.batch, 1, 1])];
  }
  const groups = count <= foldSteps * 4 ? 1 : Math.ceil(count / foldSteps);
  const groupStride = Math.ceil(groups / 4) * 4;
  const to = groups === 1 ? out : { scratch: level % 2, bytes: groupStride * out.batch * 4 };
  const numbers = {
    COUNT: count,
    GROUPS: groups,
    STEPS: Math.ceil(count / groups),
    IN_BATCH: batchStride,
    OUT_BATCH: groups === 1 ? restartStep(out) : groupStride,
    MAP: map,
    MAXIMUM: maximum,
  };
  const dispatch = perItem('reduce/fold', groups, out.batch, { X: from, result: to }, numbers, facts);
  if (groups === 1) return [dispatch];
  return [
    dispatch,
    ...foldLevels(
      { from: to, count: groups, batchStride: groupStride, out, map: terms.PARTIALS, maximum, level: level + 1 },
      facts,
      forced,
    ),
  ];
}
