/** A⁰…Aˡ of every level, and the error of each against a sparse X, without ever forming a product as large as X. */
import { type Matrix, type SparseMatrix, transpose } from 'orthant';
import { product } from '../product.js';

/** A⁰…Aˡ, terms × topics, of every level. */
export function topicProducts(A: readonly Matrix[]): Matrix[] {
  const products = [A[0]];
  for (const next of A.slice(1)) products.push(product(products[products.length - 1], next));
  return products;
}

/** ‖X − A⁰…AˡSˡ‖ / ‖X‖ of every level, as ‖X‖² − 2⟨X, ΨS⟩ + ⟨ΨᵀΨ, SSᵀ⟩ in f64. */
export function levelErrors(X: SparseMatrix, A: readonly Matrix[], S: readonly Matrix[]): number[] {
  let norm = 0;
  for (const value of X.values) norm += value * value;
  return topicProducts(A.slice(0, S.length)).map((Psi, l) => {
    const k = Psi.cols;
    const transposed = transpose(S[l]).data;
    let inner = 0;
    for (let i = 0; i < X.rows; i++)
      for (let at = X.rowStarts[i]; at < X.rowStarts[i + 1]; at++) {
        const [a, b] = [i * k, X.columns[at] * k];
        let sum = 0;
        for (let t = 0; t < k; t++) sum += Psi.data[a + t] * transposed[b + t];
        inner += X.values[at] * sum;
      }
    const [G, H] = [gram(Psi.data, k), gram(transposed, k)];
    let square = 0;
    for (let t = 0; t < k * k; t++) square += G[t] * H[t];
    return norm > 0 ? Math.sqrt(Math.max(norm - 2 * inner + square, 0) / norm) : 0;
  });
}

/** Sums of products of columns: `data` has `k` of them. */
function gram(data: Float32Array, k: number): Float64Array {
  const out = new Float64Array(k * k);
  for (let at = 0; at < data.length; at += k)
    for (let a = 0; a < k; a++) {
      const factor = data[at + a];
      if (factor !== 0) for (let b = 0; b < k; b++) out[a * k + b] += factor * data[at + b];
    }
  return out;
}
