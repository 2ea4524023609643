/** Operations that compute every entry from few entries of their inputs. */
import { ShapeError } from '../../errors.js';
import type { Tensor } from '../tensor.js';
import { byEntry, byRow, define, type Into, type NoAttributes, type Writer, whole } from './definition.js';

/**
 * Entrywise functions of `map`: the number of tensors of each, and its formula in x, y, w and the constants p, q.
 * Guards are part of the formula so that both executors agree.
 */
export const mapFunctions = {
  affine: { arity: 1, formula: 'p x + q' },
  power: { arity: 1, formula: 'max(x, q)^p' },
  positive: { arity: 1, formula: 'max(x, 0)' },
  negative: { arity: 1, formula: 'max(−x, 0)' },
  softplus: { arity: 1, formula: 'log(1 + e^x)' },
  softplusInverse: { arity: 1, formula: 'log(e^max(x, p) − 1)' },
  sigmoid: { arity: 1, formula: '1 / (1 + e^−x)' },
  sigmoidInverse: { arity: 1, formula: 'log(x / (1 − x)), x kept in [p, 1 − p]' },
  tanh: { arity: 1, formula: 'p tanh(q x)' },
  tanhInverse: { arity: 1, formula: 'atanh(x / p) / q, x / p kept within ±(1 − 1e-6)' },
  log1p: { arity: 1, formula: 'log(1 + x)' },
  exp: { arity: 1, formula: 'e^x' },
  /** y ≥ 0. 0 / 0 = 0, and no quotient is above 1e30: see `quotient` of the executors. */
  quotient: { arity: 2, formula: 'x / y' },
  weightedProduct: { arity: 3, formula: 'w x y' },
  /** I-divergence of x from y; 0 log 0 = 0. The quotient is that of `quotient`, and at least 2⁻¹²⁶. */
  divergence: { arity: 2, formula: 'x log(x / y) − x + y' },
  /** β-divergence of x from y for β = p, with its limits at 0 and 1. y, and for p ≤ 0 also x, count as q at least. */
  betaDivergence: { arity: 2, formula: '(x^p + (p − 1) y^p − p x y^(p − 1)) / (p (p − 1)), x and y at least q' },
} as const satisfies Record<string, { arity: 1 | 2 | 3; formula: string }>;

export type MapFunction = keyof typeof mapFunctions;

export const elementwise = {
  /** out = scale · X + otherScale · Y. */
  combine: define({
    inputs: { X: byEntry, Y: byEntry },
    outputs: { out: byEntry },
    text: ([X, Y], [out], { scale, otherScale }) => `${out} = ${times(scale, X)} + ${times(otherScale, Y)}`,
    write: (
      w: Writer<{ scale: number; otherScale: number }>,
      scale: number,
      X: Tensor,
      otherScale: number,
      Y: Tensor,
      options: Into = {},
    ) => {
      w.requireShape(Y, X.rows, X.cols);
      return w.result([X, Y], X.rows, X.cols, { scale, otherScale }, options);
    },
  }),

  /** out = X ∘ Y. */
  hadamard: define({
    inputs: { X: byEntry, Y: byEntry },
    outputs: { out: byEntry },
    write: (w: Writer<NoAttributes>, X: Tensor, Y: Tensor, options: Into = {}) => {
      w.requireShape(Y, X.rows, X.cols);
      return w.result([X, Y], X.rows, X.cols, {}, options);
    },
  }),

  /** out = X. */
  copy: define({
    inputs: { X: byEntry },
    outputs: { out: byEntry },
    write: (w: Writer<NoAttributes>, X: Tensor, into: Tensor) => {
      w.requireShape(into, X.rows, X.cols);
      w.emit([X], [into], {});
    },
  }),

  /** out = 0 where X has the mark of a missing value, which is −0, and 1 elsewhere. */
  seen: define({
    inputs: { X: byEntry },
    outputs: { out: byEntry },
    write: (w: Writer<NoAttributes>, X: Tensor, options: Into = {}) => w.result([X], X.rows, X.cols, {}, options),
  }),

  /** out = f(X, Y, W) entrywise. f is one of `mapFunctions`, which have the number of its tensors and the use of its constants p and q. */
  map: define({
    inputs: { X: byEntry, Y: byEntry, W: byEntry },
    outputs: { out: byEntry },
    text: (tensors, [out], attributes) => `${out} = ${mapText(attributes, tensors)}`,
    write: (
      given: Writer<{ fn: MapFunction; p: number; q: number }>,
      fn: MapFunction,
      tensors: readonly Tensor[],
      options: Into & { p?: number; q?: number } = {},
    ) => {
      const w = given.called(`map ${fn}`);
      const [X] = tensors;
      const { arity } = mapFunctions[fn];
      if (tensors.length !== arity)
        throw new ShapeError(`map ${fn} in program ${w.program} takes ${arity} tensors, but ${tensors.length} were given.`);
      for (const other of tensors) w.requireShape(other, X.rows, X.cols);
      return w.result(tensors, X.rows, X.cols, { fn, p: options.p ?? 0, q: options.q ?? 0 }, options);
    },
  }),

  /** out = X + scale · y for a 1×1 tensor y. */
  shift: define({
    inputs: { X: byEntry, y: whole },
    outputs: { out: byEntry },
    text: ([X, y], [out], { scale }) => `${out} = ${X} + ${scale} ${y}`,
    write: (w: Writer<{ scale: number }>, X: Tensor, y: Tensor, scale: number, options: Into = {}) => {
      w.requireShape(y, 1, 1);
      return w.result([X, y], X.rows, X.cols, { scale }, options);
    },
  }),

  /** out = Xᵀ. */
  transpose: define({
    inputs: { X: { rows: 'j', cols: 'i' } },
    outputs: { out: byEntry },
    write: (w: Writer<NoAttributes>, X: Tensor, options: Into = {}) => w.result([X], X.cols, X.rows, {}, options),
  }),

  /** out[n][i k + j] = A[n][i] A[n][j]. outᵀW then holds the weighted Gram matrix Aᵀ diag(w) A of every column w of W. */
  rowProducts: define({
    inputs: { A: byRow },
    outputs: { out: byRow },
    write: (w: Writer<NoAttributes>, A: Tensor, options: Into = {}) => w.result([A], A.rows, A.cols * A.cols, {}, options),
  }),

  /**
   * A mini-batch: out (N×count) = columns of X that `order` (1×M, a permutation) lists from position (iteration · count) mod M on.
   * So every iteration moves on.
   */
  takeColumns: define({
    inputs: { X: byRow, order: whole, control: whole },
    outputs: { out: byRow },
    write: (w: Writer<NoAttributes>, X: Tensor, order: Tensor, controlVector: Tensor, count: number, options: Into = {}) => {
      w.requireShape(order, 1, X.cols);
      return w.result([X, order, controlVector], X.rows, count, {}, options);
    },
  }),
};

/** A tensor with its factor. A factor of 1 is not written. */
export function times(scale: number, name: string): string {
  return scale === 1 ? name : `${scale} ${name}`;
}

/** The formula of a map function with its tensors and constants written in. */
function mapText({ fn, p, q }: { fn: MapFunction; p: number; q: number }, [x, y, w]: readonly string[]): string {
  const words: Record<string, string | number> = { x, y, w, p, q };
  return mapFunctions[fn].formula.replace(/\b[xywpq]\b/g, (letter) => String(words[letter]));
}
