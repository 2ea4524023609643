/** The meaning of products and costs with a sparse X, in f64: loops over the stored entries, X never made dense. */
import type { Attributes } from '../graph/operations.js';
import { leastDenominator, quotient } from './quotient.js';
import type { Value } from './value.js';

function eachStored({ rows, data, places }: Value, visit: (i: number, j: number, x: number) => void): void {
  const { rowStarts, columns } = places!;
  for (let i = 0; i < rows; i++) for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) visit(i, columns[e], data[e]);
}

/** out = scale · op(A) op(B) [+ addScale · E | ∘ E], A or B sparse. */
export function sparseMatmul(
  [A, B, E]: Value[],
  out: Value,
  { transposeA, transposeB, scale, epilogue, addScale, pattern = false }: Attributes<'matmul'>,
): void {
  out.data.fill(0);
  if (A.places) {
    eachStored(A, (i, j, stored) => {
      const x = pattern ? 1 : stored;
      const [row, t] = transposeA ? [j, i] : [i, j];
      for (let c = 0; c < out.cols; c++) out.data[row * out.cols + c] += x * B.data[transposeB ? c * B.cols + t : t * B.cols + c];
    });
  } else {
    eachStored(B, (i, j, stored) => {
      const x = pattern ? 1 : stored;
      const [t, col] = transposeB ? [j, i] : [i, j];
      for (let r = 0; r < out.rows; r++) out.data[r * out.cols + col] += A.data[transposeA ? t * A.cols + r : r * A.cols + t] * x;
    });
  }
  for (let at = 0; at < out.data.length; at++) {
    const extra = E?.data[at] ?? 0;
    out.data[at] =
      epilogue === 'hadamard' ? scale * out.data[at] * extra : scale * out.data[at] + (epilogue === 'add' ? addScale * extra : 0);
  }
}

/** ‖X − AZ‖² by its definition, a row of X − AZ at a time: all N·M places count, but only one row of them exists at once. */
export function sparseResidual(X: Value, A: Value, Z: Value): number {
  const { rowStarts, columns } = X.places!;
  const residual = new Float64Array(X.cols);
  let total = 0;
  for (let i = 0; i < X.rows; i++) {
    residual.fill(0);
    for (let e = rowStarts[i]; e < rowStarts[i + 1]; e++) residual[columns[e]] = X.data[e];
    for (let t = 0; t < A.cols; t++) {
      const a = A.data[i * A.cols + t];
      if (a !== 0) for (let j = 0; j < X.cols; j++) residual[j] -= a * Z.data[t * Z.cols + j];
    }
    for (const r of residual) total += r * r;
  }
  return total;
}

/** (AZ)ᵢⱼ */
function entryOf(A: Value, Z: Value, i: number, j: number): number {
  let sum = 0;
  for (let t = 0; t < A.cols; t++) sum += A.data[i * A.cols + t] * Z.data[t * Z.cols + j];
  return sum;
}

/** out = (X / (AZ)) Zᵀ or Aᵀ (X / (AZ)), and the quotients themselves in the order of X's rows or columns. */
export function quotientProduct([X, A, Z]: Value[], outputs: Value[], { of }: Attributes<'quotientProduct'>): void {
  productOfEntries([X, A, Z], outputs, of, quotient);
}

/** out = (P∘(AZ)) Zᵀ or Aᵀ (P∘(AZ)), P the pattern of X, and AZ at the stored entries in the order of X's rows or columns. */
export function sampledProduct([X, A, Z]: Value[], outputs: Value[], { of }: Attributes<'sampledProduct'>): void {
  productOfEntries([X, A, Z], outputs, of, (_x, v) => v);
}

/** The same of X∘(AZ)^p. */
export function poweredProduct([X, A, Z]: Value[], outputs: Value[], { of, p, q }: Attributes<'poweredProduct'>): void {
  productOfEntries([X, A, Z], outputs, of, (x, v) => x * Math.max(v, q) ** p);
}

/** out = (L Dᵀ)^p D, an entry of L Dᵀ at a time. */
export function powerProduct([L, D]: Value[], [out]: Value[], { p, q }: Attributes<'powerProduct'>): void {
  const k = L.cols;
  out.data.fill(0);
  for (let i = 0; i < L.rows; i++) {
    for (let c = 0; c < D.rows; c++) {
      let v = 0;
      for (let t = 0; t < k; t++) v += L.data[i * k + t] * D.data[c * k + t];
      const power = Math.max(v, q) ** p;
      for (let t = 0; t < k; t++) out.data[i * k + t] += power * D.data[c * k + t];
    }
  }
}

/** The product of a matrix with entries f(x, (AZ)ᵢⱼ) where X stores an x. */
function productOfEntries([X, A, Z]: Value[], [out, values]: Value[], of: 'rows' | 'columns', f: (x: number, v: number) => number): void {
  out.data.fill(0);
  const found: { line: number; value: number }[] = [];
  eachStored(X, (i, j, x) => {
    const value = f(x, entryOf(A, Z, i, j));
    found.push({ line: of === 'rows' ? i : j, value });
    for (let t = 0; t < A.cols; t++) {
      if (of === 'rows') out.data[i * out.cols + t] += value * Z.data[t * Z.cols + j];
      else out.data[t * out.cols + j] += value * A.data[i * A.cols + t];
    }
  });
  found
    .sort((a, b) => a.line - b.line)
    .forEach(({ value }, e) => {
      values.data[e] = value;
    });
}

/** F ← F ∘ [(X / (FO)) Oᵀ] / d for rows of F, or F ← F ∘ [Oᵀ (X / (OF))] / d for its columns, d a row with an entry for each unknown. */
export function quotientUpdate([X, other, d]: Value[], [F, values]: Value[], { of }: Attributes<'quotientUpdate'>): void {
  const product: Value = { rows: F.rows, cols: F.cols, data: new Float64Array(F.data.length) };
  quotientProduct(of === 'rows' ? [X, F, other] : [X, other, F], [product, values], { of });
  for (let at = 0; at < F.data.length; at++) {
    F.data[at] *= quotient(product.data[at], d.data[of === 'rows' ? at % F.cols : Math.floor(at / F.cols)]);
  }
}

/** Σ (x − (AZ))² over the stored entries. */
export function residualAtEntries([X, A, Z]: Value[], [out]: Value[]): void {
  let total = 0;
  eachStored(X, (i, j, x) => {
    total += (x - entryOf(A, Z, i, j)) ** 2;
  });
  out.data[0] = total;
}

/** Σ (x^p − p x v^{p−1}) / (p (p − 1)) over the stored entries. */
export function betaDivergenceAtEntries([X, A, Z]: Value[], [out]: Value[], { p, q }: Attributes<'betaDivergenceAtEntries'>): void {
  let total = 0;
  eachStored(X, (i, j, x) => {
    if (x > 0) total += (x ** p - p * x * Math.max(entryOf(A, Z, i, j), q) ** (p - 1)) / (p * (p - 1));
  });
  out.data[0] = total;
}

/** Σ x log(x / (AZ)) − x over the stored entries. */
export function divergenceAtEntries([X, A, Z]: Value[], [out]: Value[]): void {
  let total = 0;
  eachStored(X, (i, j, x) => {
    if (x > 0) total += x * (Math.log(Math.max(quotient(x, entryOf(A, Z, i, j)), leastDenominator)) - 1);
  });
  out.data[0] = total;
}
