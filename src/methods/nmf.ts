import { type DataMatrix, entriesOf, mean } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { mostIterations, type NmfSolver, nmfProgram, nmfSolvers } from '../programs/nmf.js';
import type { MethodDefinition, ProgramShape, TransformOptions } from './definition.js';
import type { FitOptions, Model } from './factorization.js';
import { readFactors, withFit, writeMatrix } from './fit.js';
import { completed, givenFactors, layerEntries } from './given.js';
import { checkGuide, guideColumns, guideOption, guideRows } from './guide.js';
import { nndsvdEntries, nndsvdStarts } from './nndsvd.js';
import { choice, matrixLikeX, type OptionsOf } from './options.js';
import { problemOf } from './problem.js';
import { nnlsChain } from './q.js';
import { startOption } from './start.js';

const options = {
  /**
   * The solver.
   *
   * - 'anls' (default): alternating exact nonnegative least squares.
   * - 'hals': one sweep of coordinate descent over each factor. An iteration is cheaper, and it takes more of them.
   * - 'mu' (default with weights or NaN): multiplicative updates. An iteration is as cheap as that of 'hals', and it takes many more.
   *
   * With weights 'anls' and 'hals' need k²(N + M) entries more.
   */
  solver: choice(nmfSolvers, 'multiplicative updates, coordinate descent or exact least squares', { default: 'anls, with weights mu' }),
  /**
   * W ≥ 0, N×M, multiplies residuals entrywise. 0 marks a missing value, and so does NaN in X. Default: 1, and 0 where X is NaN.
   * X must be dense.
   */
  weights: matrixLikeX('a matrix of the same shape: 0 where a value is missing, else its weight'),
  /**
   * { columns, only }: N×g columns ≥ 0 that the first g columns of A start from, whatever their scale, in every restart.
   * `only: true` keeps the zeros of `columns` in A; with 'mu' alone. Then kktResidual counts the entries that are held, too.
   */
  guide: guideOption,
  /**
   * The start.
   *
   * - 'random' (default): |N(0,1)| · sqrt(mean X / k).
   * - 'nndsvd': from the leading singular vectors of X (Boutsidis & Gallopoulos 2008). About half of its entries are 0, which 'mu' keeps.
   * - 'nndsvda': the same, with the mean of X in place of the zeros.
   * - 'nndsvdar': the same, with |N(0,1)| times a hundredth of the mean in place of the zeros.
   * - { A, S }, or a fitted model. S that is left out is q(X, A), and A that is left out q(Xᵀ, Sᵀ)ᵀ; with 'mu' no entry of these starts below
   *   a hundredth of their mean. 'anls' begins by solving S from A, whatever S was given.
   *
   * Zeros that were given stay 0 with 'mu'. Means are those of X in the unit of the fit (docs/methods.md).
   */
  start: startOption(['random', ...nndsvdStarts], 'random numbers, or the singular vectors of X', ['A', 'S']),
};

export interface NmfOptions extends FitOptions, OptionsOf<typeof options> {}

export type NmfFactorization = Model<'nmf', { solver: NmfSolver }>;

/**
 * Nonnegative matrix factorization: min ‖W ∘ (X − AS)‖² over A ≥ 0 (N×k) and S ≥ 0 (k×M).
 *
 * Starts are |N(0,1)| · sqrt(mean X / k), the mean of the values that are not missing, or what `start` says.
 * maxIterations defaults to 2000 with 'mu', 1000 with 'hals', 500 with 'anls'; tolerance to 1e-6.
 * NaN in X is a missing value: its weight is 0. Whatever has the weight 0 may be any number, and changes no bit of the result.
 * With weights, relativeError is ‖W ∘ (X − AS)‖ / ‖W ∘ X‖, and svdBound is null: no closed bound is known.
 *
 * Lee & Seung, NIPS 2001 (multiplicative updates); Cichocki & Phan, IEICE Trans. Fundamentals 2009 (HALS); Kim & Park, SIAM J. Matrix
 * Anal. Appl. 2008 (alternating exact least squares).
 *
 * @throws InputError for negative or infinite entries, NaN in all of a row or column, or in a sparse X, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function nmf(engine: Engine, givenX: DataMatrix, options: NmfOptions): Promise<NmfFactorization> {
  const { start = 'random' } = options;
  const solverOf = (weighted: boolean) => options.solver ?? (weighted ? 'mu' : 'anls');
  const problem = problemOf(nmfMethod, givenX, options, (weighted) => ({
    maxIterations: mostIterations[solverOf(weighted)],
    tolerance: 1e-6,
  }));
  const { X, W, settings } = problem;
  const solver = solverOf(W !== undefined);
  const [k] = settings.ranks;
  const { guide } = options;
  checkGuide(guide, X, settings.ranks, start);
  if (guide?.only && solver !== 'mu')
    throw new InputError(`guide.only is for the solver 'mu', which keeps zeros, not for ${solver}; choose 'mu', or leave it out.`, {
      option: 'guide',
    });

  const t = nmfProgram(X.rows, X.cols, k, {
    restarts: settings.restarts,
    solver,
    weighted: W !== undefined,
    csrEntries: entriesOf(X),
  });
  const given = givenFactors(start, problem, { A: [t.A], S: [t.S] });
  const [begun] = given
    ? layerEntries(await completed(engine, problem, given, () => solver === 'mu'))
    : typeof start === 'string' && start !== 'random'
      ? [await nndsvdEntries(engine, [X], k, start, { settings, stream: 0 })]
      : [];
  return withFit(engine, t.program, problem, async (fit) => {
    const { run } = fit;
    const scale = Math.sqrt(mean(X, W) / k);
    writeMatrix(run, t.X, X);
    if (W) run.write(t.W!, W.data);
    if (begun) {
      run.write(t.A, begun.A);
      run.write(t.S, begun.S);
    } else {
      fit.writeRandom(t.A, 0, scale, guide && ((entries) => guideColumns(entries, k, guide, scale)));
      fit.writeRandom(t.S, 1, scale, guide && ((entries) => guideRows(entries, k, guide, X, scale)));
    }
    run.execute(t.sections.start);
    await fit.stage({
      name: 'nmf',
      step: t.sections.step,
      measure: t.sections.measure,
      cost: t.cost,
      kkt: { section: t.sections.finish, tensors: t.kkt },
      objective: 'error',
      factors: (restart) => readFactors(run, [t.A], [t.S], restart),
    });
    const { cost, kkt } = await fit.measure([t.sections.measure, t.sections.finish], { cost: t.cost, kkt: t.kkt });
    return fit.result('nmf', {
      A: [t.A],
      S: [t.S],
      errors: [cost],
      kkt,
      rounds: t.sections.rounds && [t.sections.rounds],
      exact: solver === 'anls' ? {} : undefined,
      boundRanks: W && [null],
      own: { solver },
    });
  });
}

export const nmfMethod = {
  name: 'nmf',
  summary: 'X ≈ AS',
  layers: 'one',
  signed: { X: false, A: false },
  chained: true,
  kktStops: true,
  options,
  fit: nmf,
  transform: (engine: Engine, { A }: NmfFactorization, newX: DataMatrix, { weights }: TransformOptions = {}) =>
    nnlsChain(engine, newX, A, { weights }),
  program: ({ rows, cols, ranks: [k], restarts, csrEntries, weighted }: ProgramShape, { solver }: OptionsOf<typeof options>) =>
    nmfProgram(rows, cols, k, { restarts, solver: solver ?? (weighted ? 'mu' : 'anls'), weighted, csrEntries }).program,
} as const satisfies MethodDefinition;
