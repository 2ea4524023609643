/** The meaning of the steps of optimisers. */
import type { update as definitions } from '../graph/operations/update.js';
import { control } from '../graph/operations.js';
import { quotient } from './quotient.js';
import type { Meanings } from './value.js';

/** A unit whose row of Z is all zero gets a fresh column at every 25th iteration (see projectedStep). */
export const revivalPeriod = 25;

export const update: Meanings<keyof typeof definitions> = {
  multiplicativeUpdate([numerator, denominator], [F], { power }) {
    for (let i = 0; i < F.data.length; i++) F.data[i] *= quotient(numerator.data[i], denominator.data[i]) ** power;
  },

  halsUpdate([G, B], [F], { of, perColumn, layer }, restart) {
    const [k, items] = of === 'rows' ? [F.cols, F.rows] : [F.rows, F.cols];
    for (let item = 0; item < items; item++) {
      const at = (j: number) => (of === 'rows' ? item * F.cols + j : j * F.cols + item);
      const gram = (j: number, l: number) => (perColumn ? G.data[(j * k + l) * G.cols + item] : G.data[j * k + l]);
      for (let j = 0; j < k; j++) {
        let rest = B.data[at(j)];
        for (let l = 0; l < k; l++) rest -= gram(j, l) * F.data[at(l)];
        if (gram(j, j) > 0) F.data[at(j)] = Math.max(F.data[at(j)] + rest / gram(j, j), 0);
        else if (!perColumn) F.data[at(j)] = hashUniform(item * k + j, 0, layer, restart);
      }
    }
  },

  projectedStep([A, D, Q, controlVector, M], [out], { rowMetric, layer }, restart) {
    const eta = controlVector.data[control.eta];
    const iteration = controlVector.data[control.iteration];
    for (let i = 0; i < A.rows; i++) {
      const m = rowMetric ? M.data[i * M.cols + i] : 1;
      for (let j = 0; j < A.cols; j++) {
        const at = i * A.cols + j;
        const q = Q.data[j * Q.cols + j];
        const metric = 2 * m * q;
        if (metric > 0) out.data[at] = Math.max(A.data[at] - (eta * D.data[at]) / metric, 0);
        else if (q === 0 && iteration % revivalPeriod === revivalPeriod - 1) out.data[at] = hashUniform(at, iteration, layer, restart);
        else out.data[at] = A.data[at];
      }
    }
  },

  metricScale([D, Q, M], [out], { rowMetric }) {
    for (let i = 0; i < D.rows; i++) {
      for (let j = 0; j < D.cols; j++) {
        const metric = 2 * (rowMetric ? M.data[i * M.cols + i] : 1) * Q.data[j * Q.cols + j];
        out.data[i * D.cols + j] = metric > 0 ? D.data[i * D.cols + j] / metric : 0;
      }
    }
  },

  acceptReject([cost], [state], { grow, shrink }) {
    const trial = cost.data[0];
    const c = state.data;
    const accepted = Number.isFinite(trial) && trial <= c[control.cost];
    c[control.trialCost] = trial;
    c[control.accepted] = accepted ? 1 : 0;
    if (accepted) c[control.cost] = trial;
    else c[control.rejected] += 1;
    c[control.eta] = Math.min(Math.max(c[control.eta] * (accepted ? grow : shrink), 1e-6), 1e6);
    c[control.iteration] += 1;
  },

  keepAccepted([trial, controlVector], [state]) {
    if (controlVector.data[control.accepted] === 1) state.data.set(trial.data);
  },

  momentumStep([D], [A, V], { rate, momentum, free }) {
    for (let i = 0; i < A.data.length; i++) {
      V.data[i] = momentum * V.data[i] - rate * D.data[i];
      A.data[i] = free ? A.data[i] + V.data[i] : Math.max(A.data[i] + V.data[i], 0);
    }
  },

  adamStep([D, state], [A, first, second], { rate, beta1, beta2, epsilon: guard, free }) {
    const t = state.data[control.iteration] + 1;
    for (let i = 0; i < A.data.length; i++) {
      first.data[i] = beta1 * first.data[i] + (1 - beta1) * D.data[i];
      second.data[i] = beta2 * second.data[i] + (1 - beta2) * D.data[i] ** 2;
      const step = (rate * (first.data[i] / (1 - beta1 ** t))) / (Math.sqrt(second.data[i] / (1 - beta2 ** t)) + guard);
      A.data[i] = free ? A.data[i] - step : Math.max(A.data[i] - step, 0);
    }
  },

  countIteration([cost], [state]) {
    state.data[control.cost] = cost.data[0];
    state.data[control.iteration] += 1;
  },

  normalizeColumns([G], [F], { layer, cap }, restart) {
    for (let i = 0; i < F.rows; i++) {
      for (let j = 0; j < F.cols; j++) {
        const at = i * F.cols + j;
        const g = G.data[j * G.cols + j];
        if (cap) F.data[at] /= Math.max(Math.sqrt(g), 1);
        else F.data[at] = g > 0 ? F.data[at] / Math.sqrt(g) : hashUniform(at, 0, layer, restart);
      }
    }
  },
};

/** Uniform on (0, 1], a pure function of its arguments: the integer hash "lowbias32" of Chris Wellons, as in shaders/random.wgsl. */
export function hashUniform(index: number, iteration: number, layer: number, restart: number): number {
  let x =
    (Math.imul(index, 0x9e3779b1) ^
      Math.imul(iteration, 0x85ebca77) ^
      Math.imul(layer + 1, 0xc2b2ae3d) ^
      Math.imul(restart + 1, 0x27d4eb2f)) >>>
    0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  x = (x ^ (x >>> 16)) >>> 0;
  return ((x >>> 8) + 1) / 0x1000000;
}
