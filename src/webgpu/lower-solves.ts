/** Lowering of the batched solves: nonnegative least squares, its backward pass, and the KKT residual. */
import type { OperationOf } from '../graph/operations.js';
import { type Dispatch, perItem } from './dispatch.js';
import { restartStep, strideOf } from './layout.js';
import { type AdapterFacts, type Forced, planGrid, planRegisters, planSolve } from './planner.js';

export function solve(
  { inputs: [G, B], outputs: [S, rounds], attributes }: OperationOf<'nnls'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch {
  const k = S.rows;
  if (planRegisters('pivoting', k, forced)) {
    const constants = {
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
      SWEEPS: attributes.sweeps,
      BUDGET: budget(k),
    };
    return perItem('nnls/solve-registers', strideOf(S), S.batch, [G, B, S, rounds], constants, facts);
  }
  const plan = planSolve(k, strideOf(S) * S.batch, facts, forced);
  const grid = planGrid(plan.lanes, facts);
  return {
    kernel: 'nnls/solve',
    constants: {
      K: k,
      COLS: S.cols,
      STRIDE: strideOf(S),
      G_STRIDE: strideOf(G),
      PER_COLUMN: attributes.perColumn,
      G_BATCH: restartStep(G),
      B_BATCH: restartStep(B),
      S_BATCH: restartStep(S),
      ROUNDS_BATCH: restartStep(rounds),
      RESTARTS: S.batch,
      LANES: plan.lanes,
      GRID: grid.perRow,
      WORKGROUP: grid.workgroup,
      WARM: attributes.warm ? 1 : 0,
      SWEEPS: attributes.sweeps,
      BUDGET: budget(k),
      SPILL: plan.spill,
      CAPACITY: plan.capacity,
      FACTOR_SIZE: plan.factorSize,
    },
    bindings: [G, B, S, rounds, { scratch: 0, bytes: plan.scratchBytes }],
    workgroups: [grid.x, grid.y, 1],
  };
}

/** Rounds of block pivoting before the active set takes over. */
function budget(k: number): number {
  return 20 + 5 * k;
}

export function maskedSolve(
  { inputs: [G, S, g], outputs: [out], attributes }: OperationOf<'maskedSolve'>,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch {
  if (planRegisters('masked', S.rows, forced)) {
    const constants = {
      K: S.rows,
      STRIDE: strideOf(S),
      G_STRIDE: strideOf(G),
      PER_COLUMN: attributes.perColumn,
      G_BATCH: restartStep(G),
      S_BATCH: restartStep(S),
      GRADIENT_BATCH: restartStep(g),
      BETA_BATCH: restartStep(out),
    };
    return perItem('nnls/masked-solve-registers', strideOf(S), out.batch, [G, S, g, out], constants, facts);
  }
  const plan = planSolve(S.rows, strideOf(S) * out.batch, facts, forced);
  const grid = planGrid(plan.lanes, facts);
  return {
    kernel: 'nnls/masked-solve',
    constants: {
      K: S.rows,
      STRIDE: strideOf(S),
      G_STRIDE: strideOf(G),
      PER_COLUMN: attributes.perColumn,
      G_BATCH: restartStep(G),
      S_BATCH: restartStep(S),
      GRADIENT_BATCH: restartStep(g),
      BETA_BATCH: restartStep(out),
      RESTARTS: out.batch,
      LANES: plan.lanes,
      GRID: grid.perRow,
      WORKGROUP: grid.workgroup,
      SPILL: plan.spill,
      CAPACITY: plan.capacity,
      FACTOR_SIZE: plan.factorSize,
    },
    bindings: [G, S, g, out, { scratch: 0, bytes: plan.scratchBytes }],
    workgroups: [grid.x, grid.y, 1],
  };
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
