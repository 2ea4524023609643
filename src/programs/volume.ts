/**
 * The volume of A beside ½‖W ∘ (X − AS)‖², for columns of S that sum to one (Leplat, Ang & Gillis 2019):
 *
 *     ½ λ log det M,   M = AᵀA / r + I,   with a ridge r > 0
 *
 * log det is concave, so at the present A it lies below its tangent, and ½ λ log det M ≤ const + ½ ⟨Q, AᵀA⟩ with Q = (λ / r) M⁻¹. That is
 * a penalty with a Q as in penalties.ts, which changes with A.
 */
import type { Into } from '../graph/operations/definition.js';
import type { ProgramBuilder } from '../graph/program.js';
import { T, type Tensor } from '../graph/tensor.js';
import type { Penalty } from './penalties.js';

export interface VolumeShape {
  /** λ. */
  weight: number;
  /** r. */
  ridge: number;
}

export interface Volume extends VolumeShape {
  /** I and 11ᵀ, k×k. */
  identity: Tensor;
  square: Tensor;
  /** With a Gram matrix for each row of A: columns of ones, k×1 and N×1. */
  ones?: { units: Tensor; rows: Tensor };
}

export function volumeInputs(p: ProgramBuilder, A: Tensor, shape: VolumeShape, weighted: boolean): Volume {
  const k = A.cols;
  const inputs = { identity: p.input('identity', k, k), square: p.input('square', k, k) };
  if (!weighted) return { ...shape, ...inputs };
  return { ...shape, ...inputs, ones: { units: p.input('onesOfUnits', k, 1), rows: p.input('onesOfRows', A.rows, 1) } };
}

const matrixOf = (p: ProgramBuilder, A: Tensor, { ridge, identity }: Volume) => p.combine(1 / ridge, p.gram(A), 1, identity);

/** The penalty of A with the Q of the volume at the present A. */
export function withVolume(p: ProgramBuilder, A: Tensor, penalty: Penalty | undefined, volume: Volume | undefined): Penalty | undefined {
  if (!volume) return penalty;
  const { weight, ridge, identity, square, ones } = volume;
  const inverse = p.maskedSolve(matrixOf(p, A, volume), square, identity);
  const factor = weight / ridge;
  const scaled = (own: Tensor, add?: Tensor) => (add ? p.combine(factor, own, 1, add) : p.map('affine', [own], { p: factor, q: 0 }));
  const Q = scaled(inverse, penalty?.Q);
  if (!ones) return { l1: penalty?.l1 ?? 0, Q };
  // M⁻¹ = M⁻¹M⁻¹ + (AM⁻¹)ᵀ(AM⁻¹) / r as one column.
  const ofRows = p.matmul(T(p.rowProducts(p.matmul(A, inverse))), ones.rows);
  const column = p.matmul(T(p.rowProducts(inverse)), ones.units, { add: ofRows, addScale: 1 / ridge });
  return { l1: penalty?.l1 ?? 0, Q, columnOfQ: scaled(column, penalty?.columnOfQ), ones: ones.rows };
}

/** cost + scale · ½ λ log det M, 1×1. */
export function costWithVolume(p: ProgramBuilder, cost: Tensor, scale: number, A: Tensor, volume: Volume, options: Into = {}): Tensor {
  return p.combine(1, cost, (scale * volume.weight) / 2, p.logDet(matrixOf(p, A, volume)), options);
}
