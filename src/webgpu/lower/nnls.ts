/** Lowering of the batched solves: nonnegative least squares, its backward pass, and the KKT residual. */
import type { nnls as definitions } from '../../graph/operations/nnls.js';
import type { Tensor } from '../../graph/tensor.js';
import { strideOf } from '../layout/layout.js';
import { chooseSolve, type SolveChoice } from '../plan/choose.js';
import { type AdapterFacts, type Forced, type GroupPlan, planGrid, planGroup, planRows, planSolve } from '../plan/planner.js';
import type { SolveShape } from '../plan/shapes.js';
import { type Constants, call, type Dispatch, type Lowerings, perItem } from './dispatch.js';

/** Pivoting settles in about 6 rounds, or goes round in circles for hundreds; the active set ends those. */
const mostPivots = 20;

export const nnls: Lowerings<keyof typeof definitions> = {
  nnls({ inputs: [G, B], outputs: [S, rounds], attributes: { warm, perColumn } }, facts, forced) {
    const k = S.rows;
    const operands = { G, B, S, rounds };
    const numbers = { K: k, COLS: S.cols, PER_COLUMN: perColumn, WARM: warm ? 1 : 0, PIVOTS: forced.pivots ?? mostPivots };
    const most = 100 + 25 * k;
    const { kernel, workgroup } = choiceFor('pivoting', S, perColumn, facts, forced);
    if (kernel === 'registers')
      return [perItem('nnls/solve-registers', strideOf(S), S.batch, operands, { ...numbers, BUDGET: most }, facts, workgroup)];
    if (kernel === 'group')
      return groupSolve('nnls/solve-group', groupOf(S, facts, forced, workgroup)!, S, operands, { ...numbers, BUDGET: most }, facts);
    return indexedSolve('nnls/solve', { kernel, workgroup }, S, operands, { ...numbers, ENTRIES: most }, facts, forced);
  },

  maskedSolve({ inputs: [G, S, gradient], outputs: [beta], attributes: { perColumn } }, facts, forced) {
    const operands = { G, S, gradient, beta };
    const numbers = { K: S.rows, PER_COLUMN: perColumn };
    const { kernel, workgroup } = choiceFor('masked', beta, perColumn, facts, forced);
    if (kernel === 'registers')
      return [perItem('nnls/masked-solve-registers', strideOf(S), beta.batch, operands, numbers, facts, workgroup)];
    if (kernel === 'group')
      return groupSolve('nnls/masked-solve-group', groupOf(beta, facts, forced, workgroup)!, beta, operands, numbers, facts);
    return indexedSolve('nnls/masked-solve', { kernel, workgroup }, beta, operands, numbers, facts, forced);
  },

  kktResidual({ inputs: [G, B, S, largest], outputs: [out], attributes: { perColumn, simplex } }, facts) {
    const kernel = simplex ? 'nnls/simplex-kkt' : 'nnls/kkt';
    return [perItem(kernel, strideOf(S), out.batch, { G, B, S, largest, out }, { K: S.rows, PER_COLUMN: perColumn }, facts)];
  },

  simplex({ inputs: [G, B], outputs: [S, rounds], attributes: { warm, perColumn } }, facts, forced) {
    const k = S.rows;
    const operands = { G, B, S, rounds };
    const numbers = { K: k, COLS: S.cols, PER_COLUMN: perColumn, WARM: warm ? 1 : 0, PIVOTS: forced.pivots ?? mostPivots };
    const most = 100 + 25 * k;
    const group = rareGroupOf(S, facts, forced, { alone: 4, shared: 8 });
    // An index that enters the active set takes another one out at most.
    if (group) return groupSolve('nnls/simplex-group', group, S, operands, { ...numbers, BUDGET: numbers.PIVOTS + 2 * most }, facts);
    return indexedSolve('nnls/simplex', {}, S, operands, { ...numbers, ENTRIES: most }, facts, forced);
  },

  logDet({ inputs: [G], outputs: [out] }, facts, forced) {
    const shape = { ...out, rows: G.rows };
    const group = rareGroupOf(shape, facts, forced, { alone: 8, shared: 4 });
    if (group) return groupSolve('nnls/log-det-group', group, shape, { G, out }, { K: G.rows }, facts);
    return indexedSolve('nnls/log-det', {}, shape, { G, out }, { K: G.rows }, facts, forced);
  },
};

/** The kernel and workgroup of a solve whose result is `out`. */
function choiceFor(kind: SolveShape['kind'], out: Tensor, perColumn: boolean, facts: AdapterFacts, forced: Forced): SolveChoice {
  const { rows: k, cols, batch: restarts } = out;
  return chooseSolve({ kind, k, cols, restarts, columns: strideOf(out) * restarts, perColumn }, facts, forced);
}

/** The groups of lanes of a solve. There are some where they were chosen. */
function groupOf({ rows, cols, batch }: Tensor, facts: AdapterFacts, forced: Forced, workgroup?: number): GroupPlan | undefined {
  return planGroup(rows, strideOf({ cols }) * batch, facts, forced, { workgroup });
}

/**
 * The groups of lanes of a solve that has no kernel in registers; none up to `alone` unknowns, which AMD's compiler keeps in the registers of
 * one invocation (docs/performance.md). Each lane shares `shared` values.
 */
function rareGroupOf(
  { rows, cols, batch }: Tensor,
  facts: AdapterFacts,
  forced: Forced,
  { alone, shared }: { alone: number; shared: number },
): GroupPlan | undefined {
  if (rows <= alone && !forced.group) return undefined;
  return planGroup(rows, strideOf({ cols }) * batch, facts, forced, { shared });
}

/** A solve by groups of lanes. Where the last columns of the factors share a scratch buffer, it takes as many dispatches as that needs. */
function groupSolve(
  kernel: 'nnls/solve-group' | 'nnls/masked-solve-group' | 'nnls/simplex-group' | 'nnls/log-det-group',
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
  kernel: 'nnls/solve' | 'nnls/masked-solve' | 'nnls/simplex' | 'nnls/log-det',
  choice: Partial<SolveChoice>,
  { rows, cols, batch }: Tensor,
  operands: Readonly<Record<string, Tensor>>,
  numbers: Constants,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const columns = strideOf({ cols }) * batch;
  const { lanes, spill, capacity, factorSize, scratchBytes } = planSolve(rows, columns, facts, {
    ...forced,
    ...(choice.kernel && { spill: choice.kernel === 'buffer' }),
  });
  const grid = planGrid(lanes, facts, choice.workgroup);
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
