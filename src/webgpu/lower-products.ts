/** Lowering of products, sums and what is made of both. */
import type { Tensor } from '../graph/tensor.js';
import { type Dispatch, perItem, type Scratch, vectors } from './dispatch.js';
import { byteLength, restartStep, strideOf } from './layout.js';
import { type AdapterFacts, type Forced, planMatmul } from './planner.js';

export interface Product {
  A: Tensor;
  B: Tensor;
  E?: Tensor;
  C: Tensor;
  transposeA: boolean;
  transposeB: boolean;
  inner: number;
  scale: number;
  addScale: number;
  epilogue: 'none' | 'add' | 'hadamard';
}

/** A product, in one pass or (split-K) in two. */
export function product(
  { A, B, E, C, transposeA, transposeB, inner, scale, addScale, epilogue }: Product,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const plan = planMatmul({ rows: C.rows, cols: C.cols, inner, batch: C.batch }, facts, forced);
  const finish = {
    SCALE: scale,
    EPILOGUE: { none: 0, add: 1, hadamard: 2 }[epilogue],
    ADD_SCALE: addScale,
    SPLITS: plan.splits,
    C_BATCH: restartStep(C) / 4,
    E_BATCH: E ? restartStep(E) / 4 : 0,
  };
  const constants = {
    ...finish,
    ROWS: C.rows,
    COLS: C.cols,
    INNER: inner,
    A_STRIDE: strideOf(A) / 4,
    B_STRIDE: strideOf(B) / 4,
    C_STRIDE: strideOf(C) / 4,
    A_BATCH: restartStep(A) / 4,
    B_BATCH: restartStep(B) / 4,
    TRANSPOSE_A: transposeA,
    TRANSPOSE_B: transposeB,
    CHUNK: plan.chunk,
  };
  const target = plan.splits > 1 ? { scratch: 0, bytes: byteLength(C) * plan.splits } : C;
  const bindings = [A, B, E ?? A, target];
  const z = C.batch * plan.splits;
  const dispatches: Dispatch[] = [];
  if (plan.algorithm === 'tiled') {
    dispatches.push({ kernel: 'matmul/tiled', constants, bindings, workgroups: [Math.ceil(C.cols / 64), Math.ceil(C.rows / 64), z] });
  } else {
    const tiles = Math.ceil(C.rows / 4) * Math.ceil(C.cols / 4);
    dispatches.push(perItem('matmul/register', tiles, z, bindings, constants, facts));
  }
  if (plan.splits > 1) {
    dispatches.push(perItem('reduce/sum-partials', vectors(C), C.batch, [target, E ?? A, C], { ...finish, COUNT: vectors(C) }, facts));
  }
  return dispatches;
}

/** ‖W ∘ (X − AZ)‖²: partial sums of tiles, then folds. */
export function residual(inputs: readonly Tensor[], out: Tensor, facts: AdapterFacts): Dispatch[] {
  const [X, A, Z, W] = inputs;
  const tiles = Math.ceil(X.rows / 4) * Math.ceil(X.cols / 4);
  const batchStride = Math.ceil(tiles / 4) * 4;
  const partials = { scratch: 0, bytes: batchStride * out.batch * 4 };
  const constants = {
    ROWS: X.rows,
    COLS: X.cols,
    K: A.cols,
    X_STRIDE: strideOf(X) / 4,
    A_STRIDE: strideOf(A) / 4,
    X_BATCH: restartStep(X) / 4,
    A_BATCH: restartStep(A) / 4,
    Z_BATCH: restartStep(Z) / 4,
    W_BATCH: W ? restartStep(W) / 4 : 0,
    WEIGHTED: W !== undefined,
    OUT_BATCH: batchStride,
  };
  const first = perItem('reduce/residual', tiles, out.batch, [X, A, Z, W ?? X, partials], constants, facts);
  return [first, ...foldLevels({ from: partials, count: tiles, batchStride, out, map: 0, maximum: false, level: 1 }, facts)];
}

export interface Fold {
  from: Tensor | Scratch;
  /** Items of one restart: vec4 of a tensor, or entries of an earlier level. */
  count: number;
  batchStride: number;
  out: Tensor;
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
  const constants = {
    COUNT: count,
    GROUPS: groups,
    STEPS: Math.ceil(count / groups),
    IN_BATCH: batchStride,
    OUT_BATCH: groups === 1 ? restartStep(out) : groupStride,
    MAP: map,
    MAXIMUM: maximum,
  };
  const dispatch = perItem('reduce/fold', groups, out.batch, [from, to], constants, facts);
  if (groups === 1) return [dispatch];
  return [dispatch, ...foldLevels({ from: to, count: groups, batchStride: groupStride, out, map: 0, maximum, level: level + 1 }, facts)];
}
