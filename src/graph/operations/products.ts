/** Products, and the norm of the residual X − AZ. */
import { ShapeError } from '../../errors.js';
import { type Operand, operandOf, type Tensor } from '../tensor.js';
import { type Axes, byColumn, byEntry, byRow, define, type Into, type NoAttributes, type Writer, whole } from './definition.js';
import { elementwise, times } from './elementwise.js';

export interface ProductAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly scale: number;
  /** The use of E, the third input. */
  readonly epilogue: 'none' | 'add' | 'hadamard';
  readonly addScale: number;
  /** Whether every stored entry of the CSR factor counts as 1. */
  readonly pattern?: boolean;
}

const firstFactor = (transposed: boolean): Axes => (transposed ? { rows: 't', cols: 'i' } : { rows: 'i', cols: 't' });
const secondFactor = (transposed: boolean): Axes => (transposed ? { rows: 'j', cols: 't' } : { rows: 't', cols: 'j' });

/** C = AᵀA ('columns') or A Aᵀ ('rows'). */
const gram = define({
  // The one operand is both factors, and both may be split along every axis.
  inputs: { A: ({ of }) => ({ ...firstFactor(of === 'columns'), half: true }) },
  outputs: { C: byEntry },
  text: ([A], [C], { of }) => `${C} = ${of === 'columns' ? `${A}ᵀ ${A}` : `${A} ${A}ᵀ`}`,
  write: (w: Writer<{ of: 'columns' | 'rows' }>, A: Tensor, of: 'columns' | 'rows' = 'columns', options: Into = {}) => {
    const k = of === 'columns' ? A.cols : A.rows;
    return w.result([A], k, k, { of }, options);
  },
});

