import { checkNewSamples } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { seenOf } from '../data/missing.js';
import { checkNames } from '../data/names.js';
import { type DataMatrix, entriesOf, mean } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { squared } from '../programs/losses.js';
import { type SsnmfModel, type SsnmfProgram, ssnmfModels, ssnmfProgram } from '../programs/ssnmf.js';
import { type MethodDefinition, type ProgramShape, type TransformOptions, transformOptionNames } from './definition.js';
import type { FitOptions, LabelSettings, Model } from './factorization.js';
import { type Fit, readFactors, withFit } from './fit.js';
import { completed, type Given, givenFactors } from './given.js';
import { lossTransform, writeOnes } from './loss.js';
import { choice, matrixLikeX, type OptionsOf } from './options.js';
import { type Problem, problemOf } from './problem.js';
import { nnlsChain } from './q.js';
import { startOption } from './start.js';
import { checkSupervision, labelOptions, labelSettings, type SupervisionSettings, sizeOf, supervise } from './supervision.js';
import { writeMatrix } from './write-matrix.js';

const models = Object.keys(ssnmfModels).map(Number) as SsnmfModel[];

const options = {
  /**
   * The objective, 1 to 6: see `ssnmf`. Default 3 with labels, 1 without.
   * Models 1 and 2 take no labels, the others need them.
   */
  model: choice(models, `${models[0]} to ${models.at(-1)}, see docs/methods.md`, { default: '3 with labels, else 1', placeholder: 'n' }),
  /**
   * W, N×M, of zeros and ones. 0 marks a missing value, and so does NaN in X. Default: 1, and 0 where X is NaN.
   * Every row and column needs a one. X must be dense.
   */
  weights: matrixLikeX('a matrix of the same shape: 0 where a value is missing and 1 elsewhere'),
  ...labelOptions,
  /**
   * The start.
   *
   * - 'random' (default): |N(0,1)| · sqrt(mean X / k) for A and S, |N(0,1)| for B.
   * - { A, S, B }, or a fitted model. S that is left out is q(X, A), A that is left out q(Xᵀ, Sᵀ)ᵀ, no entry of them below a hundredth of
   *   their mean; B that is left out is random. Zeros that were given stay 0.
   */
  start: startOption(['random'], 'random numbers', ['A', 'S', 'B']),
};

export interface SsnmfOptions extends FitOptions, OptionsOf<typeof options> {}

export type SsnmfFactorization = Model<'ssnmf', LabelSettings & { model: SsnmfModel; weighted: boolean }>;

/**
 * (Semi-)supervised NMF: features A ≥ 0 (N×k), coefficients S ≥ 0 (k×M) and a classifier B ≥ 0 (P×k) with X ≈ AS and Y ≈ BS.
 *
 * W masks missing data, L masks unlabelled samples, and D(X ‖ Z) = Σ X log(X/Z) − X + Z. The six models minimise
 *
 *     1  ‖W∘(X − AS)‖²                              2  D(W∘X ‖ W∘AS)
 *     3  ‖W∘(X − AS)‖² + λ‖L∘(Y − BS)‖²             4  ‖W∘(X − AS)‖² + λD(L∘Y ‖ L∘BS)
 *     5  D(W∘X ‖ W∘AS) + λ‖L∘(Y − BS)‖²             6  D(W∘X ‖ W∘AS) + λD(L∘Y ‖ L∘BS)
 *
 * by multiplicative updates (programs/ssnmf.ts). They never raise the objective of models 1, 2, 3 and 6.
 * In models 4 and 5 the published update of S mixes two measures and has no such guarantee (a counterexample: docs/methods.md).
 *
 * Starts are |N(0,1)| · sqrt(mean X / k) for A and S, |N(0,1)| for B, or what `start` gives.
 * maxIterations defaults to 2000, tolerance to 1e-6 of the objective. The objective also decides between restarts.
 * relativeError is ‖W∘(X − AS)‖ / ‖W∘X‖, whatever the model. svdBound is null with weights.
 * The errors in `history` are roots of the objective, relative to ‖W∘X‖² or, for divergences, to the sum of W∘X.
 * settings holds { model, labelWeight, weighted } and, where `truth` has such, `classesWithoutLabel`.
 *
 * Haddock et al., arXiv:2010.07956; Lee, Yoo & Choi, IEEE Signal Processing Letters 17(1), 2010 (model 3).
 *
 * @throws InputError for negative or infinite entries, NaN in all of a row or column, or in a sparse X, a rank that does not fit, labels that do not fit or agree, weights that are not
 * zeros and ones or hide a whole row or column, λ < 0; ShapeError; BreakdownError, LimitError.
 */
