/** The SVD bounds of a matrix, in a thread of their own: they take seconds, and fits must not wait for them. */
import { type SparseMatrix, svdBounds } from 'orthant';

addEventListener('message', ({ data }: MessageEvent<{ X: SparseMatrix; ranks: number[] }>) => {
  postMessage(svdBounds(data.X, data.ranks).values);
});
