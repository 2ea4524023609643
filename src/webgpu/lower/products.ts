/** Lowering of products, and of the norm of the residual X − AZ. */
import type { products as definitions } from '../../graph/operations/products.js';
import type { Attributes, OperationOf, Sweep } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import { byteLength, restartStep, strideOf } from '../layout/layout.js';
import { stagedGroups } from '../plan/plan-hardware-products.js';
import { type MatmulPlan, type ProductShape, planMatmul, planSweep } from '../plan/plan-products.js';
import { type AdapterFacts, type Forced, planGrid } from '../plan/planner.js';
import type { Ending, FusedProduct } from '../steps/step.js';
import { call, type Dispatch, type Lowerings, perItem, type Scratch, type StandIn, standIn, vectors } from './dispatch.js';
import { epilogueOf, epilogues, terms } from './names.js';
import { type Fold, foldLevels } from './reduce.js';
import {
  betaDivergenceAtEntries,
  divergenceAtEntries,
  poweredProduct,
  powerProduct,
  quotientProduct,
  quotientUpdate,
  residualAtEntries,
  sampledProduct,
  sparseProduct,
  sparseResidual,
} from './sparse.js';

export const products: Lowerings<keyof typeof definitions> = {
  matmul: lowerProduct,

  gram({ inputs: [A], outputs: [C], attributes: { of } }, facts, forced) {
    const ofColumns = of === 'columns';
    const attributes = { transposeA: ofColumns, transposeB: !ofColumns, scale: 1, addScale: 1, epilogue: 'none' } as const;
    return product([A, A], C, attributes, facts, forced);
  },

  residualNorm(operation, facts, forced) {
    const { inputs, outputs } = operation;
    return inputs[0].form === 'csr' ? sparseResidual(operation, facts) : residual(inputs, outputs[0], facts, forced);
  },

  quotientProduct,

  quotientUpdate,

  sampledProduct,

  residualAtEntries,

  poweredProduct,

  powerProduct,

  betaDivergenceAtEntries,

  divergenceAtEntries,
};

export function lowerProduct(operation: OperationOf<'matmul'> | FusedProduct, facts: AdapterFacts, forced: Forced): Dispatch[] {
  const { inputs, outputs, attributes } = operation;
  if (inputs.some(({ form }) => form === 'csr')) return sparseProduct(operation, facts, forced);
  return product(inputs, outputs[0], attributes, facts, forced);
}

/** Whether a product and the sweep it ends in are one dispatch, or better two. */
export function sweepsInOne({ inputs, outputs: [C], attributes }: FusedProduct, facts: AdapterFacts, forced: Forced): boolean {
  const sweep = sweepOf(attributes);
  if (!sweep || inputs.some(({ form }) => form !== 'dense')) return false;
  return planSweep(shapeOf(inputs, C, attributes), sweep.of, facts, forced) !== undefined;
}

/** Of a product alone, or of one that ends in an update or a sweep of C in place. */
type Product = Attributes<'matmul'> & { readonly ending?: Ending };

function sweepOf({ ending }: Pick<Product, 'ending'>): Sweep | undefined {
  return ending === 'update' ? undefined : ending;
}

function shapeOf([A, B]: readonly Tensor[], C: Tensor, { transposeA, transposeB }: Product): ProductShape {
  const shared = { sharedA: A.batch === 1, sharedB: B.batch === 1 };
  return { rows: C.rows, cols: C.cols, inner: transposeA ? A.rows : A.cols, batch: C.batch, ...shared, transposeA, transposeB };
}

/** A product, in one pass or (split-K) in two. */
function product(inputs: readonly Tensor[], C: Tensor, attributes: Product, facts: AdapterFacts, forced: Forced): Dispatch[] {
  const [A, B, E = standIn(A)] = inputs;
  const sweep = sweepOf(attributes);
  const shape = shapeOf(inputs, C, attributes);
  const plan = sweep ? planSweep(shape, sweep.of, facts, forced)! : planMatmul(shape, facts, forced);
  const finish = { SCALE: attributes.scale, EPILOGUE: epilogueOf(attributes), ADD_SCALE: attributes.addScale, SPLITS: plan.splits };
  const own = { ...finish, C_BATCH: restartStep(C) / 4 };
  if (plan.splits === 1) return [multiply({ A, B, E, W: standIn(A), C }, shape, plan, own, sweep, facts)];
  const partials = { scratch: 0, bytes: byteLength(C) * plan.splits };
  const sum = perItem('reduce/sum-partials', vectors(C), C.batch, { partials, E, C }, { ...finish, COUNT: vectors(C) }, facts);
  return [multiply({ A, B, E, W: standIn(A), C: partials }, shape, plan, own, sweep, facts), sum];
}

