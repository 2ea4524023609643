/**
 * What every operation of the vocabulary means, in f64 and plain loops. A value is one restart's rows×cols entries, row-major.
 * Written to be read: this is the definition the kernels are tested against.
 */
import { control, type MapFunction, type OperationKind, type Operations } from '../graph/operations.js';
import { solveMasked, solveNnls } from './linear-algebra.js';
import { sparseMatmul, sparseResidual } from './sparse.js';
import type { Value } from './value.js';

/** `scratch` values of inputs and outputs for one restart; `restart` seeds what has to differ between restarts. */
type Meaning<K extends OperationKind> = (inputs: Value[], outputs: Value[], attributes: Operations[K], restart: number) => void;

export const epsilon = 1e-10;

/** A unit whose row of Z is all zero gets a fresh column at every 25th iteration (see projectedStep). */
export const revivalPeriod = 25;

export const meanings: { [K in OperationKind]: Meaning<K> } = {
  matmul([A, B, E], [out], attributes) {
    if (A.places || B.places) {
      sparseMatmul([A, B, E], out, attributes);
      return;
    }
    const { transposeA, transposeB, scale, epilogue, addScale } = attributes;
    const inner = transposeA ? A.rows : A.cols;
    for (let i = 0; i < out.rows; i++) {
      for (let j = 0; j < out.cols; j++) {
        let sum = 0;
        for (let t = 0; t < inner; t++) {
          sum +=
            (transposeA ? A.data[t * A.cols + i] : A.data[i * A.cols + t]) * (transposeB ? B.data[j * B.cols + t] : B.data[t * B.cols + j]);
        }
        const at = i * out.cols + j;
        const extra = E?.data[at] ?? 0;
        out.data[at] = epilogue === 'hadamard' ? scale * sum * extra : scale * sum + (epilogue === 'add' ? addScale * extra : 0);
      }
    }
  },

  gram([A], [out], { of }) {
    const inner = of === 'columns' ? A.rows : A.cols;
    const entry = (i: number, t: number) => (of === 'columns' ? A.data[t * A.cols + i] : A.data[i * A.cols + t]);
    for (let i = 0; i < out.rows; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let t = 0; t < inner; t++) sum += entry(i, t) * entry(j, t);
        out.data[i * out.cols + j] = sum;
        out.data[j * out.cols + i] = sum;
      }
    }
  },

  nnls([G, B], [S, rounds], { perColumn }) {
    for (let c = 0; c < B.cols; c++) {
      const solved = solveNnls(perColumn ? column(G, c) : G.data, B.rows, column(B, c));
      for (let i = 0; i < S.rows; i++) S.data[i * S.cols + c] = solved.s[i];
      rounds.data[c] = solved.rounds;
    }
  },

  kktResidual([G, B, S], [out], { perColumn }) {
    const k = B.rows;
    for (let c = 0; c < B.cols; c++) {
      const g = perColumn ? column(G, c) : G.data;
      let worst = 0;
      let scale = 0;
      for (let i = 0; i < k; i++) {
        const b = B.data[i * B.cols + c];
        let gradient = -b;
        for (let j = 0; j < k; j++) gradient += g[i * k + j] * S.data[j * S.cols + c];
        worst = Math.max(worst, Math.abs(Math.min(S.data[i * S.cols + c] * g[i * k + i], gradient)));
        scale = Math.max(scale, Math.abs(b));
      }
      out.data[c] = scale > 0 ? worst / scale : worst;
    }
  },

  maskedSolve([G, S, g], [out], { perColumn }) {
    out.data.fill(0);
    for (let c = 0; c < S.cols; c++) {
      const P: number[] = [];
      for (let i = 0; i < S.rows; i++) if (S.data[i * S.cols + c] > 0) P.push(i);
      const beta = solveMasked(perColumn ? column(G, c) : G.data, S.rows, P, column(g, c));
      P.forEach((i, at) => {
        out.data[i * out.cols + c] = beta[at];
      });
    }
  },

  multiplicativeUpdate([numerator, denominator], [F], { power }) {
    for (let i = 0; i < F.data.length; i++) F.data[i] *= (numerator.data[i] / (denominator.data[i] + epsilon)) ** power;
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

  rowProducts([A], [out]) {
    const k = A.cols;
    for (let n = 0; n < A.rows; n++) {
      for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) out.data[(n * k + i) * k + j] = A.data[n * k + i] * A.data[n * k + j];
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

  residualNorm([X, A, Z, W], [out], { weighted }) {
    if (X.places) {
      out.data[0] = sparseResidual(X, A, Z);
      return;
    }
    let total = 0;
    for (let i = 0; i < X.rows; i++) {
      for (let j = 0; j < X.cols; j++) {
        let r = X.data[i * X.cols + j];
        for (let t = 0; t < A.cols; t++) r -= A.data[i * A.cols + t] * Z.data[t * Z.cols + j];
        if (weighted) r *= W.data[i * W.cols + j];
        total += r * r;
      }
    }
    out.data[0] = total;
  },

  reduce([X], [out], { of }) {
    let total = 0;
    for (const x of X.data) total = of === 'sum' ? total + x : of === 'squares' ? total + x * x : Math.max(total, Math.abs(x));
    out.data[0] = total;
  },

  combine([X, Y], [out], { scale, otherScale }) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = scale * X.data[i] + otherScale * Y.data[i];
  },

  hadamard([X, Y], [out]) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = X.data[i] * Y.data[i];
  },

  map([X, Y, W], [out], { fn, p, q }) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = mapMeanings[fn](X.data[i], Y?.data[i] ?? 0, W?.data[i] ?? 0, p, q);
  },

  shift([X, y], [out], { scale }) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = X.data[i] + scale * y.data[0];
  },

  softmaxCrossEntropy([logits, Y], [loss, gradient]) {
    for (let c = 0; c < logits.cols; c++) {
      const z = column(logits, c);
      const y = column(Y, c);
      const largest = Math.max(...z);
      const sum = z.reduce((total, zi) => total + Math.exp(zi - largest), 0);
      const labelled = y.some((yi) => yi > 0);
      loss.data[c] = labelled ? y.reduce((total, yi, i) => total - yi * (z[i] - largest - Math.log(sum)), 0) : 0;
      for (let i = 0; i < z.length; i++) gradient.data[i * gradient.cols + c] = labelled ? Math.exp(z[i] - largest) / sum - y[i] : 0;
    }
  },

  maxPool([S], [pooled, selector], { size }) {
    selector.data.fill(0);
    for (let c = 0; c < S.cols; c++) {
      for (let group = 0; group < pooled.rows; group++) {
        let best = group * size;
        for (let i = best + 1; i < Math.min(S.rows, (group + 1) * size); i++)
          if (S.data[i * S.cols + c] > S.data[best * S.cols + c]) best = i;
        pooled.data[group * pooled.cols + c] = S.data[best * S.cols + c];
        selector.data[best * S.cols + c] = 1;
      }
    }
  },

  takeColumns([X, order, state], [out]) {
    const first = (state.data[control.iteration] * out.cols) % X.cols;
    for (let c = 0; c < out.cols; c++) {
      const from = order.data[(first + c) % X.cols];
      for (let i = 0; i < X.rows; i++) out.data[i * out.cols + c] = X.data[i * X.cols + from];
    }
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

  transpose([X], [out]) {
    for (let i = 0; i < X.rows; i++) for (let j = 0; j < X.cols; j++) out.data[j * X.rows + i] = X.data[i * X.cols + j];
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

  copy([X], [out]) {
    out.data.set(X.data);
  },
};

/** The formulas of graph/operations mapFunctions. */
const mapMeanings: Record<MapFunction, (x: number, y: number, w: number, p: number, q: number) => number> = {
  affine: (x, _y, _w, p, q) => p * x + q,
  power: (x, _y, _w, p, q) => Math.max(x, q) ** p,
  positive: (x) => Math.max(x, 0),
  negative: (x) => Math.max(-x, 0),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  softplusInverse: (x, _y, _w, p) => Math.max(x, p) + Math.log(-Math.expm1(-Math.max(x, p))),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  sigmoidInverse: (x, _y, _w, p) => Math.log(clamp(x, p, 1 - p) / (1 - clamp(x, p, 1 - p))),
  tanh: (x, _y, _w, p, q) => p * Math.tanh(q * x),
  tanhInverse: (x, _y, _w, p, q) => Math.atanh(clamp(x / p, -(1 - 1e-6), 1 - 1e-6)) / q,
  log1p: (x) => Math.log1p(x),
  exp: (x) => Math.exp(x),
  quotient: (x, y, _w, p) => x / (y + p),
  weightedQuotient: (x, y, w, p) => (w === 0 ? 0 : (w * x) / (y + p)),
  weightedProduct: (x, y, w) => w * x * y,
  divergence: (x, y, _w, p) => (x > 0 ? x * Math.log((x + p) / (y + p)) : 0) - x + y,
};

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

function column(X: Value, c: number): Float64Array {
  return Float64Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + c]);
}

/** Uniform on (0, 1], a pure function of its arguments: the integer hash "lowbias32" of Chris Wellons, as in projected-step.wgsl. */
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
