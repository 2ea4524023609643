/** X on its way to a run. */
import type { Matrix } from '../data/matrix.js';
import { isMask, marked } from '../data/missing.js';
import { type DataMatrix, isSparse } from '../data/sparse.js';
import type { Run } from '../engine.js';
import type { Tensor } from '../graph/tensor.js';

/** Writes X in its own form, and the weights that there are. Where they are 0 and 1 alone, the device makes them of X, in the section 'seen'. */
export function writeMatrix(run: Run, tensor: Tensor, X: DataMatrix, weightTensor?: Tensor, W?: Matrix): void {
  const mask = W && !isSparse(X) && isMask(W);
  run.write(tensor, isSparse(X) ? X : mask ? marked(X, W) : X.data);
  if (mask) run.execute('seen');
  else if (weightTensor && W) run.write(weightTensor, W.data);
}
