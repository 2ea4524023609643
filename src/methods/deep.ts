import { checkNewSamples, checkPositive } from '../data/check.js';
import { type Matrix, matrix, squaredNorm } from '../data/matrix.js';
import { type DataMatrix, entriesOf, stored } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit } from '../data/unit.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import { type Bridge, type DeepProgram, deepForwardProgram, deepProgram, type Groups, pooledShape } from '../programs/deep.js';
import type { MethodDefinition, ProgramShape } from './definition.js';
import { exactLayers } from './exact-layers.js';
import type { FitOptions, LabelSettings, Model } from './factorization.js';
import { type Fit, readFactor, readFactors, withFit } from './fit.js';
import { givenFactors, lifted } from './given.js';
import { choice, data, type OptionsOf, positive, positiveInteger } from './options.js';
import { problemOf } from './problem.js';
import { moveScale } from './scale.js';
import { startOption } from './start.js';
import { checkSupervision, labelOptions, labelSettings, supervise } from './supervision.js';
import { writeMatrix } from './write-matrix.js';

const needsPooling = { option: 'pooling', values: ['average', 'max'] };

const options = {
  /**
   * How groups of neighbours in S become one before the next layer. Default 'none'.
   *
   * - 'none': they do not.
   * - 'average': by their mean.
   * - 'max': by their maximum.
   */
  pooling: choice(['none', 'average', 'max'], 'how neighbours in S become one', { default: 'none' }),
  /** Neighbours in a group. Default 2. The last group has the rest. */
  poolSize: positiveInteger('neighbours in a group', { default: 2, needs: needsPooling }),
  /**
   * The neighbours that form groups.
   *
   * - 'features' (default): neighbouring rows of S. Aˡ⁺¹ has ⌈kₗ/size⌉ rows.
   * - 'samples': neighbouring columns of S. Sˡ⁺¹ has ⌈Mₗ/size⌉ columns. Order the samples so that neighbours belong together.
   *
   * 'samples' takes no labels, since no pooled column is one sample. It needs a dense ⌈M/size⌉×M matrix.
   */
  poolOver: choice(['features', 'samples'], 'neighbouring rows or columns of S', {
    default: 'features',
    needs: needsPooling,
    placeholder: 'side',
  }),
  /** The function f before pooling: 'identity' (default), 'power' (s^power) or 'log1p' (log(1 + s)). */
  activation: choice(['identity', 'power', 'log1p'], 'function of S between layers', { default: 'identity' }),
  /** Exponent of the activation 'power', > 0. Default 0.5. */
  power: positive('exponent of --activation power', { default: 0.5, needs: { option: 'activation', values: ['power'] } }),
  /** Weight μ_l > 0 of each layer's term in the objective. Default 1 each. */
  layerWeights: data<readonly number[]>('weights of the terms of the objective, one number > 0 a layer', { default: '1 each' }),
  /**
   * The start.
   *
   * - 'hierarchical' (default): every layer is first fitted alone to the p of the one before.
   * - 'random': |N(0,1)|.
   * - { A, S, B }, or a fitted model: lists of one for each layer. S that is left out is that of `transformDeep`, no entry of it below a
   *   hundredth of its mean; B that is left out is random. Zeros that were given stay 0.
   */
  start: startOption(['hierarchical', 'random'], 'layers fitted one by one, or random numbers', ['A', 'S', 'B']),
  /** Iterations per layer of the hierarchical start. Default 50. */
  startIterations: positiveInteger('iterations of the start', {
    default: 50,
    needs: { option: 'start', values: ['hierarchical'] },
  }),
  ...labelOptions,
};

export interface DeepOptions extends FitOptions, OptionsOf<typeof options> {}

export type DeepFactorization = Model<
  'deep',
  LabelSettings & Bridge & { layerWeights: readonly number[]; start: 'hierarchical' | 'random' | 'given'; startIterations: number }
>;