export const products = {
  /**
   * C = scale · op(A) op(B) [+ addScale · E | ∘ E], op = transpose or nothing. With `pattern` the CSR factor counts as P, which is 1 at every
   * stored entry, also at a stored 0, and 0 elsewhere.
   */
  matmul: define({
    inputs: {
      A: ({ transposeA }) => ({ ...firstFactor(transposeA), sparse: true, half: true }),
      B: ({ transposeB }) => ({ ...secondFactor(transposeB), sparse: true, half: true }),
      E: byEntry,
    },
    outputs: { C: byEntry },
    text(names, [C], attributes) {
      const pattern = attributes.pattern ? ', with 1 at every stored entry' : '';
      const product = `${productText(names, attributes)}${pattern}`;
      if (attributes.epilogue === 'hadamard') return `${C} = ${names[2]} ∘ (${product})`;
      return `${C} = ${product}${attributes.epilogue === 'add' ? ` + ${times(attributes.addScale, names[2])}` : ''}`;
    },
    write: (
      w: Writer<ProductAttributes>,
      A: Operand,
      B: Operand,
      options: Into & { scale?: number; add?: Tensor; addScale?: number; hadamard?: Tensor; pattern?: boolean } = {},
    ) => {
      const a = operandOf(A);
      const b = operandOf(B);
      if (a.cols !== b.rows) {
        throw new ShapeError(
          `matmul in program ${w.program}: ${a.tensor.name} gives ${a.rows}×${a.cols} and ${b.tensor.name} ${b.rows}×${b.cols}; the inner sizes differ.`,
        );
      }
      if (b.tensor.form === 'csr' && a.tensor.form === 'csr')
        throw new ShapeError(`matmul of two CSR tensors (${a.tensor.name}, ${b.tensor.name}) has no rule.`);
      if (options.pattern && b.tensor.form !== 'csr' && a.tensor.form !== 'csr')
        throw new ShapeError(`matmul in program ${w.program}: ${a.tensor.name} and ${b.tensor.name} are dense, so neither has a pattern.`);
      const extra = options.add ?? options.hadamard;
      if (extra !== undefined) w.requireShape(extra, a.rows, b.cols);
      const attributes: ProductAttributes = {
        transposeA: a.transposed,
        transposeB: b.transposed,
        scale: options.scale ?? 1,
        epilogue: options.add ? 'add' : options.hadamard ? 'hadamard' : 'none',
        addScale: options.addScale ?? 1,
        ...(options.pattern && { pattern: true }),
      };
      return w.result([a.tensor, b.tensor, ...(extra ? [extra] : [])], a.rows, b.cols, attributes, options);
    },
  }),

  gram,

  /**
   * out = ‖X − A Z‖² (1×1), or with W ‖W ∘ (X − A Z)‖².
   * For a CSR X the inputs after Z are AᵀA, for which `G` stands if it is given, and ZZᵀ.
   *
   * `fall` is the least relative change that readers of the result have to see. An executor may round the difference of two results by as
   * much, where X, A and Z are not negative. Default: as little as f32 allows.
   */
  residualNorm: define({
    inputs: { X: { ...byEntry, sparse: true, half: true }, A: byRow, Z: byColumn, W: byEntry },
    outputs: { out: whole },
    text: ([X, A, Z, W], [out], { weighted }) => `${out} = ‖${weighted ? `${W} ∘ ` : ''}(${X} − ${A} ${Z})‖²`,
    write: (
      w: Writer<{ weighted: boolean; fall?: number }>,
      X: Tensor,
      A: Tensor,
      Z: Tensor,
      options: Into & { W?: Tensor; G?: Tensor; fall?: number } = {},
    ) => {
      const { W, G, fall, ...into } = options;
      w.requireShape(A, X.rows, Z.rows);
      w.requireShape(Z, A.cols, X.cols);
      if (W) w.requireShape(W, X.rows, X.cols);
      if (X.form === 'dense')
        return w.result([X, A, Z, ...(W ? [W] : [])], 1, 1, { weighted: W !== undefined, ...(fall && { fall }) }, into);
      if (W) throw new ShapeError(`residualNorm in program ${w.program}: the CSR tensor ${X.name} takes no weights; make it dense.`);
      // AZ is formed nowhere: the Gram matrices stand for it.
      const grams = [G ?? gram.write(w.as('gram'), A), gram.write(w.as('gram'), Z, 'rows')];
      const signed = w.result([X, A, Z, ...grams], 1, 1, { weighted: false });
      // A difference of large numbers: rounding can leave it below 0.
      return elementwise.map.write(w.as('map'), 'positive', [signed], into);
    },
  }),

  /**
   * out = (X / (AZ)) Zᵀ ('rows', N×k) or Aᵀ (X / (AZ)) ('columns', k×M) for a CSR X, with the quotient of `map`. AZ is formed at the stored
   * entries only. `values` are these quotients, in the order of the rows or columns of X.
   */
  quotientProduct: define({
    inputs: { X: { ...whole, sparse: true }, A: whole, Z: whole },
    outputs: { out: whole, values: whole },
    text: ([X, A, Z], [out], { of }) => (of === 'rows' ? `${out} = (${X} / (${A} ${Z})) ${Z}ᵀ` : `${out} = ${A}ᵀ (${X} / (${A} ${Z}))`),
    write: (w: Writer<{ of: 'rows' | 'columns' }>, X: Tensor, A: Tensor, Z: Tensor, of: 'rows' | 'columns', options: Into = {}) => {
      requireSparse(w, X, A, Z);
      const out = of === 'rows' ? w.output([X, A, Z], A.rows, A.cols, options) : w.output([X, A, Z], Z.rows, Z.cols, options);
      const values = w.output([X, A, Z], 1, Math.max(1, X.entries));
      w.emit([X, A, Z], [out, values], { of });
      return out;
    },
  }),

  /**
   * F ← F ∘ [(X / (FO)) Oᵀ] / d for F N×k ('rows'), or F ← F ∘ [Oᵀ (X / (OF))] / d for F k×M ('columns'): quotientProduct that ends in an
   * update. d is one row of k, so that no denominators of the size of F exist.
   */
  quotientUpdate: define({
    inputs: { X: { ...whole, sparse: true }, O: whole, d: whole },
    outputs: { F: { ...whole, inPlace: true }, values: whole },
    text: ([X, O, d], [F], { of }) =>
      of === 'rows' ? `${F} = ${F} ∘ (${X} / (${F} ${O})) ${O}ᵀ / ${d}` : `${F} = ${F} ∘ ${O}ᵀ (${X} / (${O} ${F})) / ${d}`,
    write: (w: Writer<{ of: 'rows' | 'columns' }>, F: Tensor, X: Tensor, O: Tensor, d: Tensor, of: 'rows' | 'columns') => {
      if (of === 'rows') requireSparse(w, X, F, O);
      else requireSparse(w, X, O, F);
      w.requireShape(d, 1, of === 'rows' ? F.cols : F.rows);
      w.requireBatch(F, [X, O, d, F]);
      w.emit([X, O, d], [F, w.output([X, O, d, F], 1, Math.max(1, X.entries))], { of });
    },
  }),

  /**
   * out = (P∘(AZ)) Zᵀ ('rows', N×k) or Aᵀ (P∘(AZ)) ('columns', k×M) with P 1 at the stored entries of a CSR X and 0 elsewhere. AZ is formed
   * at these entries only. `values` are its entries there, in the order of the rows or columns of X.
   */
  sampledProduct: define({
    inputs: { X: { ...whole, sparse: true }, A: whole, Z: whole },
    outputs: { out: whole, values: whole },
    text: ([X, A, Z], [out], { of }) =>
      of === 'rows' ? `${out} = (${A} ${Z} where ${X} is stored) ${Z}ᵀ` : `${out} = ${A}ᵀ (${A} ${Z} where ${X} is stored)`,
    write: (w: Writer<{ of: 'rows' | 'columns' }>, X: Tensor, A: Tensor, Z: Tensor, of: 'rows' | 'columns', options: Into = {}) => {
      requireSparse(w, X, A, Z);
      const out = of === 'rows' ? w.output([X, A, Z], A.rows, A.cols, options) : w.output([X, A, Z], Z.rows, Z.cols, options);
      const values = w.output([X, A, Z], 1, Math.max(1, X.entries));
      w.emit([X, A, Z], [out, values], { of });
      return out;
    },
  }),

  /**
   * out = (X∘(AZ)^p) Zᵀ ('rows') or Aᵀ (X∘(AZ)^p) ('columns') for a CSR X, with entrywise powers of max(AZ, q). AZ is formed at the stored
   * entries only; `values` are the entries of the first factor, in the order of the rows or columns of X.
   */
  poweredProduct: define({
    inputs: { X: { ...whole, sparse: true }, A: whole, Z: whole },
    outputs: { out: whole, values: whole },
    text: ([X, A, Z], [out], { of, p }) =>
      of === 'rows' ? `${out} = (${X} ∘ (${A} ${Z})^${p}) ${Z}ᵀ` : `${out} = ${A}ᵀ (${X} ∘ (${A} ${Z})^${p})`,
    write: (
      w: Writer<{ of: 'rows' | 'columns'; p: number; q: number }>,
      X: Tensor,
      A: Tensor,
      Z: Tensor,
      { of, p, q, ...options }: Into & { of: 'rows' | 'columns'; p: number; q: number },
    ) => {
      requireSparse(w, X, A, Z);
      const out = of === 'rows' ? w.output([X, A, Z], A.rows, A.cols, options) : w.output([X, A, Z], Z.rows, Z.cols, options);
      const values = w.output([X, A, Z], 1, Math.max(1, X.entries));
      w.emit([X, A, Z], [out, values], { of, p, q });
      return out;
    },
  }),

  /** out = (L Dᵀ)^p D for L N×k and D M×k, with entrywise powers of max(L Dᵀ, q). L Dᵀ, N×M, is stored nowhere. */
  powerProduct: define({
    inputs: { L: whole, D: whole },
    outputs: { out: whole },
    text: ([L, D], [out], { p }) => `${out} = (${L} ${D}ᵀ)^${p} ${D}`,
    write: (w: Writer<{ p: number; q: number }>, L: Tensor, D: Tensor, { p, q, ...options }: Into & { p: number; q: number }) => {
      w.requireShape(D, D.rows, L.cols);
      return w.result([L, D], L.rows, L.cols, { p, q }, options);
    },
  }),

  /**
   * out = Σ (x^p − p x v^{p−1}) / (p (p − 1)) over the stored entries x of a CSR X, v = max(AZ, q), 1×1: its β-divergence from AZ, β = p > 0 and
   * not 1, without Σ (AZ)^β / β.
   */
  betaDivergenceAtEntries: define({
    inputs: { X: { ...whole, sparse: true }, A: whole, Z: whole },
    outputs: { out: whole },
    text: ([X, A, Z], [out], { p }) => `${out} = sum of the ${p}-divergence of ${X} from ${A} ${Z} less that of 0, where ${X} is stored`,
    write: (
      w: Writer<{ p: number; q: number }>,
      X: Tensor,
      A: Tensor,
      Z: Tensor,
      { p, q, ...options }: Into & { p: number; q: number },
    ) => {
      requireSparse(w, X, A, Z);
      return w.result([X, A, Z], 1, 1, { p, q }, options);
    },
  }),

  /** out = Σ (x − (AZ))² over the stored entries x of a CSR X, 1×1: ‖P∘(X − AZ)‖², with P as above. */
  residualAtEntries: define({
    inputs: { X: { ...whole, sparse: true }, A: whole, Z: whole },
    outputs: { out: whole },
    text: ([X, A, Z], [out]) => `${out} = ‖${X} − ${A} ${Z}‖² where ${X} is stored`,
    write: (w: Writer<NoAttributes>, X: Tensor, A: Tensor, Z: Tensor, options: Into = {}) => {
      requireSparse(w, X, A, Z);
      return w.result([X, A, Z], 1, 1, {}, options);
    },
  }),

  /** out = Σ x log(x / (AZ)) − x over the stored entries of a CSR X, 1×1: its I-divergence from AZ without the sum of AZ. */
  divergenceAtEntries: define({
    inputs: { X: { ...whole, sparse: true }, A: whole, Z: whole },
    outputs: { out: whole },
    text: ([X, A, Z], [out]) => `${out} = sum of ${X} log(${X} / (${A} ${Z})) − ${X}`,
    write: (w: Writer<NoAttributes>, X: Tensor, A: Tensor, Z: Tensor, options: Into = {}) => {
      requireSparse(w, X, A, Z);
      return w.result([X, A, Z], 1, 1, {}, options);
    },
  }),
};

/** Requires X to be a CSR tensor of the shape of AZ. */
function requireSparse<A>(w: Writer<A>, X: Tensor, A: Tensor, Z: Tensor): void {
  if (X.form !== 'csr') throw new ShapeError(`${X.name} in program ${w.program} is dense, but this operation goes by stored entries.`);
  w.requireShape(A, X.rows, Z.rows);
  w.requireShape(Z, A.cols, X.cols);
}

/** A product as text, without its epilogue. */
export function productText([A, B]: readonly string[], { scale, transposeA, transposeB }: ProductAttributes): string {
  return `${times(scale, A)}${transposeA ? 'ᵀ' : ''} ${B}${transposeB ? 'ᵀ' : ''}`;
}
