/** The meaning of operations that compute every entry from few entries of their inputs. */
import type { elementwise as definitions } from '../graph/operations/elementwise.js';
import { control, type MapFunction } from '../graph/operations.js';
import { leastDenominator, quotient } from './quotient.js';
import type { Meanings } from './value.js';

export const elementwise: Meanings<keyof typeof definitions> = {
  combine([X, Y], [out], { scale, otherScale }) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = scale * X.data[i] + otherScale * Y.data[i];
  },

  hadamard([X, Y], [out]) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = X.data[i] * Y.data[i];
  },

  copy([X], [out]) {
    out.data.set(X.data);
  },

  seen([X], [out]) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = Object.is(X.data[i], -0) ? 0 : 1;
  },

  map([X, Y, W], [out], { fn, p, q }) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = mapMeanings[fn](X.data[i], Y?.data[i] ?? 0, W?.data[i] ?? 0, p, q);
  },

  shift([X, y], [out], { scale }) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = X.data[i] + scale * y.data[0];
  },

  transpose([X], [out]) {
    for (let i = 0; i < X.rows; i++) for (let j = 0; j < X.cols; j++) out.data[j * X.rows + i] = X.data[i * X.cols + j];
  },

  rowProducts([A], [out]) {
    const k = A.cols;
    for (let n = 0; n < A.rows; n++) {
      for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) out.data[(n * k + i) * k + j] = A.data[n * k + i] * A.data[n * k + j];
    }
  },

  takeColumns([X, order, state], [out]) {
    const first = (state.data[control.iteration] * out.cols) % X.cols;
    for (let c = 0; c < out.cols; c++) {
      const from = order.data[(first + c) % X.cols];
      for (let i = 0; i < X.rows; i++) out.data[i * out.cols + c] = X.data[i * X.cols + from];
    }
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
  quotient,
  weightedProduct: (x, y, w) => w * x * y,
  divergence: (x, y) => (x > 0 ? x * Math.log(Math.max(quotient(x, y), leastDenominator)) : 0) - x + y,
  betaDivergence: (x, y, _w, p, q) => betaDivergence(p <= 0 ? Math.max(x, q) : x, Math.max(y, q), p),
};

/** The β-divergence of Basu et al., with its limits at β = 0 and β = 1. */
function betaDivergence(x: number, y: number, beta: number): number {
  if (beta === 0) return x / y - Math.log(x / y) - 1;
  if (beta === 1) return (x > 0 ? x * Math.log(x / y) : 0) - x + y;
  return (x ** beta + (beta - 1) * y ** beta - beta * x * y ** (beta - 1)) / (beta * (beta - 1));
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}
