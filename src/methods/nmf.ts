import type { Matrix } from '../data/matrix.js';
import { type Absent, seenOf } from '../data/missing.js';
import { type DataMatrix, isSparse, mean } from '../data/sparse.js';
import type { Engine, Run } from '../engine.js';
import { InputError } from '../errors.js';
import { betaLoss } from '../programs/losses.js';
import { mostIterations, type NmfSolver, nmfProgram, nmfSolvers } from '../programs/nmf.js';
import type { Violation } from '../programs/violation.js';
import type { FitData } from './by-columns.js';
import { writeData } from './by-columns.js';
import type { MethodDefinition, ProgramShape, TransformOptions } from './definition.js';
import type { FitOptions, Model } from './factorization.js';
import { readFactors, withFit } from './fit.js';
import { completed, givenFactors, layerEntries } from './given.js';
import { checkGuide, guideColumns, guideOption, guideRows } from './guide.js';
import { type HeldOptions, heldCounts, heldOptions, heldParts, holdColumns, holdRows, matchHeld, writeHeld } from './held.js';
import { betaOf, checkDataOfLoss, checkSolverOfLoss, type LossName, lossOption, lossTransform, wordsOf, writeOnes } from './loss.js';
import { neighbourOptions } from './neighbours.js';
import { nndsvdEntries, nndsvdStarts } from './nndsvd.js';
import { objectiveOf, penalisedNnls } from './objective.js';
import { absentOption, choice, matrixLikeX, type OptionsOf } from './options.js';
import {
  checkLaplacian,
  checkPenalties,
  type PenaltiesOfFit,
  type PenaltyOptions,
  penaltiesOf,
  penaltyOptions,
  penaltySettings,
  penaltyShapes,
  writePenalties,
} from './penalties.js';
import { entriesIn, problemOf } from './problem.js';
import { startOption } from './start.js';
import { checkSimplex, type SimplexOptions, scaledToSimplex, simplexOptions, simplexSettings, writeVolume } from './volume.js';

