/** Matrices that options name by their files, such as fixed components: as the fit takes them, in the order of the data. */
import { transpose } from '../data/matrix.js';
import { type DataMatrix, isSparse, sparseTranspose, toDense } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { type Method, methodOf } from '../methods/methods.js';
import { orderOf, rowsInOrder } from '../models/align.js';
import { readMatrix } from '../node/files.js';
import type { Data } from './data-file.js';
import type { MethodOptions } from './method-options.js';

/**
 * The options with matrices in the place of names of files. A file lies as the matrix does in the fit: columns of A are columns. Where it and
 * the data have names, another order is put right, which a note says. Throws InputError for other names, and cells without a value.
 */
export async function withOwnMatrices<O extends MethodOptions>(given: O, data: Data, method: Method): Promise<O> {
  const found: Record<string, DataMatrix> = {};
  for (const [option, { kind, named = {}, sparse }] of Object.entries(methodOf(method).options)) {
    const path = given[option];
    if (kind !== 'ownMatrix' || typeof path !== 'string') continue;
    const { X, features: rowNames, samples: columnNames, weights } = await readMatrix(path, { samples: 'columns' });
    if (weights) throw new InputError(`${path} has cells without a value; it needs a number in each.`, { option });
    const rows = orderBy(rowNames, named.rows, { path, data });
    const columns = orderBy(columnNames, named.columns, { path, data });
    const inRows = rows ? rowsInOrder(X, rows) : X;
    const inOrder = columns ? turned(rowsInOrder(turned(inRows), columns)) : inRows;
    found[option] = sparse ? inOrder : toDense(inOrder);
  }
  return { ...given, ...found };
}

const turned = (X: DataMatrix) => (isSparse(X) ? sparseTranspose(X) : transpose(X));

function orderBy(
  names: readonly string[] | undefined,
  side: 'features' | 'samples' | undefined,
  { path, data }: { path: string; data: Data },
): number[] | undefined {
  const wanted = side && (side === 'features' ? data.features : data.sampleNames);
  const order = names && wanted && orderOf({ names, of: path }, { names: wanted, of: data.path }, { what: side });
  if (order) data.notes.push(`The ${side} of ${path} stand in another order than those of ${data.path}; they were put into that order.`);
  return order;
}
