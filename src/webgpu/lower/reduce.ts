/** Lowering of sums and maxima over many entries. */
import type { reduce as definitions } from '../../graph/operations/reduce.js';
import type { Tensor } from '../../graph/tensor.js';
import { restartStep, strideOf } from '../layout/layout.js';
import type { AdapterFacts } from '../plan/planner.js';
import { type Dispatch, entries, type Lowerings, perItem, type Scratch, vectors } from './dispatch.js';
import { terms } from './names.js';

export const reduce: Lowerings<keyof typeof definitions> = {
  reduce({ inputs: [X], outputs: [out], attributes: { of } }, facts) {
    const map = { sum: terms.ENTRIES, squares: terms.SQUARES, maxAbs: terms.MAGNITUDES }[of];
    return foldLevels({ from: X, count: vectors(X), batchStride: restartStep(X) / 4, out, map, maximum: of === 'maxAbs', level: 0 }, facts);
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

/** Levels of reduce/fold until one number per restart is left; levels alternate between two scratch buffers. */
export function foldLevels({ from, count, batchStride, out, map, maximum, level }: Fold, facts: AdapterFacts): Dispatch[] {
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
    ...foldLevels({ from: to, count: groups, batchStride: groupStride, out, map: terms.PARTIALS, maximum, level: level + 1 }, facts),
  ];
}
