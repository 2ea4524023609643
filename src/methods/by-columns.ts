/** Fits of an X that is never whole in memory: what a method sees of it, and the options that it has for it. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { InputError } from '../errors.js';
import type { ColumnData } from '../parallel/column-data.js';
import { writeMatrix } from './write-matrix.js';

/** X as a method takes it: in memory, or by columns (`scanColumns`). */
export type FitData = DataMatrix | ColumnData;

const standIns = new WeakSet<object>();

/** A matrix of the shape of X, with nothing in it: whoever asks for an entry is told that there is none. */
export function standIn({ rows, cols, sparse }: ColumnData): DataMatrix {
  const nothing = () => {
    throw new Error('X comes by columns and is never whole in memory, so nothing may ask for all of its entries.');
  };
  const fields = sparse ? ['rowStarts', 'columns', 'values'] : ['data'];
  const X = Object.defineProperties({ rows, cols }, Object.fromEntries(fields.map((name) => [name, { get: nothing, enumerable: true }])));
  standIns.add(X);
  return X as DataMatrix;
}

export const isStandIn = (X: DataMatrix): boolean => standIns.has(X);

/** `writeMatrix` of an X in memory; an engine of columns reads X by itself. */
export const writeData: typeof writeMatrix = (run, tensor, X, weightTensor, W) => {
  if (!isStandIn(X)) writeMatrix(run, tensor, X, weightTensor, W);
};

/** The options that say something of every entry of X, or that read all of it at once. */
const beside: Record<string, string> = {
  weights: 'which would be as large as X',
  absent: 'which needs a Gram matrix for every column',
  loss: 'which is measured entry by entry',
  neighbours: 'which joins columns of different panels',
  laplacian: 'which joins columns of different panels',
  guide: 'which begins with a look at all of X',
  fixedA: 'which begins with a look at all of X',
  fixedS: 'which begins with a look at all of X',
  simplex: 'which has no rule for the columns that fill up a panel',
  minVolume: 'which goes with simplex',
  batchColumns: 'which draws columns from all over X; `onlineNmf` learns from batches',
};

/** Throws InputError for an option that a fit by columns does not have. */
export function refuseBesideColumns(method: string, options: object): void {
  const given = options as Record<string, unknown>;
  for (const [option, why] of Object.entries(beside))
    if (given[option] !== undefined && given[option] !== false)
      throw new InputError(
        `${method} of an X by columns does not have the option '${option}', ${why}; leave it out, or give X as a matrix.`,
        {
          option,
        },
      );
  if (given.svdBound === true)
    throw new InputError(`${method} of an X by columns has no SVD bound, which needs all of X; leave svdBound out.`, {
      option: 'svdBound',
    });
  if (given.stopping === 'violation')
    throw new InputError(`${method} of an X by columns does not have the rule 'violation'; choose 'objective' or 'kkt'.`, {
      option: 'stopping',
    });
  const { start } = given;
  if (typeof start === 'string' && start.startsWith('nndsvd'))
    throw new InputError(`${method} of an X by columns does not start from its singular vectors; leave start '${start}' out.`, {
      option: 'start',
    });
  if (typeof start === 'object' && (!(start as { A?: Matrix[] }).A || !(start as { S?: unknown }).S) && method === 'nmf')
    throw new InputError('A start of nmf of an X by columns needs both A and S; give both.', { option: 'start' });
}
