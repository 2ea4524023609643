/** Lowering of the steps of optimisers. */
import type { update as definitions } from '../../graph/operations/update.js';
import { firstColOf, firstRowOf } from '../panels/panels.js';
import { chooseSweep } from '../plan/choose.js';
import { planCapacity, planLanes, planRows } from '../plan/planner.js';
import { call, entries, type Lowerings, perItem, perRestart, standIn, vectors } from './dispatch.js';
import { keep } from './keep.js';

export const update: Lowerings<keyof typeof definitions> = {
  multiplicativeUpdate({ inputs: [numerator, denominator], outputs: [F], attributes: { power } }, facts) {
    return [perItem('update/multiplicative', vectors(F), F.batch, { numerator, denominator, F }, { POWER: power }, facts)];
  },

  halsUpdate({ inputs: [G, B], outputs: [F], attributes: { of, perColumn, layer } }, facts, forced) {
    const ofRows = of === 'rows';
    const [k, items] = ofRows ? [F.cols, F.rows] : [F.rows, F.cols];
    const first = ofRows ? firstRowOf(F) : firstColOf(F);
    const numbers = { K: k, OF_ROWS: ofRows, PER_COLUMN: perColumn, LAYER: layer, FIRST: first };
    const { kernel, workgroup } = chooseSweep({ of, k, items, restarts: F.batch, perColumn }, facts, forced);
    if (kernel === 'registers') return [perItem('update/hals-registers', items, F.batch, { G, B, F }, numbers, facts, workgroup)];
    if (kernel === 'group') {
      const [x, y] = planRows(Math.ceil(items / 4) * F.batch, facts);
      const grid = { ITEMS: items, RESTARTS: F.batch, GRID: x, WORKGROUP: planLanes(k) };
      return [call('update/hals-group', { G, B, F }, { ...numbers, ...grid }, [x, y, 1])];
    }
    return [perItem('update/hals', items, F.batch, { G, B, F }, { ...numbers, CAPACITY: planCapacity(k) }, facts, workgroup)];
  },

  projectedStep({ inputs: [A, D, Q, control, M], outputs: [out], attributes: { rowMetric, layer } }, facts) {
    const operands = { A, D, Q, control, M: M ?? standIn(Q), out };
    const numbers = { COLS: out.cols, ROW_METRIC: rowMetric, LAYER: layer, FIRST_ROW: firstRowOf(out) };
    return [perItem('update/projected-step', vectors(out), out.batch, operands, numbers, facts)];
  },

  metricScale({ inputs: [D, Q, M], outputs: [out], attributes: { rowMetric } }, facts) {
    const operands = { D, Q, M: M ?? standIn(Q), out };
    return [perItem('update/metric-scale', entries(out), out.batch, operands, { COLS: out.cols, ROW_METRIC: rowMetric }, facts)];
  },

  acceptReject: ({ inputs: [cost], outputs: [control], attributes: { grow, shrink } }) => [
    perRestart('update/accept-reject', control.batch, { cost, control }, { GROW: grow, SHRINK: shrink }),
  ],

  keepAccepted: ({ inputs: [trial, control], outputs }, facts) => [keep(control, [trial], outputs, facts)],

  momentumStep({ inputs: [D], outputs: [A, V], attributes: { rate, momentum, free } }, facts) {
    const numbers = { RATE: rate, MOMENTUM: momentum, FREE: free };
    return [perItem('update/momentum', vectors(A), A.batch, { D, A, V }, numbers, facts)];
  },

  adamStep({ inputs: [D, control], outputs: [A, first, second], attributes: { rate, beta1, beta2, epsilon, free } }, facts) {
    const numbers = { RATE: rate, BETA1: beta1, BETA2: beta2, GUARD: epsilon, FREE: free };
    return [perItem('update/adam', vectors(A), A.batch, { D, control, A, first, second }, numbers, facts)];
  },

  countIteration: ({ inputs: [cost], outputs: [control] }) => [perRestart('update/count-iteration', control.batch, { cost, control }, {})],

  normalizeColumns({ inputs: [G], outputs: [F], attributes: { layer, cap } }, facts) {
    const numbers = { COLS: F.cols, LAYER: layer, CAP: cap, FIRST_ROW: firstRowOf(F) };
    return [perItem('update/normalize-columns', F.rows * F.cols, F.batch, { G, F }, numbers, facts)];
  },
};
