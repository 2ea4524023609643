/** The exact coefficients of a fit, solved again where f32 was not sure of them. */
import { type Matrix, matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse } from '../data/sparse.js';
import { affordable, gramOf, inverseTrace, missingWork, trustedInF32, weightedWork } from './condition.js';
import { polish } from './polish.js';
import { doubtfulColumns } from './simplex.js';
import { polishSimplex } from './simplex-polish.js';

export interface ExactLayers {
  /** Of each layer. A layer of which nothing was solved again is the one that was given. */
  S: Matrix[];
  /** Whether an entry of some layer moved, so that errors have to be measured again. */
  moved: boolean;
  /** Columns that were solved again without reaching a KKT residual of 1e-5, over all layers. */
  unconverged: number;
  /** Columns, over all layers, whose S hangs on digits that f32 does not hold: see NnlsResult. */
  illConditioned: number;
  /** Columns, over all layers, on whose support a gradient in f32 may be off by more than a thousandth; 0 with `simplex`. */
  untrusted: number;
}

export interface LayerOptions {
  /** λ₁ of each layer; default 0. */
  l1?: readonly number[];
  /**
   * W ≥ 0 of the first layer, N×M: ‖W ∘ (X − AS)‖². Each column then has a Gram matrix of its own, so all are solved again where that
   * takes no more than a second.
   */
  weights?: Matrix;
  /** Whether what a sparse X of the first layer does not store is missing: as with weights. */
  missing?: boolean;
  /** The `rounds` of each layer's last solve (k×M entries of one restart): columns where it is negative are solved again. */
  rounds?: readonly ArrayLike<number>[];
  /** Columns of S sum to one; of one layer, without λ₁. */
  simplex?: boolean;
  /** Whether the device had X in 16-bit floats: columns with entries below their normal numbers lost digits, and are solved again. */
  halves?: boolean;
}

/**
 * Sˡ = argmin_{S ≥ 0} ½‖Sˡ⁻¹ − AˡS‖² + λ₁ Σ S, with S⁻¹ = X, in f64 on the host from the supports of the given S. Solved again are all
 * columns of a layer whose Aˡ has nearly dependent columns, and elsewhere those whose Sˡ⁻¹ moved, whose solve did not end, or whose S is so
 * small that f32 may have lost terms of it. So where features are far from dependent it costs the Gram matrices of A alone.
 */
export function exactLayers(X: DataMatrix, A: readonly Matrix[], S: readonly Matrix[], options: LayerOptions = {}): ExactLayers {
  const { l1 = [], weights, missing = false, rounds = [], simplex = false, halves = false } = options;
  const found: ExactLayers = { S: [], moved: false, unconverged: 0, illConditioned: 0, untrusted: 0 };
  const moved = new Uint8Array(X.cols);
  A.forEach((factor, l) => {
    const k = factor.cols;
    const masked = l === 0 ? weights : undefined;
    const isDoubtful = simplex && !masked ? doubtfulColumns(X, factor, gramOf(factor)) : undefined;
    const holes = l === 0 && missing;
    const own = masked ? weightedWork(masked, k) : holes ? missingWork(X, k) : undefined;
    const costs = own === undefined ? !(inverseTrace(gramOf(factor), k) <= trustedInF32) : own <= affordable;
    const all = isDoubtful === undefined && costs;
    // Where λ₁ takes a part of every gain, zero is an answer like any other.
    const faint = simplex || l1[l] > 0 ? undefined : faintColumns(S[l]);
    const coarse = halves && l === 0 && !isSparse(X) ? columnsBelow(X, leastHalf) : undefined;
    const isUnsure = (c: number) => rounds[l]?.[c] < 0 || faint?.[c] === 1 || coarse?.[c] === 1 || isDoubtful?.(c);
    const columns = Array.from(moved, (_, c) => c).filter((c) => all || moved[c] === 1 || isUnsure(c));
    if (columns.length === 0) {
      found.S.push(S[l]);
      return;
    }
    const again = (simplex ? polishSimplex : polish)(found.S[l - 1] ?? X, factor, S[l].data, {
      l1: l1[l],
      columns,
      single: true,
      weights: masked,
      missing: holes,
    });
    const solved = matrix(k, X.cols, again.S);
    for (const c of columns) for (let j = 0; j < k; j++) if (solved.data[j * X.cols + c] !== S[l].data[j * X.cols + c]) moved[c] = 1;
    found.S.push(solved);
    found.unconverged += again.unconverged;
    found.illConditioned += again.illConditioned;
    found.untrusted += again.untrusted ?? 0;
  });
  found.moved = moved.includes(1);
  return found;
}

/** The least normal number of 16-bit floats. */
const leastHalf = 2 ** -14;

/** Below this a device may have taken terms of the sums behind a column for zero: 2⁻¹²⁶ is less than 2⁻²⁴ of it, 4096 times over. */
const leastSure = 2 ** -90;

/** 1 for each column that is zero, or of which a device holds too little. */
export function faintColumns({ cols, data }: Matrix): Uint8Array {
  const faint = new Uint8Array(cols).fill(1);
  for (let at = 0; at < data.length; at += cols) for (let c = 0; c < cols; c++) if (data[at + c] >= leastSure) faint[c] = 0;
  return faint;
}

/** 1 for each column with an entry below `least` that is not zero. */
function columnsBelow({ cols, data }: Matrix, least: number): Uint8Array {
  const below = new Uint8Array(cols);
  for (let at = 0; at < data.length; at += cols) {
    for (let c = 0; c < cols; c++) if (data[at + c] !== 0 && Math.abs(data[at + c]) < least) below[c] = 1;
  }
  return below;
}
