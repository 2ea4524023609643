/** Order and scale of the components of a fitted model. Neither changes what the model says of X. */
import { type Matrix, matrix, product } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import type { Model } from '../methods/factorization.js';
import { type Factorization, type Method, methods } from '../methods/methods.js';

export const orders = ['none', 'explained', 'mass'] as const;
export const scales = ['none', 'l1', 'l2', 'max'] as const;

export interface Arrangement {
  /**
   * The order of the components of every layer: as they are ('none', the default), or by what they explain of ‖X‖² or their mass, the largest
   * first. See `Component`.
   */
  order?: (typeof orders)[number];
  /**
   * What the columns of every A are scaled to: sum 1 ('l1'), length 1 ('l2'), largest entry 1 ('max'), or nothing ('none', the default). S
   * takes the scale. A column of zeros stays.
   */
  scale?: (typeof scales)[number];
}

/** A component of a layer l: column j of ψ = A⁰…Aˡ and row j of Sˡ. */
export interface Component {
  /**
   * The part of ‖X‖² that it explains: ⟨ψⱼsⱼ, X̂⟩ / ‖X̂‖² of 1 − relativeError², with X̂ = A⁰…AˡSˡ. The parts of a layer add up to what the
   * layer explains. In a fit that has converged ⟨ψⱼsⱼ, X⟩ = ⟨ψⱼsⱼ, X̂⟩ (the KKT conditions of S), so it is ⟨ψⱼsⱼ, X⟩ / ‖X‖² there.
   */
  explained: number;
  /** Its part of the sum of all entries of X̂: (Σ ψⱼ)(Σ sⱼ). */
  mass: number;
}

/** What the functions here need of a model. */
type Arranged = Pick<Model, 'A' | 'S' | 'layers'> & { method: string };

/** The methods that have their components in columns of A⁰…Aˡ. */
const ordered = Object.values(methods).flatMap(({ name, chained }) => (chained ? [name] : [])) as Method[];

/** Those whose S does not hang on the scale of A by a penalty or a function that is not linear. */
const scalable: readonly Method[] = ['nmf', 'ssnmf', 'hierarchical', 'neural'];

/**
 * The components of every layer, in the order in which they stand.
 *
 * @throws InputError for a method whose layers are no product, such as 'deep' and 'unfolded'.
 */
export function componentsOf(model: Arranged): Component[][] {
  checkOrdered(model.method);
  return topicsOf(model.A).map((Psi, l) => {
    const S = model.S[l];
    const k = Psi.cols;
    // ⟨ψⱼsⱼ, X̂⟩ = Σᵢ (ΨᵀΨ)ᵢⱼ (SSᵀ)ᵢⱼ
    const inner = Float64Array.from({ length: k * k }, (_, at) => {
      const [i, j] = [Math.floor(at / k), at % k];
      let [ofPsi, ofS] = [0, 0];
      for (let n = 0; n < Psi.rows; n++) ofPsi += Psi.data[n * k + i] * Psi.data[n * k + j];
      for (let m = 0; m < S.cols; m++) ofS += S.data[i * S.cols + m] * S.data[j * S.cols + m];
      return ofPsi * ofS;
    });
    const parts = Array.from({ length: k }, (_, j) => inner.reduce((sum, x, at) => (at % k === j ? sum + x : sum), 0));
    const masses = Array.from({ length: k }, (_, j) => {
      let [ofPsi, ofS] = [0, 0];
      for (let n = 0; n < Psi.rows; n++) ofPsi += Psi.data[n * k + j];
      for (let m = 0; m < S.cols; m++) ofS += S.data[j * S.cols + m];
      return ofPsi * ofS;
    });
    const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) || 1;
    const [allParts, allMass] = [total(parts), total(masses)];
    const explained = 1 - model.layers[l].relativeError ** 2;
    return parts.map((part, j) => ({ explained: (explained * part) / allParts, mass: masses[j] / allMass }));
  });
}

