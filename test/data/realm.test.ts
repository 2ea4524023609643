/** Typed arrays of another realm, as a frame, a vm context or jest has them. */
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkNonnegative } from '../../src/data/check.js';
import { tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { isTyped, messageOf } from '../../src/data/realm.js';
import { type SparseMatrix, sparseFromDense, sparseMatrix } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { parseMtxMatrix } from '../../src/formats/mtx.js';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

/** The same entries in an array of another realm. */
function foreign<T extends ArrayLike<unknown>>(array: T): T {
  const kind = Object.prototype.toString.call(array).slice(8, -1);
  const copy = runInNewContext(`${kind}.from(entries)`, { entries: array });
  expect(copy).not.toBeInstanceOf(globalThis[kind as 'Float32Array']);
  return copy;
}
const foreignMatrix = ({ rows, cols, data }: Matrix): Matrix => ({ rows, cols, data: foreign(data) });
const foreignSparse = ({ rows, cols, ...lists }: SparseMatrix): SparseMatrix => ({
  rows,
  cols,
  rowStarts: foreign(lists.rowStarts),
  columns: foreign(lists.columns),
  values: foreign(lists.values),
});

const { X } = tableOne(0);
const options = { ranks: 4, maxIterations: 5, tolerance: 0, seed: 3, svdBound: false };
let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => engine?.dispose());

test('a kind is told from the others, and from what only says so', () => {
  expect(isTyped(foreign(new Float32Array(2)), 'Float32Array')).toBe(true);
  expect(isTyped(foreign(new Uint32Array(2)), 'Uint32Array')).toBe(true);
  for (const other of [foreign(new Float64Array(2)), [1, 2], { [Symbol.toStringTag]: 'Float32Array' }, undefined, null])
    expect(isTyped(other, 'Float32Array')).toBe(false);
  expect(() => checkNonnegative({ rows: 1, cols: 2, data: foreign(new Float64Array(2)) as never })).toThrow(InputError);
});

test('errors of another realm keep their message', () => {
  expect(messageOf(runInNewContext('new TypeError("no")'))).toBe('no');
  expect(messageOf('text')).toBe('text');
  expect(messageOf(null)).toBe('null');
});

test('matrices and lists are not copied', () => {
  const data = foreign(new Float32Array(4));
  expect(matrix(2, 2, data).data).toBe(data);
  const values = foreign(new Float32Array([2]));
  expect(sparseMatrix(1, 1, { rowStarts: foreign(new Uint32Array([0, 1])), columns: [0], values }).values).toBe(values);
});

test('files: bytes of .npy, text of .mtx from bytes', () => {
  expect(decodeNpy(foreign(encodeNpy(X)))).toEqual(X);
  const bytes = foreign(new TextEncoder().encode('%%MatrixMarket matrix array real general\n1 2\n3\n4\n'));
  expect(parseMtxMatrix(new TextDecoder().decode(bytes))).toEqual(matrix(1, 2, [3, 4]));
});

test.each(['device', 'reference'] as const)('fits, labels, masks and solves give the same on the %s', async (kind) => {
  const own = kind === 'device' ? engine : createReferenceEngine();
  const fit = await nmf(own, X, options);
  expect((await nmf(own, foreignMatrix(X), options)).S).toEqual(fit.S);

  const mask = matrix(
    X.rows,
    X.cols,
    X.data.map((_, i) => (i % 7 === 0 ? 0 : 1)),
  );

  const sparse = sparseFromDense(X);
  expect((await nmf(own, foreignSparse(sparse), options)).S).toEqual((await nmf(own, sparse, options)).S);

  const labels = Array.from({ length: X.cols }, (_, c) => c % 2);
  const supervised = await ssnmf(own, X, { ...options, labels, weights: mask });
  expect((await ssnmf(own, foreignMatrix(X), { ...options, labels: foreign(labels), weights: foreignMatrix(mask) })).S).toEqual(
    supervised.S,
  );

  expect(await nnls(own, foreignMatrix(X), foreignMatrix(fit.A[0]))).toEqual(await nnls(own, X, fit.A[0]));
  own === engine || own.dispose();
});
