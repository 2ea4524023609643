/** The penalties of a fit: their options, their weights in the unit of the fit, and their value in f64. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import type { Run } from '../engine.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { Penalties, PenaltyShape, PenaltyWeights } from '../programs/penalties.js';
import { columnProduct, diagonal, rowProduct } from './loss.js';
import { checkNeighbours, graphInF64, graphOf, graphShape, type NeighbourGraph, type NeighbourOptions, writeGraph } from './neighbours.js';
import { atLeastZero, type OptionsOf } from './options.js';
import { inOwnUnit } from './problem.js';

export const penaltyOptions = {
  /**
   * λ ≥ 0, the weight of Σ A beside the loss: the objective has λ M Σ A for M samples. Default 0. It makes A sparse.
   * The number of samples stands beside it, so that one λ means the same for few samples and many: alpha · l1_ratio of scikit-learn.
   */
  l1A: atLeastZero('weight of the sum of A, times the number of samples', { default: 0, placeholder: 'λ' }),
  /** λ ≥ 0, the weight of Σ S beside the loss: the objective has λ N Σ S for N features. Default 0. It makes S sparse. */
  l1S: atLeastZero('weight of the sum of S, times the number of features', { default: 0, placeholder: 'λ' }),
  /** λ ≥ 0, the weight of ‖A‖² / 2 beside the loss, times M as with `l1A`: alpha · (1 − l1_ratio) of scikit-learn. Default 0. */
  l2A: atLeastZero('weight of half the squared norm of A, times the number of samples', { default: 0, placeholder: 'λ' }),
  /** λ ≥ 0, the weight of ‖S‖² / 2 beside the loss, times N as with `l1S`. Default 0. */
  l2S: atLeastZero('weight of half the squared norm of S, times the number of features', { default: 0, placeholder: 'λ' }),
  /**
   * μ ≥ 0, the weight of Σ_{s<t} a_sᵀa_t over pairs of columns of A, times M as with `l1A`: columns that share no features have none. Default 0.
   * Needs `l1S`, `l2S` or `simplex`, since otherwise the scale of A moves into S and takes the penalty away. Not with 'anls', whose problem for A would
   * not be convex.
   */
  orthogonalA: atLeastZero('weight of the products of columns of A with each other, times the number of samples', {
    default: 0,
    placeholder: 'μ',
  }),
};

export type PenaltyOptions = OptionsOf<typeof penaltyOptions>;

/** The options with their defaults, as a model keeps them. */
export function penaltySettings({ l1A = 0, l1S = 0, l2A = 0, l2S = 0, orthogonalA = 0 }: PenaltyOptions): Required<PenaltyOptions> {
  return { l1A, l1S, l2A, l2S, orthogonalA };
}

/** Throws InputError for penalties that have no meaning beside the other options. */
export function checkPenalties(
  given: Readonly<Record<string, unknown>>,
  nameOf: (name: string) => string,
  { takesSimplex = false }: { takesSimplex?: boolean } = {},
): void {
  const { orthogonalA = 0, l1S = 0, l2S = 0, solver, simplex = false } = given;
  if (orthogonalA === 0) return;
  if ([solver].flat().includes('anls'))
    throw new InputError(
      `${nameOf('orthogonalA')} makes the problem for A not convex, which ${nameOf('solver')} 'anls' cannot solve exactly; choose 'hals' or 'mu'.`,
      { option: 'orthogonalA' },
    );
  const scales = [nameOf('l1S'), nameOf('l2S')];
  if (l1S === 0 && l2S === 0 && !simplex)
    throw new InputError(
      `${nameOf('orthogonalA')} ${orthogonalA} does nothing without ${inWords(takesSimplex ? [...scales, nameOf('simplex')] : scales, 'or')}: the scale of A would move into S; give one of them.`,
      { option: 'orthogonalA' },
    );
}

/** Throws InputError for penalties of a hierarchy beside labels, and beside `normalize`, which would take the scale of A from them. */
export function checkBesidePenalties(
  given: PenaltyOptions,
  { labels, normalize }: { labels?: unknown; normalize?: unknown },
  nameOf: (name: string) => string,
): void {
  const [option] = Object.entries(penaltySettings(given)).flatMap(([name, weight]) => (weight > 0 ? [name] : []));
  if (option === undefined) return;
  if (labels !== undefined)
    throw new InputError(`${nameOf(option)} does not go with ${nameOf('labels')}, whose layers have no penalties; leave one of them out.`, {
      option,
    });
  if (normalize === true)
    throw new InputError(
      `${nameOf('normalize')} moves the scale of A into S after each layer, but ${nameOf(option)} gives it a meaning; leave one of them out.`,
      { option: 'normalize' },
    );
}

/** Throws InputError where the scale of S would move into A and take the penalty of neighbours away. `held` says whether all of A is held. */
export function checkLaplacian(given: Readonly<Record<string, unknown>>, held: boolean, nameOf: (name: string) => string): void {
  const { laplacian = 0, l1A = 0, l2A = 0 } = given;
  if (laplacian === 0 || l1A !== 0 || l2A !== 0 || held) return;
  throw new InputError(
    `${nameOf('laplacian')} ${laplacian} does nothing without ${nameOf('l1A')} or ${nameOf('l2A')}: the scale of S would move into A; give one of them.`,
    { option: 'laplacian' },
  );
}

export interface PenaltiesOfFit {
  A?: PenaltyWeights;
  S?: PenaltyWeights;
  graph?: NeighbourGraph;
}

/**
 * A unit that has died out divides by this in a sweep, and stays 0: entries of X are about 1. An exact solve leaves it out where its diagonal
 * is 0; beside one as small as this, its right side −λ₁ would count for more than those of all others.
 */
