/**
 * Components that are held: the first columns of A, or the first rows of S, stay as they were given, and the others are fitted beside them.
 *
 * Solves and sweeps take the normal equations of the free unknowns f alone, with the held ones h on the right side,
 *
 *     G_ff F_f = B_f − G_fh F_h
 *
 * as equations of all k unknowns whose held ones come out as 0: G_hh is its own diagonal, G_fh = 0, B_h ≤ 0. Then the given entries are put in their places.
 * Multiplicative updates of some unknowns never raise the objective where those of all do not, so there it is enough to put them back.
 */
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import type { Split } from './losses.js';

export interface Held {
  /** Whether no component is free. */
  all: boolean;
  /** The given entries, 0 where components are free: N×k, or k×M. */
  given: Tensor;
  /** Diagonal matrices, k×k: 1 for each component that is free, or held. */
  free: Tensor;
  held: Tensor;
  /** 1 for each pair of free components and on the diagonal, k×k. */
  block: Tensor;
  /** Of Gram matrices of their own: block as a column, k²×1, and a column of ones, one for each row of A or column of S. */
  columnOfBlock?: Tensor;
  ones?: Tensor;
}

/** Of both factors. */
export interface HeldFactors {
  A?: Held;
  S?: Held;
}

/** The inputs for the first `count` components of A ('A', N×k) or S ('S', k×M), which the host writes. */
export function heldInputs(p: ProgramBuilder, of: 'A' | 'S', F: Tensor, count: number, weighted: boolean): Held {
  const [k, items] = of === 'A' ? [F.cols, F.rows] : [F.rows, F.cols];
  const square = (label: string) => p.input(`${label}${F.name}`, k, k);
  const held: Held = {
    all: count === k,
    given: p.input(`given${F.name}`, F.rows, F.cols),
    free: square('free'),
    held: square('held'),
    block: square('block'),
  };
  if (!weighted) return held;
  const column = (label: string, rows: number) => p.input(`${label}${F.name}`, rows, 1);
  return { ...held, columnOfBlock: column('columnOfBlock', k * k), ones: column('onesHeld', items) };
}

/** Components scaled by a diagonal, of a matrix with components × items ('columns', as S and Aᵀ have) or items × components ('rows'). */
function scaled(
  p: ProgramBuilder,
  F: Tensor,
  diagonal: Tensor,
  of: 'rows' | 'columns',
  options: { add?: Tensor; scale?: number } = {},
): Tensor {
  return of === 'columns' ? p.matmul(diagonal, F, options) : p.matmul(F, diagonal, options);
}

/**
 * The equations of all unknowns that have the free ones of GF = B as their solution, and 0 for those that are held. `product` is G times the
 * given entries; `size` ≥ 0 is AᵀX or XSᵀ, whose rounding B_f − G_fh F_h has, so that it stays the measure of what counts as 0.
 */
export function heldEquations(
  p: ProgramBuilder,
  { G, B }: { G: Tensor; B: Tensor },
  { product, size }: { product: Tensor; size: Tensor },
  { free, held, block, columnOfBlock, ones }: Held,
  of: 'rows' | 'columns',
): { G: Tensor; B: Tensor } {
  const beside = p.combine(1, B, -1, product);
  const own = G.rows === G.cols && G.rows === block.rows;
  return {
    G: own ? p.hadamard(G, block) : p.matmul(columnOfBlock!, T(ones!), { hadamard: G }),
    B: scaled(p, beside, free, of, { add: scaled(p, size, held, of, { scale: -1 }) }),
  };
}

/** The halves of a gradient in the free components; 0 in those that are held. */
export function splitOfFree(p: ProgramBuilder, { minus, plus }: Split, { free }: Held, of: 'A' | 'S'): Split {
  const only = (half: Tensor) => scaled(p, half, free, of === 'S' ? 'columns' : 'rows');
  return { minus: only(minus), plus: only(plus) };
}

/** F ← the given entries, and F elsewhere. */
export function putBack(p: ProgramBuilder, F: Tensor, { given, free }: Held, of: 'A' | 'S'): void {
  p.combine(1, scaled(p, F, free, of === 'S' ? 'columns' : 'rows'), 1, given, { into: F });
}

/** B for which the gradient GF − B of the free unknowns is as before, and that of the held ones 0. */
export function onlyFree(p: ProgramBuilder, { G, B }: { G: Tensor; B: Tensor }, F: Tensor, { free, held }: Held): Tensor {
  return p.matmul(free, B, { add: p.matmul(held, p.matmul(G, F)) });
}
