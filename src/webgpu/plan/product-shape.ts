/** The shape of a product, and the class of shapes that share one choice of kernel. Pure. */

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
  const shared = batch === 1 || norm ? '' : `${sharedA ? ', A shared' : ''}${sharedB ? ', B shared' : ''}`;
  return `${product} ${bucket(rows)}×${bucket(inner)}×${bucket(cols)}${restartsText(batch)}${shared}`;
}

/** " ×8"; nothing for one. */
export function restartsText(restarts: number): string {
  return restarts === 1 ? '' : ` ×${2 ** Math.ceil(Math.log2(restarts))}`;
}

/** Small sizes matter by the block, large ones by their order of magnitude. */
export function bucket(size: number): number {
  if (size <= 64) return Math.max(4, 2 ** Math.ceil(Math.log2(size)));
  return 4 ** Math.ceil(Math.log2(size) / 2);
}