/** The bindings of shaders/matmul/blocks. */
type Operands = { A: Tensor; B: Tensor; E: Tensor | StandIn; W: Tensor | Scratch | StandIn; C: Tensor | Scratch };

interface Finish {
  SCALE: number;
  EPILOGUE: number;
  ADD_SCALE: number;
  SPLITS: number;
  /** Of the result, while C may be scratch memory for parts of it. */
  C_BATCH: number;
  /** Of scratch memory. */
  W_BATCH?: number;
}

/** The dispatch that multiplies. */
function multiply(
  operands: Operands,
  product: ProductShape,
  { algorithm, blocksA, blocksB, splits, chunk, layout }: MatmulPlan,
  finish: Finish,
  sweep: Sweep | undefined,
  facts: AdapterFacts,
): Dispatch {
  const { rows, cols, inner, batch, transposeA = false, transposeB = false } = product;
  const shape = { ROWS: rows, COLS: cols, INNER: inner, CHUNK: chunk, TRANSPOSE_A: transposeA, TRANSPOSE_B: transposeB };
  const numbers = { ...finish, ...shape, C_STRIDE: strideOf({ cols }) / 4 };
  if (algorithm === 'tiled') {
    return call('matmul/tiled', operands, { ...numbers, ...layout.sizes }, [
      ...stagedGroups(product, { blocksA, blocksB }),
      batch * splits,
    ]);
  }
  const [swept, own] = sweep?.of === 'rows' ? [blocksB, blocksA] : [blocksA, blocksB];
  const sweeping = { SWEPT: sweep ? swept : 0, OWN: sweep ? own : 0, LAYER: sweep?.layer ?? 0 };
  const blocks = { ...numbers, ...sweeping, BLOCKS_A: blocksA, BLOCKS_B: blocksB };
  if (algorithm === 'register') return perItem('matmul/register', layout.invocations / batch, batch * splits, operands, blocks, facts);
  const grid = planGrid(layout.invocations * splits, facts);
  const constants = { ...blocks, ...layout.sizes, GRID: grid.perRow, WORKGROUP: grid.workgroup };
  return call(`matmul/${algorithm}`, operands, constants, [grid.x, grid.y, 1]);
}

/**
 * ‖W ∘ (X − AZ)‖²: a product of which only the squares of each tile are kept, then folds. X and Z differ in nothing from other operands.
 */
function residual([X, A, Z, W]: readonly Tensor[], out: Tensor, facts: AdapterFacts, forced: Forced): Dispatch[] {
  const epilogue = W ? epilogues.WEIGHTED_RESIDUAL : epilogues.RESIDUAL;
  const { squares, partials } = squaresOf({ X, A, Z, W: W ?? standIn(X) }, out.batch, { EPILOGUE: epilogue }, facts, forced);
  return [squares, ...foldLevels({ ...partials, out }, facts, forced)];
}

/** The squares of X − AZ in scratch memory, and what is left to fold. */
export function squaresOf(
  { X, A, Z, W }: { X: Tensor; A: Tensor; Z: Tensor; W: Operands['W'] },
  batch: number,
  epilogue: Pick<Finish, 'EPILOGUE' | 'W_BATCH'>,
  facts: AdapterFacts,
  forced: Forced,
): { squares: Dispatch; partials: Omit<Fold, 'out'> } {
  const shape = { rows: X.rows, cols: X.cols, inner: A.cols, batch };
  const plan = planMatmul(shape, facts, { ...forced, splits: 1 }, true);
  // Restarts that share A and Z still have squares of their own each, so the plan is not told of sharing.
  const perRestart = plan.layout.squares / batch;
  const from = { scratch: 0, bytes: plan.layout.squares * 16 };
  const finish = { SCALE: 1, ADD_SCALE: 0, SPLITS: 1, C_BATCH: 0, ...epilogue };
  const squares = multiply({ A, B: Z, E: X, W, C: from }, shape, plan, finish, undefined, facts);
  const partials = { from, count: perRestart, batchStride: perRestart, batch, map: terms.ENTRIES, maximum: false, level: 1 };
  return { squares, partials };
}