/**
 * A model with its components in another order or scale. A⁰…AˡSˡ of every layer stays the same but for rounding, and so do its classes:
 * Aˡ⁺¹ and the classifiers follow. The model that was given does not change.
 *
 * With several layers a scale has a price: Sˡ = q(Sˡ⁻¹, Aˡ) measures the rows of Sˡ⁻¹ by their scale. `transform` of an arranged model then
 * gives other coefficients beyond the first layer than those of the model that was fitted. An order changes nothing there.
 *
 * @throws InputError for orders and scales that are none; for a method whose layers are no product; for a scale of a method whose S hangs on
 * that of A.
 */
export function arranged<M extends Factorization>(model: M, arrangement: Arrangement = {}): M {
  checkNames('arranged', arrangement, ['order', 'scale']);
  const { order = 'none', scale = 'none' } = arrangement;
  checkArrangement(model, { order, scale });
  const orderOf = orderBy(order, componentsOf(model));
  let factors: { A: Matrix[]; S: Matrix[] } = { A: [...model.A], S: [...model.S] };
  const classifiers = model.supervision?.classifiers.map((classifier) => ({ ...classifier }));
  for (let l = 0; l < model.A.length; l++) {
    const at = orderOf[l];
    const lengths = at.map((j) => sizeOf(columnOf(factors.A[l], j), scale));
    const A = [...factors.A];
    const S = [...factors.S];
    A[l] = columns(A[l], at, (to) => 1 / lengths[to]);
    S[l] = rows(S[l], at, (to) => lengths[to]);
    if (l + 1 < A.length) A[l + 1] = rows(A[l + 1], at, (to) => lengths[to]);
    for (const classifier of classifiers ?? [])
      if (classifier.layer === l) classifier.B = columns(classifier.B, at, (to) => 1 / lengths[to]);
    factors = { A, S };
  }
  return { ...model, ...factors, ...(classifiers && { supervision: { ...model.supervision, classifiers } }) };
}

/** X ≈ A diag(d) S, as RcppML has it: columns of A and rows of S have the same size, and d the rest. */
export interface DiagonalForm {
  /** N×k: A⁰…Aˡ, scaled. */
  A: Matrix;
  /** The k numbers of the diagonal. */
  d: Float64Array;
  /** k×M: Sˡ, scaled. */
  S: Matrix;
  components: Component[];
}

/**
 * A layer of a model in three parts.
 *
 * @param options layer: counted from 0, default the last. order: as in `Arrangement`, or 'd', the largest first (default). scale: 'l1'
 * (default, RcppML's), 'l2' or 'max'.
 * @throws InputError as `arranged`, and for a layer that the model does not have.
 */
export function diagonalForm(
  model: Factorization,
  options: { layer?: number; order?: Arrangement['order'] | 'd'; scale?: 'l1' | 'l2' | 'max' } = {},
): DiagonalForm {
  checkNames('diagonalForm', options, ['layer', 'order', 'scale']);
  const { layer = model.A.length - 1, order = 'd', scale = 'l1' } = options;
  checkChoice('order', order, [...orders, 'd']);
  checkChoice('scale', scale, scales.slice(1));
  const Psi = topicsOf(model.A)[layer];
  if (!Number.isInteger(layer) || Psi === undefined)
    throw new InputError(`layer is ${describe(layer)}, but the model has layers 0 to ${model.A.length - 1}.`, { option: 'layer' });
  const S = model.S[layer];
  const components = componentsOf(model)[layer];
  const sizes = components.map((_, j) => [sizeOf(columnOf(Psi, j), scale), sizeOf(rowOf(S, j), scale)] as const);
  const d = sizes.map(([a, s], j) => (isZero(columnOf(Psi, j)) || isZero(rowOf(S, j)) ? 0 : a * s));
  const at = order === 'd' ? byLargest(d) : orderBy(order, [components])[0];
  return {
    A: columns(Psi, at, (to) => 1 / sizes[at[to]][0]),
    d: Float64Array.from(at, (j) => d[j]),
    S: rows(S, at, (to) => 1 / sizes[at[to]][1]),
    components: at.map((j) => components[j]),
  };
}