const least = 2 ** -64;

/** The weights against the X of the fit, with the numbers of samples and features that stand beside them. */
export function penaltiesOf(
  { l1A = 0, l1S = 0, l2A = 0, l2S = 0, orthogonalA = 0, laplacian = 0, neighbours }: PenaltyOptions & NeighbourOptions,
  { X, unit }: { X: Pick<DataMatrix, 'rows' | 'cols'>; unit: number },
  objectiveUnit: number,
  simplex = false,
): PenaltiesOfFit {
  // S is 2^unit of its own, A its own (on the simplex the other way round), and the loss 2^objectiveUnit of its own.
  const [unitOfA, unitOfS] = simplex ? [unit, 0] : [0, unit];
  const own = (name: string, value: number, count: number, exponent: number) =>
    value === 0 ? 0 : inOwnUnit(name, value * count, objectiveUnit - exponent);
  const A = {
    l1: own('l1A', l1A, X.cols, unitOfA),
    l2: own('l2A', l2A, X.cols, 2 * unitOfA),
    orthogonal: own('orthogonalA', orthogonalA, X.cols, 2 * unitOfA),
  };
  const S = { l1: own('l1S', l1S, X.rows, unitOfS), l2: own('l2S', l2S, X.rows, 2 * unitOfS) };
  const some = ({ l1, l2, orthogonal = 0 }: PenaltyWeights) => l1 > 0 || l2 > 0 || orthogonal > 0;
  const W = neighbours && checkNeighbours(neighbours, X.cols);
  const graph = W && laplacian > 0 ? graphOf(W, own('laplacian', laplacian, X.rows, 2 * unit)) : undefined;
  return { ...(some(A) && { A }), ...((some(S) || graph) && { S }), ...(graph && { graph }) };
}

/** What the program has to know. HALS divides by the diagonal of Q + G, so it gets a Q always; exact solves do. */
export function penaltyShapes(penalties: PenaltiesOfFit, solver: string): { A?: PenaltyShape; S?: PenaltyShape } {
  const { graph } = penalties;
  const shape = ({ l1, l2, orthogonal = 0 }: PenaltyWeights) => ({ l1, quadratic: l2 > 0 || orthogonal > 0 || solver !== 'mu' });
  return {
    ...(penalties.A && { A: shape(penalties.A) }),
    ...(penalties.S && { S: { ...shape(penalties.S), ...(graph && { graph: graphShape(graph, solver) }) } }),
  };
}

/** Whether a fit has penalties. */
export const isPenalised = (options: PenaltyOptions): boolean => Object.values(penaltySettings(options)).some((weight) => weight > 0);

/** The penalties of each layer of a hierarchy, of which layer l is a fit of k_{l−1}×M; undefined where there are none. */
export function penaltiesOfLayers(
  options: PenaltyOptions,
  { X, unit, costUnit, ranks }: { X: Pick<DataMatrix, 'rows' | 'cols'>; unit: number; costUnit: number; ranks: readonly number[] },
  beta: number,
): PenaltiesOfFit[] | undefined {
  if (!isPenalised(options)) return undefined;
  // Weights of X have a unit of their own, and those of the deeper layers are 1.
  const given = (l: number) => beta * unit + (l === 0 ? 2 * (costUnit - unit) : 0);
  return ranks.map((_, l) => penaltiesOf(options, { X: { rows: l === 0 ? X.rows : ranks[l - 1], cols: X.cols }, unit }, given(l)));
}

export function writePenalties(run: Run, tensors: Penalties, penalties: PenaltiesOfFit, solver: string): void {
  for (const of of ['A', 'S'] as const) {
    const [t, weights] = [tensors[of], penalties[of]];
    const graph = of === 'S' ? penalties.graph : undefined;
    if (t?.graph && graph) writeGraph(run, t.graph, graph);
    if (!t?.Q || !weights) continue;
    const k = t.Q.rows;
    const withDiagonal = (value: number) => diagonal(k, value).map((q, at) => (at % (k + 1) === 0 ? q : (weights.orthogonal ?? 0)));
    const onDiagonal = weights.l2 + (solver === 'hals' ? least : 0);
    const majorizer = withDiagonal(onDiagonal + (graph?.bound ?? 0));
    run.write(t.Q, withDiagonal(onDiagonal));
    if (t.majorizer) run.write(t.majorizer, majorizer);
    if (t.columnOfQ) run.write(t.columnOfQ, majorizer);
    if (t.ones) run.write(t.ones, onesOf(t.ones));
  }
}

const onesOf = ({ rows }: Tensor) => new Float32Array(rows).fill(1);

/** The penalties of factors in the unit of the fit, in f64. */
export function penaltiesInF64(penalties: PenaltiesOfFit, A: Matrix, S: Matrix): number {
  const sum = ({ data }: Matrix) => data.reduce((total, x) => total + x, 0);
  let total = 0;
  if (penalties.A) {
    total += penalties.A.l1 * sum(A);
    const { l2, orthogonal = 0 } = penalties.A;
    for (let t = 0; t < A.cols; t++) {
      if (l2 > 0) total += (l2 / 2) * columnProduct(A, t, t);
      if (orthogonal > 0) for (let u = 0; u < t; u++) total += orthogonal * columnProduct(A, t, u);
    }
  }
  if (penalties.S) {
    total += penalties.S.l1 * sum(S);
    for (let t = 0; t < S.rows; t++) total += (penalties.S.l2 / 2) * rowProduct(S, t, t);
  }
  if (penalties.graph) total += graphInF64(penalties.graph, S);
  return total;
}
