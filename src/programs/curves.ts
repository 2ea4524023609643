/** Functions g between the layers of Deep Semi-NMF. */
import type { ProgramBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';

export type Nonlinearity = 'identity' | 'square' | 'softplus' | 'sigmoid' | 'tanh';

export interface Curve {
  apply(p: ProgramBuilder, y: Tensor): Tensor;
  /** g′(y), given h = g(y) too. */
  derivative(p: ProgramBuilder, y: Tensor, h: Tensor): Tensor;
  /** g⁻¹(h), h brought into g's range where it lies outside. */
  inverse(p: ProgramBuilder, h: Tensor, into: Tensor): Tensor;
  /** Pre-training scales every row of an H that a deeper layer explains so that its largest entry is this. */
  largest: number;
}

/** LeCun's scaled tanh, 1.7159 tanh(2y/3). */
const [height, slope] = [1.7159, 2 / 3];

/** Smaller values (and, of the sigmoid, those as close to 1) would send inverses to infinity. */
const floor = 0.05;

export const curves: Record<Exclude<Nonlinearity, 'identity'>, Curve> = {
  square: {
    apply: (p, y) => p.hadamard(y, y),
    derivative: (p, y) => p.map('affine', [y], { p: 2 }),
    inverse: (p, h, into) => p.map('power', [h], { p: 0.5, into }),
    largest: 1,
  },
  softplus: {
    apply: (p, y) => p.map('softplus', [y]),
    derivative: (p, y) => p.map('sigmoid', [y]),
    inverse: (p, h, into) => p.map('softplusInverse', [h], { p: floor, into }),
    largest: 3,
  },
  sigmoid: {
    apply: (p, y) => p.map('sigmoid', [y]),
    derivative: (p, _y, h) => p.combine(1, h, -1, p.hadamard(h, h)),
    inverse: (p, h, into) => p.map('sigmoidInverse', [h], { p: floor, into }),
    largest: 0.9,
  },
  tanh: {
    apply: (p, y) => p.map('tanh', [y], { p: height, q: slope }),
    // p q (1 − tanh²) = p q − (q/p) h²
    derivative: (p, _y, h) => p.map('affine', [p.hadamard(h, h)], { p: -slope / height, q: height * slope }),
    inverse: (p, h, into) => p.map('tanhInverse', [h], { p: height, q: slope, into }),
    largest: 0.9 * height,
  },
};