/** Throws InputError where a model of this method, with these settings, cannot be arranged so; for the time before a fit, too. */
export function checkArrangement(
  { method, settings }: { method: string; settings?: object },
  { order = 'none', scale = 'none' }: Arrangement,
): void {
  checkChoice('order', order, orders);
  checkChoice('scale', scale, scales);
  if (order !== 'none') checkOrdered(method, `The option 'order' is '${order}', but `);
  if (scale === 'none') return;
  if (!scalable.includes(method as Method))
    throw new InputError(`The option 'scale' is '${scale}', but S of ${method} hangs on the scale of A; ${inWords(scalable)} take it.`, {
      option: 'scale',
    });
  if ((settings as { simplex?: boolean } | undefined)?.simplex)
    throw new InputError(`The option 'scale' is '${scale}', but with simplex columns of S sum to one; leave one of them out.`, {
      option: 'scale',
    });
  const l1 = (settings as { l1?: number | readonly number[] } | undefined)?.l1 ?? 0;
  if (typeof l1 === 'number' ? l1 > 0 : l1.some((lambda) => lambda > 0))
    throw new InputError(`The option 'scale' is '${scale}', but with l1 the size of S counts in the fit; leave one of them out.`, {
      option: 'scale',
    });
}

function checkOrdered(method: string, before = ''): void {
  if (ordered.includes(method as Method)) return;
  throw new InputError(`${before}the layers of ${method} are no product A⁰…AˡSˡ; components are those of ${inWords(ordered)}.`, {
    option: before === '' ? undefined : 'order',
  });
}

function checkChoice(option: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw new InputError(`${option} must be ${inWords(values, 'or')}, not ${describe(value)}.`, { option });
}

/** A⁰, A⁰A¹, … */
function topicsOf(A: readonly Matrix[]): Matrix[] {
  const topics: Matrix[] = [];
  A.forEach((factor, l) => {
    topics.push(l === 0 ? factor : matrix(A[0].rows, factor.cols, Float32Array.from(product(topics[l - 1], factor))));
  });
  return topics;
}

function orderBy(order: NonNullable<Arrangement['order']>, layers: readonly Component[][]): number[][] {
  return layers.map((components) =>
    order === 'none' ? components.map((_, j) => j) : byLargest(components.map((component) => component[order])),
  );
}

/** Places by their values, the largest first, of equal ones the first. */
function byLargest(values: readonly number[]): number[] {
  return values.map((_, j) => j).sort((a, b) => values[b] - values[a] || a - b);
}

function columnOf({ rows, cols, data }: Matrix, j: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, i) => data[i * cols + j]);
}

const rowOf = ({ cols, data }: Matrix, j: number) => data.subarray(j * cols, (j + 1) * cols);

const isZero = (values: Float32Array) => values.every((x) => x === 0);

/** What a line is divided by; 1 for one of zeros. */
function sizeOf(values: Float32Array, scale: NonNullable<Arrangement['scale']>): number {
  if (scale === 'none') return 1;
  let [sum, squares, most] = [0, 0, 0];
  for (const x of values) {
    sum += Math.abs(x);
    squares += x * x;
    most = Math.max(most, Math.abs(x));
  }
  return { l1: sum, l2: Math.sqrt(squares), max: most }[scale] || 1;
}

/** Column j of the result is column at[j] times by(j). */
function columns({ rows, cols, data }: Matrix, at: readonly number[], by: (to: number) => number): Matrix {
  const factors = at.map((_, to) => by(to));
  return matrix(
    rows,
    cols,
    data.map((_, place) => data[place - (place % cols) + at[place % cols]] * factors[place % cols]),
  );
}

/** Row i of the result is row at[i] times by(i). */
function rows({ rows, cols, data }: Matrix, at: readonly number[], by: (to: number) => number): Matrix {
  const factors = at.map((_, to) => by(to));
  return matrix(
    rows,
    cols,
    data.map((_, place) => data[at[Math.floor(place / cols)] * cols + (place % cols)] * factors[Math.floor(place / cols)]),
  );
}
