/** Lowering of the batched solves: nonnegative least squares, its backward pass, and the KKT residual. */
import type { nnls as definitions } from '../../graph/operations/nnls.js';
import type { Tensor } from '../../graph/tensor.js';
import { strideOf } from '../layout/layout.js';
import {
  type AdapterFacts,
  type Forced,
  type GroupPlan,
  planGrid,
  planGroup,
  planRegisters,
  planRows,
  planSolve,
} from '../plan/planner.js';
import { type Constants, call, type Dispatch, type Lowerings, perItem } from './dispatch.js';

/** Pivoting settles in about 6 rounds, or goes round in circles for hundreds; the active set ends those. */
const mostPivots = 20;

export const nnls: Lowerings<keyof typeof definitions> = {
  nnls({ inputs: [G, B], outputs: [S, rounds], attributes: { warm, perColumn } }, facts, forced) {
    const k = S.rows;
    const operands = { G, B, S, rounds };
    const numbers = { K: k, COLS: S.cols, PER_COLUMN: perColumn, WARM: warm ? 1 : 0, PIVOTS: forced.pivots ?? mostPivots };
    const most = 100 + 25 * k;
    if (planRegisters('pivoting', k, S.cols * S.batch, facts, forced))
      return [perItem('nnls/solve-registers', strideOf(S), S.batch, operands, { ...numbers, BUDGET: most }, facts)];
    const groups = planGroup(k, strideOf(S) * S.batch, facts, forced);
    if (groups) return groupSolve('nnls/solve-group', groups, S, operands, { ...numbers, BUDGET: most }, facts);
    return indexedSolve('nnls/solve', S, operands, { ...numbers, ENTRIES: most }, facts, forced);
  },

  maskedSolve({ inputs: [G, S, gradient], outputs: [beta], attributes: { perColumn } }, facts, forced) {
    const operands = { G, S, gradient, beta };
    const numbers = { K: S.rows, PER_COLUMN: perColumn };
    if (planRegisters('masked', S.rows, S.cols * beta.batch, facts, forced))
      return [perItem('nnls/masked-solve-registers', strideOf(S), beta.batch, operands, numbers, facts)];
    const groups = planGroup(S.rows, strideOf(beta) * beta.batch, facts, forced);
    if (groups) return groupSolve('nnls/masked-solve-group', groups, beta, operands, numbers, facts);
    return indexedSolve('nnls/masked-solve', beta, operands, numbers, facts, forced);
  },

  kktResidual({ inputs: [G, B, S, largest], outputs: [out], attributes: { perColumn } }, facts) {
    return [perItem('nnls/kkt', strideOf(S), out.batch, { G, B, S, largest, out }, { K: S.rows, PER_COLUMN: perColumn }, facts)];
  },
};

/** A solve by groups of lanes. Where the last columns of the factors share a scratch buffer, it takes as many dispatches as that needs. */
function groupSolve(
  kernel: 'nnls/solve-group' | 'nnls/masked-solve-group',
  { group, columns: together, factorSize, spill, lanes, scratchBytes }: GroupPlan,
  { cols, batch }: Tensor,
  operands: Readonly<Record<string, Tensor>>,
  numbers: Constants,
  facts: AdapterFacts,
): Dispatch[] {
  const columns = strideOf({ cols }) * batch;
  const [x, y] = planRows(Math.ceil(lanes / together), facts);
  const shared = { ...numbers, RESTARTS: batch, LANES: lanes, GRID: x, GROUP: group, COLUMNS: together, WORKGROUP: group * together };
  const bound = { ...operands, scratch: { scratch: 0, bytes: scratchBytes } };
  return Array.from({ length: Math.ceil(columns / lanes) }, (_, i) =>
    call(kernel, bound, { ...shared, FACTOR_SIZE: factorSize, SPILL: spill, FIRST: i * lanes }, [x, y, 1]),
  );
}

/**
 * A solve that keeps its factor in indexed memory. It has one invocation a column, so that the rounds of its loops follow from k alone.
 * Where the factors share a scratch buffer, it takes as many dispatches as the buffer needs.
 */
function indexedSolve(
  kernel: 'nnls/solve' | 'nnls/masked-solve',
  { rows, cols, batch }: Tensor,
  operands: Readonly<Record<string, Tensor>>,
  numbers: Constants,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const columns = strideOf({ cols }) * batch;
  const { lanes, spill, capacity, factorSize, scratchBytes } = planSolve(rows, columns, facts, forced);
  const grid = planGrid(lanes, facts);
  const shared = {
    ...numbers,
    RESTARTS: batch,
    LANES: lanes,
    GRID: grid.perRow,
    WORKGROUP: grid.workgroup,
    SPILL: spill,
    CAPACITY: capacity,
    FACTOR_SIZE: factorSize,
  };
  const bound = { ...operands, scratch: { scratch: 0, bytes: scratchBytes } };
  return Array.from({ length: Math.ceil(columns / lanes) }, (_, i) =>
    call(kernel, bound, { ...shared, FIRST: i * lanes }, [grid.x, grid.y, 1]),
  );
}
