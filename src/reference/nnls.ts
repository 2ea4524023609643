/** The meaning of solves of every column, and of their residual. */
import type { nnls as definitions } from '../graph/operations/nnls.js';
import { logDeterminant, solveMasked, solveNnls } from './linear-algebra.js';
import { simplexResidual, solveSimplex } from './simplex.js';
import { column, type Meanings } from './value.js';

export const nnls: Meanings<keyof typeof definitions> = {
  nnls([G, B], [S, rounds], { perColumn }) {
    for (let c = 0; c < B.cols; c++) {
      const solved = solveNnls(perColumn ? column(G, c) : G.data, B.rows, column(B, c));
      for (let i = 0; i < S.rows; i++) S.data[i * S.cols + c] = solved.s[i];
      rounds.data[c] = solved.rounds;
    }
  },

  kktResidual([G, B, S, largest], [out], { perColumn, simplex }) {
    const k = B.rows;
    if (simplex) {
      for (let c = 0; c < B.cols; c++)
        out.data[c] = simplexResidual(perColumn ? column(G, c) : G.data, column(B, c), column(S, c), 2 ** -12 * largest.data[0]);
      return;
    }
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

  logDet([G], [out]) {
    out.data[0] = logDeterminant(G.data, G.rows);
  },
};
