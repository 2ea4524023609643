import { checkWeights } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, entriesOf, isSparse, mean, stored } from '../data/sparse.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { type NmfSolver, nmfProgram } from '../methods/nmf.js';
import {
  checkFit,
  type Factorization,
  type FitOptions,
  finishFit,
  randomFactors,
  readFactors,
  runStage,
  type Settings,
  squaredNorm,
  writeMatrix,
} from './fit.js';

export interface NmfOptions extends FitOptions {
  /** k, the number of columns of A: from 1 to min(N, M, 128). */
  rank: number;
  /**
   * 'anls' (default): alternating exact nonnegative least squares. 'mu': multiplicative updates, cheaper an iteration, many more of
   * them. With weights 'mu' is the default, since 'anls' then needs k²(N + M) entries more.
   */
  solver?: NmfSolver;
  /** W ≥ 0, N×M, multiplies residuals entrywise: 0 marks a missing value. Needs a dense X. */
  weights?: Matrix;
}

/**
 * Nonnegative matrix factorization: min ‖W ∘ (X − AS)‖² over A ≥ 0 (N×k) and S ≥ 0 (k×M).
 *
 * Starts: |N(0,1)| · sqrt(mean X / k). 'mu' stops after 2000 iterations or at a tolerance of 1e-6, 'anls' after 500 or 1e-6.
 * Lee & Seung, NIPS 2001 (multiplicative updates); Kim & Park, SIAM J. Matrix Anal. Appl. 2008 (alternating exact least squares).
 *
 * With weights, relativeError is ‖W ∘ (X − AS)‖ / ‖W ∘ X‖ and svdBound is null: no closed bound is known.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function nmf(engine: Engine, X: DataMatrix, options: NmfOptions): Promise<Factorization> {
  const started = performance.now();
  const { rank, weights, solver = weights ? 'mu' : 'anls' } = options;
  const settings = checkFit(
    X,
    [rank],
    options,
    solver === 'mu' ? { maxIterations: 2000, tolerance: 1e-6 } : { maxIterations: 500, tolerance: 1e-6 },
  );
  if (solver !== 'mu' && solver !== 'anls') throw new InputError(`solver must be 'mu' or 'anls', not ${JSON.stringify(solver)}.`);
  if (weights) checkWeights(weights, X, 'weights');

  const t = nmfProgram(X.rows, X.cols, rank, {
    restarts: settings.restarts,
    solver,
    weighted: weights !== undefined,
    csrEntries: entriesOf(X),
  });
  return withRun(engine, t.program, async (run) => {
    writeMatrix(run, t.X, X);
    if (weights) run.write(t.W!, weights.data);
    writeStarts(run, t, X, rank, settings);
    run.execute(t.sections.start);
    const seen = weights && !isSparse(X) ? { ...X, data: X.data.map((x, i) => x * weights.data[i]) } : X;
    const norm = squaredNorm(stored(seen));
    if (norm === 0) throw new InputError('The weights leave no entry of X that is not zero; there is nothing to factorize.');
    const result = await runStage(
      run,
      {
        name: 'nmf',
        step: t.sections.step,
        measure: t.sections.measure,
        cost: t.cost,
        norm: new Array<number>(settings.restarts).fill(norm),
        maxIterations: settings.maxIterations,
        factors: (restart) => readFactors(run, [t.A], [t.S], restart),
      },
      settings,
      started,
    );
    run.execute(t.sections.measure);
    run.execute(t.sections.finish);
    const [cost, ofS, ofA] = (await run.sample([t.cost, ...t.kkt])).map((values) => Array.from(values));
    return finishFit(run, [t.A], [t.S], {
      method: 'nmf',
      X: seen,
      ranks: [rank],
      settings: weights ? { ...settings, svdBound: false } : settings,
      squaredErrors: [cost],
      stages: [{ name: 'nmf', result }],
      kkt: ofS.map((s, r) => Math.max(s, ofA[r])),
      rounds: t.sections.rounds ? [t.sections.rounds] : [],
      started,
      own: { solver },
    });
  });
}

function writeStarts(run: Run, t: { A: Tensor; S: Tensor }, X: DataMatrix, rank: number, settings: Settings): void {
  const scale = Math.sqrt(mean(X) / rank);
  run.write(t.A, randomFactors(X.rows, rank, settings, 0, scale));
  run.write(t.S, randomFactors(rank, X.cols, settings, 1, scale));
}
