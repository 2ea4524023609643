import { seenThrough } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, entriesOf, mean } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { mostIterations, type NmfSolver, nmfProgram, nmfSolvers } from '../programs/nmf.js';
import type { Factorization, FitOptions } from './factorization.js';
import { checkFit, readFactors, withFit, writeMatrix } from './fit.js';

export interface NmfOptions extends FitOptions {
  /** k, the number of columns of A: from 1 to min(N, M, 128). */
  rank: number;
  /**
   * 'anls' (default): alternating exact nonnegative least squares. 'hals': one sweep of coordinate descent over each factor, cheaper an
   * iteration, more of them. 'mu': multiplicative updates, as cheap, many more. With weights 'mu' is the default, since the others then
   * need k²(N + M) entries more.
   */
  solver?: NmfSolver;
  /** W ≥ 0, N×M, multiplies residuals entrywise: 0 marks a missing value. Needs a dense X. */
  weights?: Matrix;
}

/**
 * Nonnegative matrix factorization: min ‖W ∘ (X − AS)‖² over A ≥ 0 (N×k) and S ≥ 0 (k×M).
 *
 * Starts: |N(0,1)| · sqrt(mean X / k). Stops at a tolerance of 1e-6, or after 2000 iterations with 'mu', 1000 with 'hals', 500 with 'anls'.
 * Lee & Seung, NIPS 2001 (multiplicative updates); Cichocki & Phan, IEICE Trans. Fundamentals 2009
 * (HALS); Kim & Park, SIAM J. Matrix Anal. Appl. 2008 (alternating exact least squares).
 *
 * With weights, relativeError is ‖W ∘ (X − AS)‖ / ‖W ∘ X‖ and svdBound is null: no closed bound is known.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function nmf(engine: Engine, X: DataMatrix, options: NmfOptions): Promise<Factorization> {
  const { rank, weights, solver = weights ? 'mu' : 'anls' } = options;
  if (!nmfSolvers.includes(solver)) throw new InputError(`solver must be 'mu', 'hals' or 'anls', not ${JSON.stringify(solver)}.`);
  const settings = checkFit(X, [rank], options, { maxIterations: mostIterations[solver], tolerance: 1e-6 });
  const seen = seenThrough(weights, X, 'weights');

  const t = nmfProgram(X.rows, X.cols, rank, {
    restarts: settings.restarts,
    solver,
    weighted: weights !== undefined,
    csrEntries: entriesOf(X),
  });
  return withFit(engine, t.program, { method: 'nmf', X: seen, ranks: [rank], settings }, async (fit) => {
    const { run } = fit;
    const scale = Math.sqrt(mean(X) / rank);
    writeMatrix(run, t.X, X);
    if (weights) run.write(t.W!, weights.data);
    fit.writeRandom(t.A, 0, scale);
    fit.writeRandom(t.S, 1, scale);
    run.execute(t.sections.start);
    await fit.stage({
      name: 'nmf',
      step: t.sections.step,
      measure: t.sections.measure,
      cost: t.cost,
      factors: (restart) => readFactors(run, [t.A], [t.S], restart),
    });
    const { cost, kkt } = await fit.measure([t.sections.measure, t.sections.finish], { cost: t.cost, kkt: t.kkt });
    return fit.result({
      A: [t.A],
      S: [t.S],
      errors: [cost],
      kkt,
      rounds: t.sections.rounds && [t.sections.rounds],
      boundRanks: weights && [null],
      own: { solver },
    });
  });
}