/**
 * Deep NMF with pooling: several NMF layers learned together. Between them stands a map p(S) = P f(S): an activation, then pooling of
 * neighbours. By multiplicative updates (programs/deep.ts) it minimises
 *
 *     E = μ₀‖X − A⁰S⁰‖² + Σ_{l≥1} μ_l ‖p(Sˡ⁻¹) − AˡSˡ‖²  [+ λ‖L∘(Y − BSᴸ)‖²]
 *
 * With average pooling or none, and no activation, E never increases. Max pooling and activations have no such guarantee: max pooling keeps
 * its choice of entries within an iteration, and an activation splits the gradient f'∘Pᵀ(P f(S) − R) into its two parts.
 *
 * This is our variant of Flenner & Hunter, "A deep non-negative matrix factorization neural network" (2018). They describe NMF layers with
 * pooling in between and multiplicative back-propagation; their exact equations are not available to us.
 * E alone does not fix how scale is shared between A⁰ and S⁰, so long runs slowly take weight from the deeper terms.
 *
 * relativeError, also in `layers`, is ‖X − X̂‖ / ‖X‖ with X̂ = A⁰ u(A¹ u(… AˡSˡ)). u undoes p: an average goes to every member of its
 * group, a maximum to the entry of the fitted S that was the largest, the others being 0; then f⁻¹ is taken. p(u(R)) = R always. With no
 * pooling and no activation X̂ is the A⁰A¹…AˡSˡ of the other methods.
 * svdBound is null where X̂ can have a larger rank than k_l: with max pooling or an activation, beyond layer 0.
 * With pooling over samples Sˡ has ⌈M/sizeˡ⌉ columns.
 *
 * maxIterations defaults to 1000, tolerance to 1e-6 of E. E also decides between restarts. settings holds the options that `transformDeep`
 * needs.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit the pooled shapes, labels that do not fit or agree,
 * λ < 0, bad options; ShapeError; BreakdownError, LimitError.
 */
export async function deepNmf(engine: Engine, givenX: DataMatrix, options: DeepOptions): Promise<DeepFactorization> {
  const { start = 'hierarchical', startIterations = 50 } = options;
  const problem = problemOf(deepMethod, givenX, options, { maxIterations: 1000, tolerance: 1e-6 });
  const { X, settings } = problem;
  const { ranks } = settings;
  const bridge = bridgeOf(options);
  checkPooledRanks(ranks, X, bridge);
  const layerWeights = layerWeightsOf(options.layerWeights, ranks);
  const supervision = checkSupervision(options, problem);
  if (supervision && bridge.pooling !== 'none' && bridge.poolOver === 'samples' && ranks.length > 1)
    throw new InputError("Pooling over samples leaves no column for each label; use poolOver 'features', or leave the labels out.", {
      option: 'poolOver',
    });

  const t = deepProgram(X.rows, X.cols, ranks, {
    restarts: settings.restarts,
    csrEntries: entriesOf(X),
    bridge,
    weights: layerWeights,
    supervision: supervision && { classes: supervision.targets.classes.length, labelWeight: supervision.labelWeight },
  });
  const linear = bridge.activation === 'identity' && bridge.pooling !== 'max';
  // An activation would see S in another unit.
  const carrier = bridge.activation === 'identity' ? 'S' : 'A0';
  const given = givenFactors(start, problem, {
    A: t.A,
    S: t.S,
    B: t.labels && [t.labels.B],
    classes: supervision?.targets.classes,
    carrier,
    needsA: true,
  });
  const begun = given && {
    A: given.A!,
    S: given.S ?? (await forwardS(engine, { A: given.A!, ranks, bridge }, X)).map(lifted),
  };
  return withFit(engine, t.program, { ...problem, carrier }, async (fit) => {
    const { run } = fit;
    writeMatrix(run, t.X, X);
    writeGroups(run, t.groups, bridge);
    t.A.forEach((tensor, l) => {
      if (begun) {
        run.write(tensor, begun.A[l].data);
        run.write(t.S[l], begun.S[l].data);
        return;
      }
      fit.writeRandom(tensor, 2 * l);
      fit.writeRandom(t.S[l], 2 * l + 1);
    });
    if (t.labels && supervision) {
      run.write(t.labels.Y, supervision.targets.Y.data);
      run.write(t.labels.L, supervision.targets.L.data);
      if (given?.B) run.write(t.labels.B, given.B[0].data);
      else fit.writeRandom(t.labels.B, 2 * ranks.length);
    }
    if (start === 'hierarchical') await fitAlone(fit, t, startIterations);
    await fit.stage({
      name: 'all layers',
      step: 'step',
      measure: 'measure',
      cost: t.cost,
      norm: layerWeights[0] * squaredNorm(stored(X)),
      factors: (restart) => readFactors(run, t.A, t.S, restart),
    });
    const { cost, errors, kkt } = await fit.measure(['measure', 'errors', 'finish'], { cost: t.cost, errors: t.errors, kkt: t.kkt.flat() });
    return fit.result('deep', {
      A: t.A,
      S: t.S,
      errors,
      objectives: cost,
      kkt,
      // Beyond layer 0, X̂ after max pooling or an activation can have a larger rank than k_l.
      boundRanks: linear ? ranks : ranks.map((rank, l) => (l === 0 ? rank : null)),
      inner: t.lifted,
      own: {
        ...bridge,
        layerWeights,
        start: given ? 'given' : (start as 'hierarchical' | 'random'),
        startIterations,
        ...labelSettings(supervision),
      },
      supervise:
        supervision && ((restart, { S }) => supervise(fit, supervision, [{ layer: ranks.length - 1, B: t.labels!.B }], restart, S)),
    });
  });
}

