import { fcnnls } from 'ml-fcnnls';
import { Matrix as MlMatrix } from 'ml-matrix';
import type { Matrix } from '../../src/data/matrix.js';

/** f64 in plain JavaScript, on one core. Its Gram matrix and AᵀX are part of the solve. */
export function loadFcnnls(A: Matrix, X: Matrix): () => MlMatrix {
  const load = ({ data, rows, cols }: Matrix) => {
    const loaded = new MlMatrix(rows, cols);
    for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++, at++) loaded.set(i, j, data[at]);
    return loaded;
  };
  const [design, response] = [load(A), load(X)];
  return () => fcnnls(design, response).K;
}
