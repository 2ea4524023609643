/** The meaning of solves of every column, and of their residual. */
import type { nnls as definitions } from '../graph/operations/nnls.js';
import { logDeterminant, solveMasked, solveNnls } from './linear-algebra.js';
import { solveSimplex } from './simplex.js';
import { column, type Meanings } from './value.js';

export const nnls: Meanings<keyof typeof definitions> = {
  nnls([G, B], [S, rounds], { perColumn }) {
    for (let c = 0; c < B.cols; c++) {
      const solved = solveNnls(perColumn ? column(G, c) : G.data, B.rows, column(B, c));
      for (let i = 0; i < S.rows; i++) S.data[i * S.cols + c] = solved.s[i];
      rounds.data[c] = solved.rounds;
    }
  },

  kktResidual([G, B, S, largest], [out], { perColumn }) {
    const k = B.rows;
    for (let c = 0; c < B.cols; c++) {
      const g = perColumn ? column(G, c) : G.data;
      let worst = 0;
      let scale = 2 ** -12 * largest.data[0];
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

  simplex([G, B], [S, rounds], { perColumn }) {
    for (let c = 0; c < B.cols; c++) {
      const solved = solveSimplex(perColumn ? column(G, c) : G.data, B.rows, column(B, c));
      for (let i = 0; i < S.rows; i++) S.data[i * S.cols + c] = solved.s[i];
      rounds.data[c] = solved.rounds;
    }
  },

  simplexResidual([G, B, S], [out], { perColumn }) {
    const k = B.rows;
    for (let c = 0; c < B.cols; c++) {
      const g = perColumn ? column(G, c) : G.data;
      const s = column(S, c);
      const gradient = column(B, c).map((b, i) => s.reduce((sum, x, j) => sum + g[i * k + j] * x, -b));
      const multiplier = gradient.reduce((sum, h, i) => sum + s[i] * h, 0);
      const largest = s.reduce((most, _, i) => Math.max(most, g[i * (k + 1)]), 0);
      const scale = column(B, c).reduce((most, b) => Math.max(most, Math.abs(b)), largest);
      const worst = s.reduce((most, x, i) => Math.max(most, Math.abs(Math.min(largest * x, gradient[i] - multiplier))), 0);
      out.data[c] = scale > 0 ? worst / scale : worst;
    }
  },

  logDet([G], [out]) {
    out.data[0] = logDeterminant(G.data, G.rows);
  },
};