const options = {
  /**
   * The solver.
   *
   * - 'anls' (default): alternating exact nonnegative least squares.
   * - 'hals': one sweep of coordinate descent over each factor. An iteration is cheaper, and it takes more of them.
   * - 'mu' (default with weights, NaN or `absent` 'missing', and with a loss other than 'frobenius', which it alone takes): multiplicative updates. An iteration
   *   is as cheap as that of 'hals', and it takes many more.
   *
   * With weights 'anls' and 'hals' need k²(N + M) entries more.
   */
  solver: choice(nmfSolvers, 'multiplicative updates, coordinate descent or exact least squares', {
    default: 'anls, with weights, missing entries or another loss mu, with orthogonalA hals, with simplex anls',
  }),
  /**
   * The measure of X against AS, summed over all entries. A weight w counts w² in each.
   *
   * - 'frobenius' (default): (x − v)² / 2, for noise that is the same everywhere.
   * - 'kullback-leibler': x log(x / v) − x + v, for counts. A sparse X is measured at its stored entries, and AS is never formed.
   * - 'itakura-saito': x / v − log(x / v) − 1, for powers; every x that is not hidden must be above 0.
   * - β from −1 to 3: the β-divergence, of which these are 2, 1 and 0; x must be above 0 for β ≤ 0.
   *
   * A sparse X needs β > 0. Of another β than 1 and 2 its iterations take the time of dense products, N M k, but no memory for them.
   */
  loss: lossOption,
  ...penaltyOptions,
  ...neighbourOptions,
  ...heldOptions,
  ...simplexOptions,
  /**
   * What the entries that a sparse X does not store are.
   *
   * - 'zero' (default): zeros.
   * - 'missing': unknown, as ratings that nobody gave. The objective is Σ (x − (AS))² / 2 over the stored entries, a stored 0 included, and
   *   neither AS nor a mask is formed. Every row and column needs a stored entry. With 'frobenius' alone; 'anls' and 'hals' need k²(N + M)
   *   entries more. `transform` takes new sparse samples likewise.
   */
  absent: absentOption,
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

export type NmfFactorization = Model<
  'nmf',
  {
    solver: NmfSolver;
    loss: LossName | number;
    absent: Absent;
    laplacian?: number;
    fixed?: { A: number; S: number };
  } & Required<PenaltyOptions & SimplexOptions>
>;

/**
 * Nonnegative matrix factorization: min Σ W² ∘ d(X ‖ AS) + penalties over A ≥ 0 (N×k) and S ≥ 0 (k×M).
 *
 * d is half the squared error unless `loss` says otherwise. The penalties are M (l1A Σ A + l2A ‖A‖² / 2) + N (l1S Σ S + l2S ‖S‖² / 2),
 * M orthogonalA Σ_{s<t} a_sᵀa_t, and N laplacian tr(SLSᵀ) / 2 with the Laplacian L of `neighbours`.
 * The updates never raise the objective; only beside l2A and l2S with a β other than 2 no proof is known to us.
 *
 * Starts are |N(0,1)| · sqrt(mean X / k), the mean of the values that are not missing, or what `start` says.
 * maxIterations defaults to 2000 with 'mu', 1000 with 'hals', 500 with 'anls'; tolerance to 1e-6.
 * NaN in X is a missing value: its weight is 0. Whatever has the weight 0 may be any number, and changes no bit of the result.
 * relativeError is ‖X − AS‖ / ‖X‖ whatever the loss. `divergence` and `objective` of the result are the loss, and the loss with its
 * penalties, where they are others. Errors in `history` are then roots of the objective relative to Σ x^β.
 * With weights, relativeError is ‖W ∘ (X − AS)‖ / ‖W ∘ X‖, and svdBound is null: no closed bound is known.
 *
 * Lee & Seung, NIPS 2001 (multiplicative updates); Cichocki & Phan, IEICE Trans. Fundamentals 2009 (HALS); Kim & Park, SIAM J. Matrix
 * Anal. Appl. 2008 (alternating exact least squares); Févotte & Idier, Neural Computation 2011 (β-divergences).
 *
 * @throws InputError for negative or infinite entries, NaN in all of a row or column, or in a sparse X, zeros beside a β ≤ 0, a sparse X
 * beside a β ≤ 0, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function nmf(givenEngine: Engine, givenX: FitData, options: NmfOptions): Promise<NmfFactorization> {
  const { loss = 'frobenius', absent = 'zero', start = 'random', simplex = false } = options;
  const solverOf = (masked: boolean) => options.solver ?? solverFor(options, masked);
  const problem = problemOf(nmfMethod, givenX, options, (masked) => ({
    maxIterations: mostIterations[solverOf(masked)],
    tolerance: 1e-6,
  }));
  const { X, W, missing, settings } = problem;
  const engine = problem.columns?.over(givenEngine) ?? givenEngine;
  const masked = W !== undefined || missing;
  const solver = solverOf(masked);
  const [k] = settings.ranks;
  const { guide } = options;
  const parts = heldParts(options, problem);
  const measured = objectiveOf(options, problem, heldCounts(parts));
  checkStopping(options, solver, X, masked);
  checkGuide(guide, X, settings.ranks, start);
  if (guide?.only && solver !== 'mu')
    throw new InputError(`guide.only is for the solver 'mu', which keeps zeros, not for ${solver}; choose 'mu', or leave it out.`, {
      option: 'guide',
    });

  const t = nmfProgram(X.rows, X.cols, k, {
    restarts: settings.restarts,
    solver,
    weighted: W !== undefined,
    csrEntries: entriesIn(problem),
    missing,
    loss: measured.loss,
    penalties: penaltyShapes(measured.penalties, solver),
    violations: settings.stopping === 'violation',
    held: heldCounts(parts),
    simplex,
    volume: measured.volume,
  });
  // Columns of S that sum to one have no unit.
  const carrier = simplex ? 'A' : 'S';
  const given = givenFactors(start, problem, { A: [t.A], S: [t.S], carrier });
  // What is completed fits the columns that are held.
  if (given?.A) holdColumns(given.A[0].data, k, parts);
  if (given?.S) holdRows(given.S[0].data, k, parts);
  const [begun] = given
    ? layerEntries(await completed(engine, problem, given, () => solver === 'mu'))
    : typeof start === 'string' && start !== 'random'
      ? await nndsvdEntries(engine, [X], k, start, { settings, stream: 0 }).then((of) => [simplex ? scaledToSimplex(of, X.cols) : of])
      : [];
  return withFit(engine, t.program, { ...problem, carrier }, async (fit) => {
    const { run } = fit;
    const meanOfX = problem.columns?.mean ?? mean(X, W, missing);
    const scale = simplex ? meanOfX : Math.sqrt(meanOfX / k);
    writeData(run, t.X, X, t.W, W);
    writeOnes(run, t.ones);
    writePenalties(run, t.penalties, measured.penalties, solver);
    writeTriangles(run, t.violation);
    writeHeld(run, t.held, parts);
    writeVolume(run, t.volume);
    if (begun) {
      const own = { A: Float32Array.from(begun.A), S: Float32Array.from(begun.S) };
      holdColumns(own.A, k, parts);
      holdRows(own.S, k, parts);
      run.write(t.A, own.A);
      run.write(t.S, own.S);
    } else {
      fit.writeRandom(t.A, 0, scale, (entries) => {
        if (guide) guideColumns(entries, k, guide, scale);
        matchHeld('A', entries, [k, X.cols], parts, scale);
        holdColumns(entries, k, parts);
      });
      fit.writeRandom(t.S, 1, scale, (entries) => {
        if (guide) guideRows(entries, k, guide, X, scale);
        matchHeld('S', entries, [k, X.cols], parts, scale);
        holdRows(entries, k, parts);
      });
    }
    run.execute(t.sections.start);
    await fit.stage({
      name: 'nmf',
      step: t.sections.step,
      measure: t.sections.measure,
      cost: t.cost,
      kkt: { section: t.sections.finish, tensors: t.kkt },
      // Those of given factors are in their own scale, in which S has the unit of X; random ones have that of the fit.
      violation: t.violation && [
        { sum: t.violation.A, weight: 1 },
        { sum: t.violation.S, weight: given ? 2 ** -problem.unit : 1 },
      ],
      ...measured.stage,
      factors: (restart) => readFactors(run, [t.A], [t.S], restart),
    });
    const { cost, error, kkt } = await fit.measure([t.sections.measure, t.sections.finish], {
      cost: t.cost,
      error: t.error ?? t.cost,
      kkt: t.kkt,
    });
    return fit.result('nmf', {
      A: [t.A],
      S: [t.S],
      errors: [error],
      objectives: t.error && cost,
      kkt,
      rounds: t.sections.rounds && [t.sections.rounds],
      exact:
        (simplex || (solver === 'anls' && !parts.S)) && isExact(measured.penalties)
          ? { l1: [measured.penalties.S?.l1 ?? 0], simplex }
          : undefined,
      boundRanks: masked ? [null] : undefined,
      stated: t.error && ((restart, factors) => measured.stated(factors, cost[restart])),
      own: {
        solver,
        loss,
        absent,
        ...penaltySettings(options),
        ...simplexSettings(options),
        ...(options.laplacian && { laplacian: options.laplacian }),
        ...(heldCounts(parts) && { fixed: heldCounts(parts) }),
      },
    });
  });
}

/** Throws InputError for a rule of stopping that this fit has no measure for. */
function checkStopping(
  { stopping, loss, fixedA, fixedS, laplacian, simplex }: NmfOptions,
  solver: NmfSolver,
  X: DataMatrix,
  masked: boolean,
): void {
  if (stopping === 'kkt' && betaOf(loss) === 1 && isSparse(X))
    throw new InputError(
      "The option 'stopping' is 'kkt', but the loss 'kullback-leibler' of a sparse X has its KKT residual at the end only; choose 'objective'.",
      { option: 'stopping' },
    );
  if (stopping !== 'violation') return;
  const another = simplex
    ? 'columns that sum to one'
    : fixedA || fixedS
      ? 'components that are held'
      : laplacian
        ? 'a graph of neighbours'
        : undefined;
  const why =
    solver === 'mu'
      ? "which 'mu' does not meet, as it takes no step along a gradient"
      : masked || another
        ? `which has no sum of projected gradients with ${another ?? 'weights or missing values'}`
        : undefined;
  if (why === undefined) return;
  throw new InputError(`The option 'stopping' is 'violation', ${why}; choose 'kkt'${masked || another ? '' : ", or the solver 'hals'"}.`, {
    option: 'stopping',
  });
}

/** The triangles by which a sweep tells unknowns that it has passed from the others. */
function writeTriangles(run: Run, violation: Violation | undefined): void {
  if (!violation?.sweep) return;
  const { below, others } = violation.sweep;
  const k = below.cols;
  const passed = Float32Array.from({ length: k * k }, (_, at) => (at % k < Math.floor(at / k) ? 1 : 0));
  run.write(below, passed);
  run.write(
    others,
    passed.map((x) => 1 - x),
  );
}

/** Whether S of exact solves is q(X, A), or that with λ₁. */
const isExact = ({ S, graph }: PenaltiesOfFit) => !S?.l2 && !graph;

function absentBeside(beta: number, nameOf: (name: string) => string): InputError {
  return new InputError(
    `${nameOf('absent')} 'missing' goes with the loss 'frobenius' alone, but ${nameOf('loss')} is ${wordsOf(beta)}; leave one of them out, or give a dense X with NaN.`,
    { option: 'absent' },
  );
}

/** The default solver. */
function solverFor({ loss, orthogonalA = 0, simplex = false }: OptionsOf<typeof options>, masked: boolean): NmfSolver {
  if ((masked && !simplex) || betaOf(loss) !== 2) return 'mu';
  return orthogonalA > 0 ? 'hals' : 'anls';
}

/**
 * S ≥ 0 (k×M') of new samples with the features of a fitted model, in a list of one layer: the minimum of the loss and of the penalties of S
 * that the model was fitted with. For 'frobenius' it is exact, for the others a descent by multiplicative updates. What a sparse `newX` does
 * not store is what it was in the fit, unless `absent` says otherwise.
 */
async function transformNmf(
  engine: Engine,
  { A: [A], settings }: NmfFactorization,
  givenX: DataMatrix,
  options: TransformOptions = {},
): Promise<Matrix[]> {
  // Models of versions before these options have none of them.
  const { loss = 'frobenius', l1S = 0, l2S = 0, simplex = false, absent: fitted = 'zero' }: Partial<typeof settings> = settings;
  const beta = betaOf(loss);
  const penalty = { l1: l1S * A.rows, l2: l2S * A.rows };
  const absent = options.absent ?? (isSparse(givenX) ? fitted : 'zero');
  if (absent === 'missing' && beta !== 2) throw absentBeside(beta, (name) => name);
  const { X: newX, weights } = seenOf(givenX, options.weights, { name: 'newX', newSamples: true, absent });
  if (beta === 2) return [await penalisedNnls(engine, newX, A, { ...penalty, weights, simplex, absent })];
  checkDataOfLoss(beta, newX, weights, 'newX');
  return [await lossTransform(engine, A, newX, betaLoss(beta), { ...options, weights, ...penalty })];
}

export const nmfMethod = {
  name: 'nmf',
  summary: 'X ≈ AS',
  layers: 'one',
  signed: { X: false, A: false },
  chained: true,
  kktStops: true,
  options,
  applied: { loss: 'frobenius', l1S: 0, l2S: 0, simplex: false, absent: 'zero' },
  checkBeside(given, [k], nameOf) {
    checkSolverOfLoss(given, nameOf);
    const beta = betaOf(given.loss as LossName | number | undefined);
    if (given.absent === 'missing' && beta !== 2) throw absentBeside(beta, nameOf);
    checkPenalties(given, nameOf, { takesSimplex: true });
    checkSimplex(given, nameOf);
    // On the command line it is the name of a file, which says nothing yet.
    const { fixedA } = given as { fixedA?: HeldOptions['fixedA'] | string };
    checkLaplacian(given, typeof fixedA === 'string' || fixedA?.cols === k, nameOf);
  },
  fit: nmf,
  transform: transformNmf,
  program: ({ rows, cols, ranks: [k], restarts, csrEntries, weighted }: ProgramShape, own: OptionsOf<typeof options>) => {
    const missing = own.absent === 'missing' && csrEntries !== undefined;
    const { loss = 'frobenius', solver = solverFor(own, weighted || missing), simplex, minVolume = 0 } = own;
    // The weights of a fit are in its own unit, which only the data tell.
    const weights = penaltiesOf(own, { X: { rows, cols }, unit: 0 }, 0);
    const penalties = penaltyShapes(weights, solver);
    const volume = minVolume > 0 ? { weight: minVolume, ridge: 1 } : undefined;
    const held = heldCounts({ A: own.fixedA, S: own.fixedS });
    const beside = { loss: betaLoss(betaOf(loss)), penalties, held, simplex, volume };
    return nmfProgram(rows, cols, k, { restarts, solver, weighted, csrEntries, missing, ...beside }).program;
  },
} as const satisfies MethodDefinition;
