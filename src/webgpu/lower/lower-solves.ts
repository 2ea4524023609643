/** Lowering of the batched solves: nonnegative least squares, its backward pass, and the KKT residual. */
import type { OperationOf } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import { restartStep, strideOf } from '../layout/layout.js';
import { type AdapterFacts, type Forced, planGrid, planRegisters, planSolve } from '../plan/planner.js';
import { type Constants, type Dispatch, perItem } from './dispatch.js';

export function solve(
  { inputs: [G, B], outputs: [S, rounds], attributes }: OperationOf<'nnls'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const k = S.rows;
  const shared = {
    K: k,
    COLS: S.cols,
    STRIDE: strideOf(S),
    G_STRIDE: strideOf(G),
    PER_COLUMN: attributes.perColumn,
    G_BATCH: restartStep(G),
    B_BATCH: restartStep(B),
    S_BATCH: restartStep(S),
    ROUNDS_BATCH: restartStep(rounds),
    WARM: attributes.warm ? 1 : 0,
    PIVOTS: forced.pivots ?? 20 + 5 * k,
  };
  const bindings = [G, B, S, rounds];
  if (planRegisters('pivoting', k, S.cols * S.batch, facts, forced))
    return [perItem('nnls/solve-registers', strideOf(S), S.batch, bindings, { ...shared, BUDGET: 100 + 25 * k }, facts)];
  return indexedSolve('nnls/solve', S, bindings, { ...shared, ENTRIES: 100 + 25 * k }, facts, forced);
}

/**
 * A solve that keeps its factor in indexed memory: one invocation a column, however many there are, so that the rounds of its loops follow
 * from k alone; where the factors share a scratch buffer, in as many dispatches as that takes.
 */
function indexedSolve(
  kernel: 'nnls/solve' | 'nnls/masked-solve',
  { rows, cols, batch }: Tensor,
  bindings: Dispatch['bindings'],
  constants: Constants,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const columns = strideOf({ cols }) * batch;
  const { lanes, spill, capacity, factorSize, scratchBytes } = planSolve(rows, columns, facts, forced);
  const grid = planGrid(lanes, facts);
  const shared = {
    ...constants,
    RESTARTS: batch,
    LANES: lanes,
    GRID: grid.perRow,
    WORKGROUP: grid.workgroup,
    SPILL: spill,
    CAPACITY: capacity,
    FACTOR_SIZE: factorSize,
  };
  return Array.from({ length: Math.ceil(columns / lanes) }, (_, i) => ({
    kernel,
    constants: { ...shared, FIRST: i * lanes },
    bindings: [...bindings, { scratch: 0, bytes: scratchBytes }],
    workgroups: [grid.x, grid.y, 1] as const,
  }));
}

export function maskedSolve(
  { inputs: [G, S, g], outputs: [out], attributes }: OperationOf<'maskedSolve'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const shared = {
    K: S.rows,
    STRIDE: strideOf(S),
    G_STRIDE: strideOf(G),
    PER_COLUMN: attributes.perColumn,
    G_BATCH: restartStep(G),
    S_BATCH: restartStep(S),
    GRADIENT_BATCH: restartStep(g),
    BETA_BATCH: restartStep(out),
  };
  const bindings = [G, S, g, out];
  if (planRegisters('masked', S.rows, S.cols * out.batch, facts, forced))
    return [perItem('nnls/masked-solve-registers', strideOf(S), out.batch, bindings, shared, facts)];
  return indexedSolve('nnls/masked-solve', out, bindings, shared, facts, forced);
}

export function kktResidual({ inputs: [G, B, S], outputs: [out], attributes }: OperationOf<'kktResidual'>, facts: AdapterFacts): Dispatch {
  const constants = {
    K: S.rows,
    STRIDE: strideOf(S),
    G_STRIDE: strideOf(G),
    PER_COLUMN: attributes.perColumn,
    G_BATCH: restartStep(G),
    B_BATCH: restartStep(B),
    S_BATCH: restartStep(S),
    OUT_BATCH: restartStep(out),
  };
  return perItem('nnls/kkt', strideOf(S), out.batch, [G, B, S, out], constants, facts);
}
