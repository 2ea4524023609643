import { checkAtLeastZero, checkFinite } from '../data/check.js';
import { type Matrix, matrix } from '../data/matrix.js';
import { type DataMatrix, entriesOf, isSparse, requireDense } from '../data/sparse.js';
import { type Engine, withRun } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import { qGradientProgram, qProgram } from '../programs/q.js';
import { polish as polishInF64 } from './polish.js';

export interface NnlsResult {
  /** k×M, every entry exactly ≥ 0. */
  S: Matrix;
  /** k×M, row-major: 1 where S > 0, else 0. */
  support: Uint8Array;
  /**
   * Largest natural KKT residual |min(g_jj s_j, (AᵀAs − Aᵀx)_j)| of any column, relative to the column's largest |Aᵀx|.
   * It is 0 at the solution. f32 allows about 1e-7, `polish` about 1e-16.
   */
  kktResidual: number;
  /**
   * Columns whose active set was still changing when the iteration budget ran out. 0 as a rule.
   * Their S is feasible, not optimal.
   */
  unconverged: number;
  /** With `polish`: S in f64, k×M, row-major. */
  polished?: Float64Array;
}

/**
 * q(X, A) = argmin_{S ≥ 0} ‖X − AS‖² column by column, exactly (active set), for any number of columns at once.
 *
 * @param X N×M data, columns are samples; any finite sign.
 * @param A N×k features, k from 1 to 128; any finite sign. With both signs and dependent columns (k > N) single precision cannot always
 * tell the support; kktResidual then says how far S is from the solution.
 * @param options l1: λ₁ ≥ 0 of ½‖X − AS‖² + λ₁ Σ S; default 0. polish: solve again in f64 on the host, from the supports that the device
 * found; default false, dense X only. With it `polished` is S in f64, S and support are rounded from it, and kktResidual and unconverged
 * are those of it.
 * @throws ShapeError when the rows of X and A differ; InputError for empty matrices, NaN, infinities, k > 128.
 */
export async function nnls(
  engine: Engine,
  X: DataMatrix,
  A: Matrix,
  { l1 = 0, polish = false }: { l1?: number; polish?: boolean } = {},
): Promise<NnlsResult> {
  checkProblem(X, A);
  if (polish) requireDense(X, 'nnls with polish');
  checkAtLeastZero('l1', l1);
  const { program, ...t } = qProgram(X.rows, X.cols, A.cols, { l1, csrEntries: entriesOf(X) });
  const [S, residual, rounds] = await withRun(engine, program, (run) => {
    run.write(t.X, isSparse(X) ? X : X.data);
    run.write(t.A, A.data);
    run.execute('solve');
    return run.sample([t.S, t.residual, t.rounds]);
  });
  if (polish) {
    const { S: polished, ...left } = polishInF64(X as Matrix, A, S, l1);
    const support = Uint8Array.from(polished, (s) => (s > 0 ? 1 : 0));
    return { S: matrix(A.cols, X.cols, polished), support, ...left, polished };
  }
  return {
    S: matrix(A.cols, X.cols, S),
    support: Uint8Array.from(S, (s) => (s > 0 ? 1 : 0)),
    kktResidual: largest(residual),
    unconverged: countNegative(rounds),
  };
}

/**
 * The vector–Jacobian product of q at S = q(X, A): from gradS = ∂C/∂S, ∂C/∂X and ∂C/∂A of C(q(X, A)).
 *
 * It is exact where the support is locally constant (strict complementarity, independent columns on each support). At a kink it is the
 * derivative with S's own support. Formula: programs/q.ts.
 *
 * @param at X N×M (dense), A N×k, and S k×M as `nnls` returned it.
 * @param gradS k×M; entries off the support have no effect.
 */
export async function nnlsVjp(
  engine: Engine,
  at: { X: Matrix; A: Matrix; S: Matrix },
  gradS: Matrix,
): Promise<{ gradX: Matrix; gradA: Matrix }> {
  const { X, A, S } = at;
  requireDense(X, 'nnlsVjp, whose gradient in X is dense,');
  checkProblem(X, A);
  for (const [name, given] of [
    ['S', S],
    ['gradS', gradS],
  ] as const) {
    checkFinite(given, name);
    if (given.rows !== A.cols || given.cols !== X.cols) {
      throw new ShapeError(
        `${name} is ${given.rows}×${given.cols}, but X is ${X.rows}×${X.cols} and A ${A.rows}×${A.cols}: it must be ${A.cols}×${X.cols}.`,
      );
    }
  }
  const { program, ...t } = qGradientProgram(X.rows, X.cols, A.cols);
  const [gradX, gradA] = await withRun(engine, program, (run) => {
    run.write(t.X, X.data);
    run.write(t.A, A.data);
    run.write(t.S, S.data);
    run.write(t.dS, gradS.data);
    run.execute('backward');
    return run.sample([t.dX, t.dA]);
  });
  return { gradX: matrix(X.rows, X.cols, gradX), gradA: matrix(A.rows, A.cols, gradA) };
}

function checkProblem(X: DataMatrix, A: Matrix): void {
  checkFinite(X, 'X');
  checkFinite(A, 'A');
  if (X.rows !== A.rows)
    throw new ShapeError(`X is ${X.rows}×${X.cols} and A ${A.rows}×${A.cols}; q(X, A) needs as many rows in A as in X.`);
  if (A.cols > 128) throw new InputError(`A has ${A.cols} columns; up to 128 are supported.`);
}

export function largest(values: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < values.length; i++) worst = Math.max(worst, values[i]);
  return worst;
}

export function countNegative(values: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] < 0) count++;
  return count;
}
