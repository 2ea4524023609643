/** NumPy's .npz: a zip of .npy files, and the sparse matrices that SciPy saves in one. */
import type { Matrix } from '../data/matrix.js';
import type { SparseMatrix } from '../data/sparse.js';
import { type DenseTensor, smallestOrder } from '../data/tensors.js';
import { quoted, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import { numbersIn } from './elements.js';
import { checkBacked, sparseOf, sparseOfLines } from './entries.js';
import { type FileContent, type FileFormat, type MatrixNames, within } from './file-format.js';
import { elementsOf, encodeNpy, matrixOfArray, type NpyArray, npyOfTexts, parseNpy, tensorOfArray, textsOf } from './npy.js';
import { zipMembers, zipped } from './zip.js';

export const npz = {
  name: 'NumPy and SciPy',
  summary: 'one array, or a sparse matrix of scipy.sparse.save_npz',
  extensions: ['.npz'],
  denseForm: 'dense form',
  read: decodeNpz,
  write: encodeNpz,
} satisfies FileFormat;

/** The arrays that hold the names of rows and columns, where a file has them. */
const [rowsArray, columnsArray] = ['rows', 'columns'];

/** The bytes of a .npz with X as the array `matrix`, and with names the arrays of text `rows` and `columns`. */
export function encodeNpz(X: Matrix, { rowNames, columnNames }: MatrixNames = {}): Promise<Uint8Array> {
  return zipped({
    'matrix.npy': encodeNpy(X),
    ...(rowNames && { [`${rowsArray}.npy`]: npyOfTexts(rowNames) }),
    ...(columnNames && { [`${columnsArray}.npy`]: npyOfTexts(columnNames) }),
  });
}

/**
 * The matrix in a .npz: the one array of numbers in it, or what scipy.sparse.save_npz has written (CSR, CSC, COO, BSR), which stays sparse.
 * Arrays of text called `rows` and `columns` are names.
 *
 * @throws InputError for a file that is no zip of .npy files, holds several matrices or none, or is damaged.
 */
export async function decodeNpz(bytes: Uint8Array, source: string): Promise<FileContent> {
  const arrays = await arraysIn(bytes, source);
  return within(source, () => (arrays.has('format') ? { X: sparseIn(arrays, bytes.length) } : denseIn(arrays)));
}

/**
 * The tensor in a .npz: the one array of numbers of two to six dimensions.
 *
 * @throws InputError for a file that is no zip of .npy files, holds several such arrays or none, or is damaged.
 */
export async function decodeNpzTensor(bytes: Uint8Array, source: string): Promise<DenseTensor> {
  const arrays = await arraysIn(bytes, source);
  return within(source, () => {
    if (arrays.has('format')) throw new InputError('It holds a sparse matrix of SciPy, not a tensor; orthant fit reads it.');
    const numbers = [...arrays].filter(([, array]) => !isText(array));
    const found = numbers.length === 1 ? numbers : numbers.filter(([, { shape }]) => shape.length >= smallestOrder);
    if (found.length !== 1)
      throw new InputError(
        found.length === 0
          ? 'It holds no array of numbers with two to six dimensions.'
          : `It holds ${found.length} arrays, ${shortened(found.map(([name]) => name).join(', '), 200)}; save the one that is the tensor.`,
      );
    const [[name, array]] = found;
    return within(name, () => tensorOfArray(array));
  });
}

async function arraysIn(bytes: Uint8Array, source: string): Promise<Map<string, NpyArray>> {
  const arrays = new Map<string, NpyArray>();
  for (const member of zipMembers(bytes, source)) {
    if (!member.name.endsWith('.npy'))
      throw new InputError(`${source} has a member ${quoted(member.name)}, but a .npz has .npy files alone.`);
    const content = await member.unpack();
    arrays.set(
      member.name.slice(0, -4),
      within(`${source}: ${shortened(member.name)}`, () => parseNpy(content)),
    );
  }
  return arrays;
}

const isText = ({ dtype }: NpyArray) => /^[<>|=]?[US]\d/.test(dtype);

function denseIn(arrays: ReadonlyMap<string, NpyArray>): FileContent {
  const numbers = [...arrays].filter(([, array]) => !isText(array));
  const tables = numbers.filter(([, { shape }]) => shape.length === 2);
  const matrices = tables.length === 1 ? tables : numbers;
  if (matrices.length !== 1) {
    const names = shortened(matrices.map(([name]) => name).join(', '), 200);
    throw new InputError(
      matrices.length === 0
        ? 'It holds no array of numbers.'
        : `It holds ${matrices.length} arrays, ${names}; save the one that is the matrix.`,
    );
  }
  const [[name, array]] = matrices;
  const X = within(name, () => matrixOfArray(array));
  const namesIn = (which: string, count: number) => {
    const texts = arrays.get(which);
    if (texts === undefined) return undefined;
    const names = within(which, () => textsOf(texts));
    if (names.length !== count) throw new InputError(`It has ${names.length} names of ${which}, but ${count} ${which}.`);
    return names;
  };
  const [rowNames, columnNames] = [namesIn(rowsArray, X.rows), namesIn(columnsArray, X.cols)];
  const others = numbers.filter(([other]) => other !== name).map(([other]) => other);
  const notes = others.length > 0 ? [`It has one array of two dimensions, ${name}; left out: ${shortened(others.join(', '))}.`] : undefined;
  return { X, ...(rowNames && { rowNames }), ...(columnNames && { columnNames }), ...(notes && { notes }) };
}

function sparseIn(arrays: ReadonlyMap<string, NpyArray>, bytes: number): SparseMatrix {
  const array = (name: string) => {
    const found = arrays.get(name);
    if (found) return found;
    throw new InputError(`A sparse matrix of SciPy has an array ${quoted(name)}, but this file has none.`);
  };
  const numbers = (name: string) => within(name, () => numbersIn(elementsOf(array(name))));
  const [format] = within('format', () => textsOf(array('format')));
  const shape = numbers('shape');
  const [rows, cols] = shape;
  if (shape.length !== 2) throw new InputError(`The sparse array has ${shape.length} dimensions, but a matrix has 2.`);
  checkBacked(rows, cols, bytes, "'shape'");
  const what = 'The sparse matrix';
  const size = { rows, cols };
  if (format === 'csr' || format === 'csc')
    return sparseOfLines(
      { ...size, starts: numbers('indptr'), others: numbers('indices'), values: numbers('data'), byColumns: format === 'csc' },
      what,
    );
  if (format === 'coo') {
    const coo = arrays.has('coords')
      ? coordinates(numbers('coords'), array('coords'))
      : { rowIndices: numbers('row'), columns: numbers('col') };
    const values = numbers('data');
    if (coo.rowIndices.length !== values.length || coo.columns.length !== values.length)
      throw new InputError(`${what} has ${values.length} values, ${coo.rowIndices.length} row indices and ${coo.columns.length} columns.`);
    return sparseOf({ ...size, ...coo, values }, what);
  }
  if (format === 'bsr')
    return sparseOf({ ...size, ...blocks(numbers('indptr'), numbers('indices'), numbers('data'), array('data'), size) }, what);
  throw new InputError(
    `The sparse matrix has the format ${quoted(format ?? '')}, but csr, csc, coo and bsr can be read; convert it with .tocsr().`,
  );
}

/** Those of a sparse array of SciPy: an array of 2×entries. */
function coordinates(numbers: Float64Array, { shape, fortran }: NpyArray): { rowIndices: Float64Array; columns: Float64Array } {
  if (shape.length !== 2 || shape[0] !== 2 || fortran)
    throw new InputError(`'coords' has the shape (${shape.join(', ')}), not (2, entries).`);
  return { rowIndices: numbers.subarray(0, shape[1]), columns: numbers.subarray(shape[1]) };
}

/** The entries of blocks of one size in compressed rows. */
function blocks(
  starts: Float64Array,
  others: Float64Array,
  values: Float64Array,
  { shape, fortran }: NpyArray,
  size: { rows: number; cols: number },
) {
  const [count, height, width] = shape;
  const lines = size.rows / height;
  if (
    shape.length !== 3 ||
    fortran ||
    !(count >= 1 && height >= 1 && width >= 1) ||
    !Number.isInteger(lines) ||
    !Number.isInteger(size.cols / width)
  )
    throw new InputError(`'data' has the shape (${shape.join(', ')}), which is no list of blocks of a ${size.rows}×${size.cols} matrix.`);
  // The blocks as entries: their checks are those of any matrix in compressed rows.
  const numbered = sparseOfLines(
    { rows: lines, cols: size.cols / width, starts, others, values: Float64Array.from({ length: count }, (_, b) => b), byColumns: false },
    'The matrix of blocks',
  );
  if (numbered.values.length !== count) throw new InputError('The matrix has two blocks at one place; add them up with .sum_duplicates().');
  const [rowIndices, columns, entries] = [
    new Float64Array(values.length),
    new Float64Array(values.length),
    new Float64Array(values.length),
  ];
  let e = 0;
  for (let i = 0; i < lines; i++)
    for (let b = starts[i]; b < starts[i + 1]; b++)
      for (let p = 0; p < height * width; p++) {
        rowIndices[e] = i * height + Math.floor(p / width);
        columns[e] = others[b] * width + (p % width);
        entries[e++] = values[b * height * width + p];
      }
  return { rowIndices, columns, values: entries };
}
