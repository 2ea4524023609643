/** Lowering of products, sums and what is made of both. */
import type { OperationOf, Sweep } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import { isHalf } from '../layout/halves.js';
import { byteLength, restartStep, strideOf } from '../layout/layout.js';
import { type MatmulPlan, type ProductShape, planMatmul, planSweep } from '../plan/plan-products.js';
import { type AdapterFacts, type Forced, planGrid } from '../plan/planner.js';
import type { FusedProduct } from '../steps/step.js';
import { type Constants, type Dispatch, perItem, type Scratch, vectors } from './dispatch.js';

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
  epilogue: OperationOf<'matmul'>['attributes']['epilogue'];
  /** Of C in place, as in FusedProduct. */
  ending?: 'update' | Readonly<Sweep>;
}

/** What kernels call the ways in which a product is stored. */
export function epilogueOf({ epilogue, ending }: Pick<Product, 'epilogue' | 'ending'>): number {
  return ending === 'update' ? 5 : { none: 0, add: 1, hadamard: 2 }[epilogue];
}

/** Whether a product and the sweep it ends in are one dispatch, or better two. */
export function sweepsInOne({ inputs: [A, B], outputs: [C], attributes }: FusedProduct, facts: AdapterFacts, forced: Forced): boolean {
  const { transposeA, ending } = attributes;
  if (ending === 'update' || A.form === 'csr' || B.form === 'csr') return false;
  const shape = shapeOf({ A, B, C, inner: transposeA ? A.rows : A.cols, ...attributes });
  return planSweep(shape, ending.of, facts, forced) !== undefined;
}

function sweepOf({ ending }: Pick<Product, 'ending'>): Readonly<Sweep> | undefined {
  return ending === 'update' ? undefined : ending;
}

function shapeOf({ A, B, C, transposeA, transposeB, inner }: Product): ProductShape {
  const shared = { sharedA: A.batch === 1, sharedB: B.batch === 1 };
  return { rows: C.rows, cols: C.cols, inner, batch: C.batch, ...shared, transposeA, transposeB };
}

/** A product, in one pass or (split-K) in two. */
export function product(given: Product, facts: AdapterFacts, forced: Forced): Dispatch[] {
  const { A, E, C, scale, addScale } = given;
  const sweep = sweepOf(given);
  const shape = shapeOf(given);
  const plan = sweep ? planSweep(shape, sweep.of, facts, forced)! : planMatmul(shape, facts, forced);
  const finish = {
    SCALE: scale,
    EPILOGUE: epilogueOf(given),
    ADD_SCALE: addScale,
    SPLITS: plan.splits,
    C_BATCH: restartStep(C) / 4,
    E_BATCH: E ? restartStep(E) / 4 : 0,
  };
  const own = { ...finish, W_BATCH: 0, HALF_E: false };
  if (plan.splits === 1) return [multiply(given, shape, plan, own, [E ?? A, A, C], facts)];
  const partials = { scratch: 0, bytes: byteLength(C) * plan.splits };
  const sum = perItem('reduce/sum-partials', vectors(C), C.batch, [partials, E ?? A, C], { ...finish, COUNT: vectors(C) }, facts);
  return [multiply(given, shape, plan, own, [E ?? A, A, partials], facts), sum];
}

/** The dispatch that multiplies; `bindings` are E, W and C of shaders/matmul/blocks. */
function multiply(
  { A, B, transposeA, transposeB, ending }: Pick<Product, 'A' | 'B' | 'transposeA' | 'transposeB' | 'ending'>,
  { rows, cols, inner, batch }: ProductShape,
  plan: MatmulPlan,
  finish: Constants,
  [E, W, C]: Dispatch['bindings'],
  facts: AdapterFacts,
): Dispatch {
  const constants = {
    ...finish,
    ROWS: rows,
    COLS: cols,
    INNER: inner,
    A_STRIDE: strideOf(A) / 4,
    B_STRIDE: strideOf(B) / 4,
    C_STRIDE: strideOf({ cols }) / 4,
    A_BATCH: restartStep(A) / 4,
    B_BATCH: restartStep(B) / 4,
    TRANSPOSE_A: transposeA,
    TRANSPOSE_B: transposeB,
    CHUNK: plan.chunk,
    HALF_A: isHalf(A),
    HALF_B: isHalf(B),
  };
  const { algorithm, blocksA, blocksB, splits, layout } = plan;
  if (algorithm === 'tiled') {
    const { W_BATCH, HALF_E, ...own } = constants as Constants;
    return {
      kernel: 'matmul/tiled',
      constants: own,
      bindings: [A, B, E, C],
      workgroups: [Math.ceil(cols / 64), Math.ceil(rows / 64), batch * splits],
    };
  }
  const bindings = [A, B, E, W, C];
  const sweep = sweepOf({ ending });
  const [swept, own] = sweep?.of === 'rows' ? [blocksB, blocksA] : [blocksA, blocksB];
  const sweeping = { SWEPT: sweep ? swept : 0, OWN: sweep ? own : 0, LAYER: sweep?.layer ?? 0 };
  const blocks = { ...constants, ...sweeping, BLOCKS_A: blocksA, BLOCKS_B: blocksB };
  if (algorithm === 'register') return perItem('matmul/register', layout.invocations / batch, batch * splits, bindings, blocks, facts);
  const grid = planGrid(layout.invocations * splits, facts);
  return {
    kernel: `matmul/${algorithm}`,
    constants: { ...blocks, ...layout.sizes, GRID: grid.perRow, WORKGROUP: grid.workgroup },
    bindings,
    workgroups: [grid.x, grid.y, 1],
  };
}

/** ‖W ∘ (X − AZ)‖²: a product of which only the squares of each tile are kept, then folds. X and Z differ in nothing from other operands. */
export function residual(inputs: readonly Tensor[], out: Tensor, facts: AdapterFacts, forced: Forced): Dispatch[] {
  const [X, A, Z, W] = inputs;
  const shape = { rows: X.rows, cols: X.cols, inner: A.cols, batch: out.batch };
  const plan = planMatmul(shape, facts, { ...forced, matmul: forced.matmul === 'tiled' ? 'register' : forced.matmul, splits: 1 }, true);
  // Restarts that share A and Z alone still each have squares of their own, so what is shared is not given to the plan.
  const perRestart = plan.layout.invocations / out.batch;
  const partials = { scratch: 0, bytes: plan.layout.invocations * 16 };
  const finish = {
    SCALE: 1,
    EPILOGUE: W ? 4 : 3,
    ADD_SCALE: 0,
    SPLITS: 1,
    C_BATCH: 0,
    E_BATCH: restartStep(X) / 4,
    W_BATCH: W ? restartStep(W) / 4 : 0,
    HALF_E: isHalf(X),
  };
  const product = { A, B: Z, transposeA: false, transposeB: false };
  const first = multiply(product, shape, plan, finish, [X, W ?? X, partials], facts);
  return [
    first,
    ...foldLevels({ from: partials, count: perRestart, batchStride: perRestart, out, map: 1, maximum: false, level: 1 }, facts),
  ];
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