/**
 * Sˡ ≥ 0 of every layer for new samples with the features of a fitted model, forward only: S⁰ = q(X, A⁰), Sˡ = q(p(Sˡ⁻¹), Aˡ), exactly.
 * In training, later layers act back on Sˡ. So the S of the training samples differ a little from those of this function.
 *
 * @param newX N×M', ≥ 0, N as in the model's A[0].
 * @throws InputError for negative, NaN or infinite entries; ShapeError where newX has not as many rows as A⁰.
 */
export async function transformDeep(engine: Engine, model: DeepFactorization, newX: DataMatrix): Promise<Matrix[]> {
  checkNewSamples(newX, model.A[0].rows);
  return forwardS(engine, { ...model, bridge: bridgeOf(model.settings) }, newX);
}

/** S of every layer, forward only. */
async function forwardS(
  engine: Engine,
  model: Pick<DeepFactorization, 'A' | 'ranks'> & { bridge: Bridge },
  newX: DataMatrix,
): Promise<Matrix[]> {
  const { bridge } = model;
  const { program, ...t } = deepForwardProgram(newX.rows, newX.cols, model.ranks, bridge, entriesOf(newX));
  // Every S grows with X; before an activation it must not, so there A⁰ is divided, too.
  const unit = powerOfTwoUnit(stored(newX));
  const unitOfA = bridge.activation === 'identity' ? 0 : unit;
  const X = matrixTimesPowerOfTwo(newX, -unit);
  const A = model.A.map((factor, l) => matrixTimesPowerOfTwo(factor, l === 0 ? -unitOfA : 0));
  return withRun(engine, program, async (run) => {
    writeMatrix(run, t.X, X);
    writeGroups(run, t.groups, bridge);
    t.A.forEach((tensor, l) => {
      run.write(tensor, A[l].data);
    });
    const S: Matrix[] = [];
    for (let l = 0; l < t.S.length; l++) {
      run.execute(`layer${l}`);
      const [found, target, rounds] = await Promise.all(
        [t.S[l], t.targets[l], t.rounds[l]].map((tensor) => (tensor === t.X ? X : readFactor(run, tensor, 0))),
      );
      const exact = exactLayers(target, [A[l]], [found as Matrix], { rounds: [stored(rounds)] });
      if (exact.moved) run.write(t.S[l], exact.S[0].data);
      S.push(exact.S[0]);
    }
    return S.map((factor) => matrixTimesPowerOfTwo(factor, unit - unitOfA));
  });
}

