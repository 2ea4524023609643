/** The options `simplex` and `minVolume` of nmf: their checks, the volume in the unit of the fit, and its value in f64. */
import type { Matrix } from '../data/matrix.js';
import { stored } from '../data/sparse.js';
import type { Run } from '../engine.js';
import { InputError } from '../errors.js';
import type { Volume, VolumeShape } from '../programs/volume.js';
import { columnProduct, diagonal } from './loss.js';
import { atLeastZero, flag, type OptionsOf } from './options.js';
import type { Problem } from './problem.js';

export const simplexOptions = {
  /**
   * Whether columns of S sum to one: abundances, proportions. Default false. S is then the exact solution for A with 'anls' and 'hals' alike,
   * which differ in the step of A, and A takes the unit of X. Not with 'mu', nor with a loss other than 'frobenius'. Every start begins by
   * solving S from A; a random A is |N(0,1)| · mean X.
   */
  simplex: flag('make columns of S sum to one', { default: false }),
  /**
   * λ ≥ 0, the weight of the volume of A, with `simplex` alone: the objective has (λ / 2) ‖W ∘ X‖² log det(AᵀA / (δ u²) + I) with u² the mean
   * squared length of a sample and δ = 0.01. Default 0. It draws the columns of A together until they just hold the samples, so that it finds
   * features that no sample has alone. λ has no unit; 1e-5 to 1e-4 is usual, more where X has more noise. Not with 'mu'.
   */
  minVolume: atLeastZero('weight of the volume of A (log det), relative to the squared norm of X; needs simplex', {
    default: 0,
    placeholder: 'λ',
  }),
};

export type SimplexOptions = OptionsOf<typeof simplexOptions>;

/** The options with their defaults, as a model keeps them. */
export function simplexSettings({ simplex = false, minVolume = 0 }: SimplexOptions): Required<SimplexOptions> {
  return { simplex, minVolume };
}

/** δ: directions in which the columns of A differ by less than a tenth of the length of a sample hardly count. */
const ridgeOfVolume = 0.01;

/** Throws InputError where these options have no meaning beside the others. */
export function checkSimplex(given: Readonly<Record<string, unknown>>, nameOf: (name: string) => string): void {
  const { simplex = false, minVolume = 0, solver, loss = 'frobenius', l1S = 0 } = given;
  const refuse = (option: string, message: string) => {
    throw new InputError(message, { option });
  };
  if (minVolume !== 0 && solver === 'mu')
    refuse(
      'minVolume',
      `${nameOf('minVolume')} ${minVolume} is not for ${nameOf('solver')} 'mu', multiplicative updates: they have no term for it; choose 'anls' or 'hals'.`,
    );
  if (minVolume !== 0 && !simplex)
    refuse(
      'minVolume',
      `${nameOf('minVolume')} ${minVolume} needs ${nameOf('simplex')}: without it A shrinks, S grows, and the volume tends to zero whatever the data; give both.`,
    );
  if (!simplex) return;
  for (const other of ['fixedA', 'fixedS', 'neighbours'])
    if (given[other] !== undefined) refuse(other, `${nameOf(other)} does not go with ${nameOf('simplex')}; leave one of them out.`);
  if (given.absent === 'missing')
    refuse(
      'absent',
      `${nameOf('absent')} 'missing' does not go with ${nameOf('simplex')}; leave one of them out, or give a dense X with NaN.`,
    );
  if (solver === 'mu')
    refuse('simplex', `${nameOf('simplex')} is not for ${nameOf('solver')} 'mu', multiplicative updates; choose 'anls' or 'hals'.`);
  if (loss !== 'frobenius' && loss !== 2)
    refuse('simplex', `${nameOf('simplex')} is for ${nameOf('loss')} 'frobenius', not for ${loss}; leave one of them out.`);
  if (l1S !== 0)
    refuse(
      'l1S',
      `${nameOf('l1S')} ${l1S} does nothing beside ${nameOf('simplex')}: the sum of S is the number of samples; leave it out, or give ${nameOf('l2S')}.`,
    );
}

/** λ and the ridge δu² against the X of a fit; undefined without a volume. */
export function volumeOf(minVolume: number, { X, W, seen }: Pick<Problem, 'X' | 'W' | 'seen'>): VolumeShape | undefined {
  if (minVolume === 0) return undefined;
  const squares = (values: Float32Array) => values.reduce((sum, x) => sum + x * x, 0);
  const count = W ? W.data.reduce((sum, w) => sum + (w > 0 ? 1 : 0), 0) : X.rows * X.cols;
  return { weight: minVolume * squares(stored(seen)), ridge: (ridgeOfVolume * squares(stored(X)) * X.rows) / count };
}

export function writeVolume(run: Run, volume: Volume | undefined): void {
  if (!volume) return;
  const { identity, square, ones } = volume;
  run.write(identity, diagonal(identity.rows, 1));
  for (const tensor of [square, ...(ones ? [ones.units, ones.rows] : [])])
    run.write(tensor, new Float32Array(tensor.rows * tensor.cols).fill(1));
}

/** ½ λ log det(AᵀA / r + I) in f64. */
export function volumeInF64({ weight, ridge }: VolumeShape, A: Matrix): number {
  const k = A.cols;
  const L = new Float64Array(k * k);
  let logarithm = 0;
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let sum = columnProduct(A, i, j) / ridge + (i === j ? 1 : 0);
      for (let t = 0; t < j; t++) sum -= L[i * k + t] * L[j * k + t];
      if (i === j) logarithm += Math.log(sum);
      L[i * k + j] = i === j ? Math.sqrt(sum) : sum / L[j * k + j];
    }
  return (weight / 2) * logarithm;
}

/** What a start in words makes of A when columns of S sum to one: their mean sum is what A is short of. */
export function scaledToSimplex({ A, S }: { A: Float32Array; S: Float32Array }, samples: number): { A: Float32Array; S: Float32Array } {
  const sum = S.reduce((total, s) => total + s, 0) / samples;
  return { A: A.map((a) => a * sum), S };
}
