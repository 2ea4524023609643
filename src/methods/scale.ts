/** Scale that moves between the factors of a fit. */
import type { Run } from '../engine.js';
import type { Tensor } from '../graph/tensor.js';

/** A column of A below this has died out beside X, whose entries are about 1: what is divided by it is beyond f32. */
const unused = 2 ** -60;

/**
 * Brings columns of A to unit norm. Their scale moves into the rows of S and out of the columns of B, so neither AS nor BS changes.
 * It runs on the host, once a layer.
 */
export async function moveScale(run: Run, A: Tensor, S: Tensor, B?: Tensor): Promise<void> {
  const [a, s] = await Promise.all([run.read(A), run.read(S)]);
  const b = B && (await run.read(B));
  const scaleColumns = ({ rows, cols }: Tensor, data: Float32Array | Float64Array, restart: number, column: number, by: number) => {
    for (let i = 0; i < rows; i++) data[(restart * rows + i) * cols + column] *= by;
  };
  for (let restart = 0; restart < A.batch; restart++) {
    for (let j = 0; j < A.cols; j++) {
      let squares = 0;
      for (let i = 0; i < A.rows; i++) squares += a[(restart * A.rows + i) * A.cols + j] ** 2;
      const norm = Math.sqrt(squares);
      if (norm < unused) continue; // a unit that only the classifier uses keeps its scale
      scaleColumns(A, a, restart, j, 1 / norm);
      if (B && b) scaleColumns(B, b, restart, j, 1 / norm);
      const row = (restart * S.rows + j) * S.cols;
      for (let c = 0; c < S.cols; c++) s[row + c] *= norm;
    }
  }
  run.write(A, a);
  run.write(S, s);
  if (B && b) run.write(B, b);
}