/** The start: each layer alone, to the p of the one before, with its scale moved into S. */
async function fitAlone(fit: Fit, t: DeepProgram, maxIterations: number): Promise<void> {
  const { run } = fit;
  for (let l = 0; l < t.A.length; l++) {
    const { start, step, measure } = t.layers[l];
    if (l > 0) run.execute(`pass${l}`);
    run.execute(start);
    await fit.stage({
      name: `layer ${l + 1} of ${t.A.length}`,
      step,
      measure,
      cost: t.layerCost[l],
      objective: l === 0 ? 'error' : 'of S',
      maxIterations,
      start: true,
      factors: (restart) => readFactors(run, t.A.slice(0, l + 1), t.S.slice(0, l + 1), restart),
    });
    await moveScale(run, t.A[l], t.S[l]);
  }
}

function writeGroups(run: Run, groups: readonly (Groups | undefined)[], { poolSize }: Bridge): void {
  for (const group of groups) {
    if (!group) continue;
    const { rows, cols } = group.U;
    const U = matrix(rows, cols);
    const P = matrix(rows, cols);
    for (let i = 0; i < cols; i++) {
      const g = Math.floor(i / poolSize);
      U.data[g * cols + i] = 1;
      P.data[g * cols + i] = 1 / (Math.min(cols, (g + 1) * poolSize) - g * poolSize);
    }
    run.write(group.U, U.data);
    if (group.P) run.write(group.P, P.data);
  }
}

function bridgeOf({
  pooling = 'none',
  poolSize = 2,
  poolOver = 'features',
  activation = 'identity',
  power = 0.5,
}: Partial<Bridge>): Bridge {
  return { pooling, poolSize, poolOver, activation, power };
}

function checkPooledRanks(ranks: readonly number[], X: DataMatrix, bridge: Bridge): void {
  let left = { rows: ranks[0], cols: X.cols };
  for (let l = 1; l < ranks.length; l++) {
    left = pooledShape(bridge, left.rows, left.cols);
    if (ranks[l] > Math.min(left.rows, left.cols))
      throw new InputError(
        `Pooling leaves layer ${l} a ${left.rows}×${left.cols} matrix, too small for rank ${ranks[l]}; choose a smaller rank or poolSize.`,
        { option: 'ranks' },
      );
    left = { rows: ranks[l], cols: left.cols };
  }
}

function layerWeightsOf(weights: readonly number[] | undefined, ranks: readonly number[]): readonly number[] {
  if (weights === undefined) return ranks.map(() => 1);
  if (weights.length !== ranks.length)
    throw new InputError(`There are ${weights.length} layerWeights for ${ranks.length} layers; give one for each.`, {
      option: 'layerWeights',
    });
  weights.forEach((weight, l) => {
    checkPositive(`The weight of layer ${l}`, weight);
  });
  return weights;
}

export const deepMethod = {
  name: 'deep',
  summary: 'all layers by multiplicative updates, with pooling between them',
  layers: 'many',
  signed: { X: false, A: false },
  chained: false,
  options,
  applied: { ...bridgeOf({}) },
  renamed: { weights: "'layerWeights'" },
  checkBeside({ pooling = 'none', activation = 'identity' }, ranks, nameOf) {
    if (ranks.length > 1 || (pooling === 'none' && activation === 'identity')) return;
    const name = pooling === 'none' ? 'activation' : 'pooling';
    throw new InputError(
      `${nameOf(name)} acts between layers, but ${nameOf('ranks')} ${ranks[0]} is of one layer; give a rank for each of two or more.`,
      { option: name },
    );
  },
  fit: deepNmf,
  transform: transformDeep,
  program: ({ rows, cols, ranks, restarts, csrEntries, classes }: ProgramShape, own: OptionsOf<typeof options>) => {
    const supervision = classes ? { classes, labelWeight: own.labelWeight ?? 1 } : undefined;
    const weights = layerWeightsOf(own.layerWeights, ranks);
    return deepProgram(rows, cols, ranks, { restarts, csrEntries, bridge: bridgeOf(own), weights, supervision }).program;
  },
} as const satisfies MethodDefinition;
