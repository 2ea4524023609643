/**
 * What every operation of the vocabulary means, in f64 and plain loops. A value is one restart's rows×cols entries, row-major.
 * Written to be read: this is the definition the kernels are tested against.
 */
import { control, type OperationKind, type Operations } from '../graph/operations.js';
import { solveMasked, solveNnls } from './linear-algebra.js';

export interface Value {
  rows: number;
  cols: number;
  data: Float64Array;
}

/** `scratch` values of inputs and outputs for one restart; `restart` seeds what has to differ between restarts. */
type Meaning<K extends OperationKind> = (inputs: Value[], outputs: Value[], attributes: Operations[K], restart: number) => void;

export const epsilon = 1e-10;

/** A unit whose row of Z is all zero gets a fresh column at every 25th iteration (see projectedStep). */
export const revivalPeriod = 25;

export const meanings: { [K in OperationKind]: Meaning<K> } = {
  matmul([A, B, E], [out], { transposeA, transposeB, scale, epilogue, addScale }) {
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

  nnls([G, B], [S, rounds]) {
    for (let c = 0; c < B.cols; c++) {
      const solved = solveNnls(G.data, G.rows, column(B, c));
      for (let i = 0; i < S.rows; i++) S.data[i * S.cols + c] = solved.s[i];
      rounds.data[c] = solved.rounds;
    }
  },

  kktResidual([G, B, S], [out]) {
    const k = G.rows;
    for (let c = 0; c < B.cols; c++) {
      let worst = 0;
      let scale = 0;
      for (let i = 0; i < k; i++) {
        const b = B.data[i * B.cols + c];
        let gradient = -b;
        for (let j = 0; j < k; j++) gradient += G.data[i * k + j] * S.data[j * S.cols + c];
        worst = Math.max(worst, Math.abs(Math.min(S.data[i * S.cols + c] * G.data[i * k + i], gradient)));
        scale = Math.max(scale, Math.abs(b));
      }
      out.data[c] = scale > 0 ? worst / scale : worst;
    }
  },

  maskedSolve([G, S, g], [out]) {
    out.data.fill(0);
    for (let c = 0; c < S.cols; c++) {
      const P: number[] = [];
      for (let i = 0; i < S.rows; i++) if (S.data[i * S.cols + c] > 0) P.push(i);
      const beta = solveMasked(G.data, G.rows, P, column(g, c));
      P.forEach((i, at) => {
        out.data[i * out.cols + c] = beta[at];
      });
    }
  },

  multiplicativeUpdate([numerator, denominator], [F]) {
    for (let i = 0; i < F.data.length; i++) F.data[i] *= numerator.data[i] / (denominator.data[i] + epsilon);
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

  transpose([X], [out]) {
    for (let i = 0; i < X.rows; i++) for (let j = 0; j < X.cols; j++) out.data[j * X.rows + i] = X.data[i * X.cols + j];
  },

  normalizeColumns([G], [F], { layer }, restart) {
    for (let i = 0; i < F.rows; i++) {
      for (let j = 0; j < F.cols; j++) {
        const at = i * F.cols + j;
        const g = G.data[j * G.cols + j];
        F.data[at] = g > 0 ? F.data[at] / Math.sqrt(g) : hashUniform(at, 0, layer, restart);
      }
    }
  },

  copy([X], [out]) {
    out.data.set(X.data);
  },
};

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
