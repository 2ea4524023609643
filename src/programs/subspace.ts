/**
 * The products of a randomised SVD (Halko, Martinsson & Tropp, SIAM Review 2011): X (N×M) times the transpose of Pt (w×M), and the transpose
 * of Q (N×w) times X, in turns. Between them the host makes the columns of Q, or the rows of Pt, orthonormal: it reads their Gram matrix G
 * and writes a w×w matrix R by which they are turned.
 */
import { type Program, programBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';

export interface SubspaceProgram {
  program: Program;
  X: Tensor;
  Q: Tensor;
  Pt: Tensor;
  G: Tensor;
  R: Tensor;
}

/**
 * Sections: 'left' Q ← X Ptᵀ and 'right' Pt ← QᵀX; 'gramOfLeft' G ← QᵀQ and 'gramOfRight' G ← Pt Ptᵀ; 'turnLeft' Q ← Q R and 'turnRight'
 * Pt ← Rᵀ Pt.
 */
export function subspaceProgram(N: number, M: number, width: number, csrEntries?: number): SubspaceProgram {
  const p = programBuilder('subspace');
  const X = p.data('X', N, M, { csrEntries });
  const Q = p.state('Q', N, width);
  const Pt = p.state('Pt', width, M);
  const G = p.state('G', width, width);
  const R = p.input('R', width, width);
  p.section('left', () => p.matmul(X, T(Pt), { into: Q }));
  p.section('right', () => p.matmul(T(Q), X, { into: Pt }));
  p.section('gramOfLeft', () => p.gram(Q, 'columns', { into: G }));
  p.section('gramOfRight', () => p.gram(Pt, 'rows', { into: G }));
  p.section('turnLeft', () => p.copy(p.matmul(Q, R), Q));
  p.section('turnRight', () => p.copy(p.matmul(T(R), Pt), Pt));
  return { program: p.build(), X, Q, Pt, G, R };
}
