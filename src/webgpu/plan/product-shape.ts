/** The shape of a product, and the class of shapes that share one choice of kernel. Pure. */
import type { Problem, ProductChoice } from '../../engine.js';

export interface ProductShape {
  rows: number;
  cols: number;
  inner: number;
  batch: number;
  /** All restarts share op(A), or op(B). */
  sharedA?: boolean;
  sharedB?: boolean;
  /** op(A), or op(B), is a transpose. */
  transposeA?: boolean;
  transposeB?: boolean;
}

/**
 * The name of a shape's class: the product, each size rounded up to a power of two (of four beyond 64), and the restarts, such as
 * "AᵀB 16×1024×256" or "ABᵀ 256×256×16 ×8, A shared". `norm` is the sum of squares ‖E − AB‖².
 */
export function shapeClass(shape: ProductShape, norm = false): string {
  const { rows, inner, cols, batch, sharedA, sharedB, transposeA, transposeB } = shape;
  const product = norm ? '‖E−AB‖²' : `A${transposeA ? 'ᵀ' : ''}B${transposeB ? 'ᵀ' : ''}`;
  const restarts = batch === 1 ? '' : ` ×${2 ** Math.ceil(Math.log2(batch))}`;
  const shared = batch === 1 || norm ? '' : `${sharedA ? ', A shared' : ''}${sharedB ? ', B shared' : ''}`;
  return `${product} ${bucket(rows)}×${bucket(inner)}×${bucket(cols)}${restarts}${shared}`;
}

/** Small sizes matter by the block, large ones by their order of magnitude. */
function bucket(size: number): number {
  if (size <= 64) return Math.max(4, 2 ** Math.ceil(Math.log2(size)));
  return 4 ** Math.ceil(Math.log2(size) / 2);
}

export interface TunedProduct {
  shape: ProductShape;
  norm: boolean;
}

/** The products of one iteration, most of them tall and skinny: AᵀX, XSᵀ, SXᵀ, the Gram matrices, these times a factor, and ‖X − AS‖². */
export function productsOf({ rows: N, cols: M, rank: k, restarts = 1 }: Problem): TunedProduct[] {
  const product = (rows: number, inner: number, cols: number, kind: 'AB' | 'AᵀB' | 'ABᵀ', shared: Partial<ProductShape> = {}) => ({
    shape: { rows, inner, cols, batch: restarts, transposeA: kind === 'AᵀB', transposeB: kind === 'ABᵀ', ...shared },
    norm: false,
  });
  return [
    product(k, N, M, 'AᵀB', { sharedB: true }),
    product(N, M, k, 'ABᵀ', { sharedA: true }),
    product(k, M, N, 'ABᵀ', { sharedB: true }),
    product(k, N, k, 'AᵀB'),
    product(k, M, k, 'ABᵀ'),
    product(k, k, M, 'AB'),
    product(N, k, k, 'AB'),
    { shape: { rows: N, inner: k, cols: M, batch: restarts }, norm: true },
  ];
}

const sizes = [
  [128, 128],
  [512, 128],
  [128, 512],
  [512, 512],
  [2048, 512],
  [512, 2048],
] as const;

/** The problems that a tuning without shapes of its own measures: the middle of each class of sizes. */
export const typicalProblems: readonly Problem[] = [8, 16, 32].flatMap((rank) => sizes.map(([rows, cols]) => ({ rows, cols, rank })));

export const quickProblems: readonly Problem[] = [
  { rows: 128, cols: 128, rank: 16 },
  { rows: 512, cols: 512, rank: 16 },
];

/** The products of all problems, each class once. */
export function distinctProducts(problems: readonly Problem[]): Map<string, TunedProduct> {
  const classes = new Map<string, TunedProduct>();
  for (const product of problems.flatMap(productsOf)) {
    const name = shapeClass(product.shape, product.norm);
    if (!classes.has(name)) classes.set(name, product);
  }
  return classes;
}

/** "register 8×16", "tiled 64×64 in 4 parts". */
export function choiceText({ algorithm, blocksA, blocksB, splits }: ProductChoice): string {
  return `${algorithm} ${4 * blocksA}×${4 * blocksB}${splits > 1 ? ` in ${splits} parts` : ''}`;
}
