/** The dense products of a problem: kernels, tiles and parts of the inner dimension. */
import { random } from '../../data/random.js';
import type { Problem } from '../../engine.js';
import { programBuilder } from '../../graph/program.js';
import { T, type Tensor } from '../../graph/tensor.js';
import { candidatePlans } from '../plan/plan-products.js';
import type { ProductShape } from '../plan/shapes.js';
import { shapeClass } from './classes.js';
import { places, rounding, type Trial, type TunedClass, uniform } from './trial.js';

interface TunedProduct {
  shape: ProductShape;
  /** The sum of squares ‖E − AB‖². */
  norm: boolean;
}

/** Most of them are tall and skinny: AᵀX, XSᵀ, SXᵀ, the Gram matrices, these times a factor, and ‖X − AS‖². Those with a sparse X are none. */
export function productsOf({ rows: N, cols: M, rank: k, restarts = 1, density }: Problem): TunedProduct[] {
  const product = (rows: number, inner: number, cols: number, kind: 'AB' | 'AᵀB' | 'ABᵀ', shared: Partial<ProductShape> = {}) => ({
    shape: { rows, inner, cols, batch: restarts, transposeA: kind === 'AᵀB', transposeB: kind === 'ABᵀ', ...shared },
    norm: false,
  });
  const withX = [
    product(k, N, M, 'AᵀB', { sharedB: true }),
    product(N, M, k, 'ABᵀ', { sharedA: true }),
    product(k, M, N, 'ABᵀ', { sharedB: true }),
    { shape: { rows: N, inner: k, cols: M, batch: restarts }, norm: true },
  ];
  const others = [product(k, N, k, 'AᵀB'), product(k, M, k, 'ABᵀ'), product(k, k, M, 'AB'), product(N, k, k, 'AB')];
  return [...(density === undefined ? withX : []), ...others];
}

export function productClasses(problem: Problem): TunedClass<'product'>[] {
  return productsOf(problem).map((product) => ({
    kind: 'product',
    name: shapeClass(product.shape, product.norm),
    choices: (facts) =>
      candidatePlans(product.shape, facts, product.norm).map(({ algorithm, blocksA, blocksB, splits }) => ({
        algorithm,
        blocksA,
        blocksB,
        splits,
      })),
    trial: (count) => trial(product, count),
  }));
}

function trial({ shape, norm }: TunedProduct, count: number): Trial {
  const { rows, inner, cols, batch, sharedA, sharedB, transposeA = false, transposeB = false } = shape;
  const p = programBuilder('tuning', { restarts: batch });
  const factor = (name: string, [height, width]: [number, number], transposed: boolean, shared = false) =>
    p.input(name, transposed ? width : height, transposed ? height : width, { batched: !shared });
  const A = factor('A', [rows, inner], transposeA, sharedA);
  const isGram = rows === cols && transposeA !== transposeB && !sharedA && !sharedB;
  const B = isGram ? A : factor('B', [inner, cols], transposeB, sharedB);
  const E = norm ? p.input('E', rows, cols) : undefined;
  const C = norm ? p.state('C', 1, 1) : p.state('C', rows, cols);
  for (let i = 0; i < count; i++) {
    p.section(String(i), () => {
      if (E) p.residualNorm(E, A, B, { into: C });
      else if (isGram) p.gram(A, transposeA ? 'columns' : 'rows', { into: C });
      else p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B, { into: C });
    });
  }
  const r = random(1);
  const values = new Map([A, B, ...(E ? [E] : [])].map((tensor) => [tensor, uniform(r, tensor.rows * tensor.cols * tensor.batch)]));
  const entry = (tensor: Tensor, transposed: boolean, i: number, j: number) =>
    values.get(tensor)![transposed ? j * tensor.cols + i : i * tensor.cols + j];
  const productAt = (i: number, j: number) => {
    let sum = 0;
    for (let t = 0; t < inner; t++) sum += entry(A, transposeA, i, t) * entry(B, transposeB, t, j);
    return sum;
  };
  /**
   * Of the first restart: corners and a few entries between them, or the sum of squares. Sums of positive terms, so the bound is relative.
   */
  const expected = new Map<number, number>();
  if (E) expected.set(0, squares(values.get(E)!, productAt, rows, cols));
  else for (const i of places(rows)) for (const j of places(cols)) expected.set(i * cols + j, productAt(i, j));
  const bound = 8 * rounding * Math.sqrt(norm ? rows * cols : inner);
  return {
    program: p.build(),
    write(run) {
      for (const [tensor, entries] of values) run.write(tensor, entries);
    },
    async isRight(run, section) {
      // Another choice's product must not be left there.
      run.write(C, new Float32Array(C.rows * C.cols).fill(-1));
      run.execute(section);
      const actual = await run.read(C);
      return [...expected].every(([at, value]) => Math.abs(actual[at] - value) <= bound * value);
    },
  };
}

function squares(E: Float32Array, productAt: (i: number, j: number) => number, rows: number, cols: number): number {
  let total = 0;
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) total += (E[i * cols + j] - productAt(i, j)) ** 2;
  return total;
}
