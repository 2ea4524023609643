/** The matrix X of an AnnData file (.h5ad, which is HDF5), by the package jsfive. https://anndata.readthedocs.io/en/latest/fileformat-prose.html */
import { matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { checkCells, needed, unreadable } from './columns.js';
import { checkBacked, sparseOfLines } from './entries.js';
import { type FileContent, type FileFormat, within } from './file-format.js';

export const h5ad = {
  name: 'AnnData',
  summary: 'X, dense or sparse, with the names of cells and genes',
  extensions: ['.h5ad'],
  denseForm: 'dense form',
  foreign: true,
  read: readH5ad,
} satisfies FileFormat;

/** As far as it is used here, of a group or a data set. */
interface Node {
  attrs: Record<string, unknown>;
  /** Of a group, which has no shape. */
  keys?: readonly string[];
  get(name: string): Node;
  /** Of a data set. */
  shape?: readonly number[];
  value?: ArrayLike<unknown>;
}

/** A data set is a list, of a class of its own. */
const isGroup = (node: Node): node is Node & { keys: readonly string[] } => Array.isArray(node.keys);

async function readH5ad(bytes: Uint8Array, source: string): Promise<FileContent> {
  const { File } = await needed(import('jsfive'), 'jsfive', '.h5ad');
  if (bytes.length < 8 || ![0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte))
    throw new InputError(`${source} is no .h5ad file: it does not start as HDF5 does. Write it with AnnData's write_h5ad.`);
  try {
    const file = new File(bytes.slice().buffer, source) as unknown as Node;
    if (!file.keys?.includes('X'))
      throw new InputError(`${source} has no X; its parts are ${shortened((file.keys ?? []).join(', '), 200)}.`);
    const X = matrixIn(file.get('X'), bytes.length, source);
    const [rowNames, columnNames] = [namesIn(file, 'obs', X.rows, source), namesIn(file, 'var', X.cols, source)];
    return { X, ...(rowNames && { rowNames }), ...(columnNames && { columnNames }), samples: 'rows' };
  } catch (error) {
    throw unreadable(source, '.h5ad', error);
  }
}

function matrixIn(node: Node, bytes: number, source: string): DataMatrix {
  const what = `${source}: X`;
  if (!isGroup(node)) {
    const shape = node.shape ?? [];
    if (shape.length !== 2) throw new InputError(`${what} has the shape (${shape.join(', ')}), but a matrix has 2 dimensions.`);
    const [rows, cols] = shape;
    checkCells(rows, cols, bytes, source);
    return within(what, () => matrix(rows, cols, node.value as ArrayLike<number>));
  }
  const form = node.attrs['encoding-type'] ?? node.attrs.h5sparse_format;
  const byColumns = form === 'csc_matrix' || form === 'csc';
  if (!byColumns && form !== 'csr_matrix' && form !== 'csr')
    throw new InputError(`${what} is encoded as ${quoted(String(form))}, but arrays, csr_matrix and csc_matrix can be read.`);
  const [rows, cols] = Array.from((node.attrs.shape ?? node.attrs.h5sparse_shape) as ArrayLike<number | bigint>, Number);
  checkBacked(rows, cols, bytes, what);
  const list = (name: string) => {
    const part = node.get(name);
    checkCells(part.shape?.[0] ?? 0, 1, bytes, source);
    return Float64Array.from(part.value as ArrayLike<number | bigint>, Number);
  };
  return sparseOfLines({ rows, cols, starts: list('indptr'), others: list('indices'), values: list('data'), byColumns }, what);
}

/** The index of a table of annotations. A file without one, or with one of another length, has no names. */
function namesIn(file: Node, table: 'obs' | 'var', count: number, source: string): string[] | undefined {
  if (!file.keys?.includes(table)) return undefined;
  const node = file.get(table);
  const index = node.attrs._index;
  if (!isGroup(node) || typeof index !== 'string' || !node.keys.includes(index)) return undefined;
  const { value } = node.get(index);
  const names = Array.from(value ?? [], String);
  if (names.length === count) return names;
  throw new InputError(`${source} has ${names.length} names in ${table}, but X has ${count} ${table === 'obs' ? 'rows' : 'columns'}.`);
}
