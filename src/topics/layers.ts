/** The layers of a factorization of a term–document matrix, measured in its reconstruction. */
import { type Matrix, multiply } from '../data/matrix.js';
import { ShapeError } from '../errors.js';
import type { Model } from '../methods/factorization.js';

export type Factors = Pick<Model, 'A' | 'S'>;

/**
 * Factors are free in scale (a column of A may grow while its row of S shrinks), so everything is measured in the reconstruction, which is
 * not: topic j of layer l is the rank-one part ψⱼsⱼ of (A⁰…Aˡ)Sˡ, all entries ≥ 0, and its mass is their sum, (Σψⱼ)(Σsⱼ).
 */
export interface TopicLayer {
  /** A⁰…Aˡ, N terms × k topics. */
  Psi: Matrix;
  /** Σψⱼ of each topic. */
  ofTerms: number[];
  /** Σsⱼ of each topic. */
  ofDocuments: number[];
  /** The part of the layer's reconstruction that each topic carries; they sum to 1. */
  shares: number[];
}

/** Every layer, the lowest first. Throws ShapeError where the names do not fit the factors. */
export function topicLayers({ A, S }: Factors, terms?: readonly string[], documents?: readonly string[]): TopicLayer[] {
  if (terms && terms.length !== A[0].rows)
    throw new ShapeError(`A has ${A[0].rows} rows, but ${terms.length} terms were given; each row needs its term.`);
  if (documents && documents.length !== S[0].cols)
    throw new ShapeError(`S has ${S[0].cols} columns, but ${documents.length} documents were given; each column needs its document.`);
  let Psi = A[0];
  return A.map((Al, l) => {
    if (l > 0) Psi = multiply(Psi, Al);
    const ofTerms = columnSums(Psi);
    const ofDocuments = rowSums(S[l]);
    const masses = ofTerms.map((sum, j) => sum * ofDocuments[j]);
    const total = masses.reduce((sum, mass) => sum + mass, 0);
    return { Psi, ofTerms, ofDocuments, shares: masses.map((mass) => ratio(mass, total)) };
  });
}

export interface TopicFlow {
  /** The lower layer; the other one is the next. */
  layer: number;
  /**
   * A row for each topic of the lower layer, a column for each of the next: the part of the next layer's reconstruction that comes from
   * one topic and goes into the other. All parts sum to 1, and a column sums to the share of its topic.
   */
  shares: number[][];
}

/**
 * How the topics of each layer flow into those of the next. As ψⱼ = Σᵢ (A⁰…Aˡ⁻¹)ᵢ Aˡᵢⱼ, the mass of topic j is a sum over the topics i of the
 * layer below: (Σ(A⁰…Aˡ⁻¹)ᵢ) Aˡᵢⱼ (Σsⱼ) is the part of i in it.
 */
export function topicFlows(model: Factors): TopicFlow[] {
  const layers = topicLayers(model);
  return model.A.slice(1).map((Al, layer) => {
    const given = givenMasses(Al, layers[layer], layers[layer + 1]);
    const total = given.flat().reduce((sum, mass) => sum + mass, 0);
    return { layer, shares: given.map((row) => row.map((mass) => ratio(mass, total))) };
  });
}

/** The mass that each topic of a layer (rows) gives to each of the layer above (columns). */
export function givenMasses({ rows, cols, data }: Matrix, below: TopicLayer, above: TopicLayer): number[][] {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (_, j) => below.ofTerms[i] * data[i * cols + j] * above.ofDocuments[j]),
  );
}

export function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function columnSums({ rows, cols, data }: Matrix): number[] {
  const sums = new Array<number>(cols).fill(0);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) sums[j] += data[i * cols + j];
  return sums;
}

function rowSums({ rows, cols, data }: Matrix): number[] {
  return Array.from({ length: rows }, (_, i) => data.subarray(i * cols, (i + 1) * cols).reduce((sum, s) => sum + s, 0));
}
