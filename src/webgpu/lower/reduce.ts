/** Lowering of sums and maxima over many entries. */
import type { reduce as definitions } from '../../graph/operations/reduce.js';
import type { Tensor } from '../../graph/tensor.js';
import { restartStep, strideOf } from '../layout/layout.js';
import { type AdapterFacts, type Forced, planGroupFold } from '../plan/planner.js';
import { call, type Dispatch, entries, type Lowerings, perItem, type Scratch, vectors } from './dispatch.js';
import { copied } from './elementwise.js';
import { terms } from './names.js';

export const reduce: Lowerings<keyof typeof definitions> = {
  reduce({ inputs: [X], outputs: [out], attributes: { of } }, facts, forced) {
    const map = { sum: terms.ENTRIES, squares: terms.SQUARES, maxAbs: terms.MAGNITUDES }[of];
    const fold = {
      from: X,
      count: vectors(X),
      batchStride: restartStep(X) / 4,
      batch: out.batch,
      out,
      map,
      maximum: of === 'maxAbs',
      level: 0,
    };
    return foldLevels(fold, facts, forced);
  },

  allReduce: ({ inputs: [X], outputs: [out] }, facts) => copied(X, out, facts),

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
  /** Restarts. */
  batch: number;
  out: Tensor;
  /** One of `terms`. */
  map: number;
  maximum: boolean;
  level: number;
}

/** Longest run one invocation adds up. */
const foldSteps = 64;
/** The last level adds up so many. */
const fewEntries = 4 * foldSteps;

/** One workgroup a restart, or levels of reduce/fold until one number per restart is left, which alternate between two scratch buffers. */
export function foldLevels(fold: Fold, facts: AdapterFacts, forced: Forced = {}): Dispatch[] {
  const { from, count, batchStride, out, map, maximum } = fold;
  const workgroup = planGroupFold(count, out.batch, facts, forced);
  if (workgroup) {
    const numbers = { COUNT: count, IN_BATCH: batchStride, OUT_BATCH: restartStep(out), MAP: map, MAXIMUM: maximum, WORKGROUP: workgroup };
    return [call('reduce/fold-group', { X: from, result: out }, numbers, [out.batch, 1, 1])];
  }
  if (count > fewEntries) {
    const { dispatch, left } = foldOnce(fold, facts);
    return [dispatch, ...foldLevels({ ...left, out }, facts, forced)];
  }
  return [level(fold, 1, out, restartStep(out), facts)];
}

/** A level of reduce/fold into the scratch buffer whose turn it is, and what it leaves. */
export function foldOnce(fold: Omit<Fold, 'out'>, facts: AdapterFacts): { dispatch: Dispatch; left: Omit<Fold, 'out'> } {
  const groups = Math.ceil(fold.count / foldSteps);
  const stride = Math.ceil(groups / 4) * 4;
  const to = { scratch: fold.level % 2, bytes: stride * fold.batch * 4 };
  const left = { ...fold, from: to, count: groups, batchStride: stride, map: terms.PARTIALS, level: fold.level + 1 };
  return { dispatch: level(fold, groups, to, stride, facts), left };
}

function level(
  { from, count, batch, batchStride, map, maximum }: Omit<Fold, 'out'>,
  groups: number,
  to: Tensor | Scratch,
  outBatch: number,
  facts: AdapterFacts,
): Dispatch {
  const numbers = {
    COUNT: count,
    GROUPS: groups,
    STEPS: Math.ceil(count / groups),
    IN_BATCH: batchStride,
    OUT_BATCH: outBatch,
    MAP: map,
    MAXIMUM: maximum,
  };
  return perItem('reduce/fold', groups, batch, { X: from, result: to }, numbers, facts);
}