export async function ssnmf(engine: Engine, givenX: DataMatrix, options: SsnmfOptions): Promise<SsnmfFactorization> {
  const { weights, model = options.labels ? 3 : 1 } = options;
  const problem = problemOf(ssnmfMethod, givenX, options, { maxIterations: 2000, tolerance: 1e-6 });
  const { X, W, seen, settings } = problem;
  const measures = ssnmfModels[model];
  if (measures.labels === null && options.labels)
    throw new InputError(`Model ${model} takes no labels; choose model 3, 4, 5 or 6, or leave the labels out.`, { option: 'model' });
  if (measures.labels !== null && !options.labels)
    throw new InputError(`Model ${model} needs labels; give one a sample, empty where it is unknown, or choose model 1 or 2.`, {
      option: 'model',
    });
  if (weights) checkZerosAndOnes(weights);
  const supervision = checkSupervision(options, problem, { measure: measures.data });

  const t = ssnmfProgram(X.rows, X.cols, settings.ranks[0], {
    restarts: settings.restarts,
    model,
    labelWeight: supervision?.labelWeight,
    classes: supervision?.targets.classes.length,
    masked: W !== undefined,
    csrEntries: entriesOf(X),
  });
  const given = givenFactors(options.start, problem, {
    A: [t.A],
    S: [t.S],
    B: t.labels && [t.labels.B],
    classes: supervision?.targets.classes,
  });
  const begun = given && { ...given, ...(await completed(engine, problem, given)) };
  return withFit(engine, t.program, problem, async (fit) => {
    const { run } = fit;
    writeProblem(fit, t, problem, supervision, begun);
    run.execute(t.sections.start);
    await fit.stage({
      name: 'ssnmf',
      step: t.sections.step,
      measure: t.sections.measure,
      cost: t.cost,
      norm: sizeOf(seen, measures.data),
      objective: model === 1 ? 'error' : 'of X',
      factors: (restart) => readFactors(run, [t.A], [t.S], restart),
    });
    const { objective, error, kkt } = await fit.measure([t.sections.measure, t.sections.finish], {
      objective: t.cost,
      error: t.error,
      kkt: t.kkt,
    });
    return fit.result('ssnmf', {
      A: [t.A],
      S: [t.S],
      errors: [error],
      objectives: objective,
      kkt,
      boundRanks: W && [null],
      own: { model, weighted: W !== undefined, ...labelSettings(supervision) },
      supervise: supervision && ((restart, { S }) => supervise(fit, supervision, [{ layer: 0, B: t.labels!.B }], restart, S)),
    });
  });
}

/**
 * S ≥ 0 (k×M') of new samples with the features of a fitted model, in a list of one layer.
 * Models 1, 3 and 4: argmin ‖X − AS‖², exactly. Models 2, 5 and 6: argmin D(X ‖ AS) by multiplicative updates.
 *
 * @param givenX N×M', ≥ 0, N as in the model's A[0]. NaN is a missing value, of weight 0.
 * @throws InputError for negative or infinite entries, and a sample without any value; ShapeError where newX has not as many rows as A.
 */
export async function transformSsnmf(
  engine: Engine,
  model: SsnmfFactorization,
  givenX: DataMatrix,
  options: TransformOptions = {},
): Promise<Matrix[]> {
  checkNames('transformSsnmf', options, transformOptionNames);
  const [A] = model.A;
  const which = model.settings.model;
  const loss = ssnmfModels[which].data;
  if (options.weights !== undefined) checkZerosAndOnes(options.weights);
  const { X: newX, weights } = seenOf(givenX, options.weights, { name: 'newX', newSamples: true });
  checkNewSamples(newX, A.rows);
  if (loss === squared) return nnlsChain(engine, newX, [A], { weights });

  return [await lossTransform(engine, A, newX, loss, { ...options, weights })];
}

function writeProblem(
  { run, writeRandom }: Fit,
  t: SsnmfProgram,
  { X, W }: Problem,
  supervision: SupervisionSettings | undefined,
  begun: Given = {},
): void {
  const begin = (tensor: Tensor, [given]: readonly Matrix[] = [], stream: number, scale?: number) =>
    given ? run.write(tensor, given.data) : writeRandom(tensor, stream, scale);
  const scale = Math.sqrt(mean(X, W) / t.A.cols);
  writeMatrix(run, t.X, X, t.W, W);
  writeOnes(run, t.ones);
  begin(t.A, begun.A, 0, scale);
  begin(t.S, begun.S, 1, scale);
  if (t.labels && supervision) {
    run.write(t.labels.Y, supervision.targets.Y.data);
    run.write(t.labels.L, supervision.targets.L.data);
    begin(t.labels.B, begun.B, 2);
  }
}

function checkZerosAndOnes(weights: Matrix): void {
  const at = weights.data.findIndex((w) => w !== 0 && w !== 1);
  if (at < 0) return;
  const [row, column] = [Math.floor(at / weights.cols), at % weights.cols];
  throw new InputError(`weights has the entry ${weights.data[at]} in row ${row}, column ${column}, but ssnmf takes zeros and ones alone.`, {
    option: 'weights',
    row,
    column,
  });
}

export const ssnmfMethod = {
  name: 'ssnmf',
  summary: 'NMF that fits labels, too: X ≈ AS, Y ≈ BS',
  layers: 'one',
  signed: { X: false, A: false },
  chained: true,
  options,
  applied: { model: undefined },
  fit: ssnmf,
  transform: transformSsnmf,
  program: ({ rows, cols, ranks: [k], restarts, csrEntries, weighted, classes }: ProgramShape, own: OptionsOf<typeof options>) => {
    const model = own.model ?? (classes ? 3 : 1);
    return ssnmfProgram(rows, cols, k, { restarts, model, labelWeight: own.labelWeight, classes, masked: weighted, csrEntries }).program;
  },
} as const satisfies MethodDefinition;
