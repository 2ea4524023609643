/** What the host writes into a tensor of a program. */
import { ShapeError } from '../errors.js';
import type { SparseMatrix } from './sparse.js';
import type { SparseTensor } from './tensors.js';

/** Row-major entries; of a tensor in CSR a sparse matrix, of one in coordinates a sparse tensor. */
export type Content = ArrayLike<number> | SparseMatrix | SparseTensor;

const forms = {
  dense: 'is dense and takes its entries row by row',
  csr: 'is a CSR tensor and takes a SparseMatrix',
  coo: 'is a tensor in coordinates and takes a SparseTensor',
} as const;

/** Throws ShapeError unless a program's tensor and what is written into it have the same form, and if they are sparse the same size. */
export function checkContent(
  tensor: { name: string; form: keyof typeof forms; shape?: readonly number[]; rows: number; cols: number; entries: number },
  content: Content,
): void {
  const { name, form, entries } = tensor;
  const given = 'rowStarts' in content ? 'csr' : 'coordinates' in content ? 'coo' : 'dense';
  if (given !== form) throw new ShapeError(`${name} ${forms[form]}.`);
  if (!('rowStarts' in content || 'coordinates' in content)) return;
  const own = (tensor.shape ?? [tensor.rows, tensor.cols]).join('×');
  const other = ('shape' in content ? content.shape : [content.rows, content.cols]).join('×');
  if (own === other && content.values.length === entries) return;
  throw new ShapeError(`${name} is ${own} with ${entries} stored entries, but what was given is ${other} with ${content.values.length}.`);
}
