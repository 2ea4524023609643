/** Fitted models: coding new samples, predicting, and the way to files and back. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix, transpose } from '../../src/data/matrix.js';
import type { Engine } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization, Method } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { predict, transform } from '../../src/models/apply.js';
import { modelFiles, modelFromFiles } from '../../src/models/files.js';
import { loadModel, saveModel } from '../../src/node/model-folder.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

/** In f64: what is examined here is not the device. */
const engine: Engine = createReferenceEngine();

/** Every third row and column of the published data, and others of its columns as new samples. */
const { X: all, labels } = tableOne(0);
const pick = (columns: number[]): Matrix => {
  const rows = Array.from({ length: 29 }, (_, i) => 3 * i);
  return matrix(
    29,
    columns.length,
    rows.flatMap((i) => columns.map((c) => all.data[i * all.cols + c])),
  );
};
const fitted = Array.from({ length: 30 }, (_, c) => 3 * c);
const unseen = Array.from({ length: 30 }, (_, c) => 3 * c + 1);
const X = pick(fitted);
const newX = pick(unseen);
const classesOf = (columns: number[]) => columns.map((c) => `group ${labels[4][c]}`);

const options = { restarts: 2, maxIterations: 60, svdBound: false };
const ranks = [6, 4];
const makers: Record<Method, () => Promise<Factorization>> = {
  nmf: () => nmf(engine, X, { ranks: 6, ...options }),
  ssnmf: () => ssnmf(engine, X, { ranks: 6, labels: classesOf(fitted), ...options, maxIterations: 200 }),
  hierarchical: () => hierarchicalNmf(engine, X, { ranks, ...options, maxIterations: 30 }),
  deep: () => deepNmf(engine, X, { ranks: [6, 3], ...options, maxIterations: 30, pooling: 'average', poolSize: 2 }),
  'deep-semi': () => deepSemiNmf(engine, X, { ranks, labels: classesOf(fitted), ...options, maxIterations: 30 }),
  unfolded: () => unfoldedNmf(engine, X, { ranks: 5, ...options, maxIterations: 20 }),
  neural: () => neuralNmf(engine, X, { ranks, ...options, maxIterations: 30 }),
  'sparse-coding': () => sparseCoding(engine, X, { ranks, labels: classesOf(fitted), ...options, maxIterations: 120 }),
};
const made = new Map<string, Promise<Factorization>>();
const model = (given: string) => {
  const name = given as Method;
  if (!made.has(name)) made.set(name, makers[name]());
  return made.get(name)!;
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orthant-model-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const largestDifference = (a: Matrix, b: Matrix) => a.data.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b.data[i])), 0);

test.each(['nmf', 'ssnmf', 'hierarchical', 'neural'])('%s: new samples get the exact q of every layer', async (name) => {
  const { A, ...rest } = await model(name);
  const S = await transform(engine, { A, ...rest }, newX);
  expect(S.length).toBe(A.length);
  let Y = newX;
  for (const [l, layer] of S.entries()) {
    Y = (await nnls(engine, Y, A[l])).S;
    expect(layer).toMatchObject({ rows: A[l].cols, cols: newX.cols });
    expect(largestDifference(layer, Y)).toBeLessThan(1e-6 * Math.max(...Y.data));
  }
});

test.each(['neural', 'sparse-coding'])('%s: the samples it was fitted to get the S that the fit returned', async (name) => {
  const fit = await model(name);
  const S = await transform(engine, fit, X);
  S.forEach((layer, l) => {
    expect(largestDifference(layer, fit.S[l])).toBeLessThan(1e-4 * Math.max(...layer.data));
  });
});

test.each(Object.keys(makers) as Method[])('%s codes new samples with as many layers as the fit has', async (name) => {
  const fit = await model(name);
  const S = await transform(engine, fit, newX);
  expect(S.map(({ rows, cols }) => [rows, cols])).toEqual(fit.S.map(({ rows }) => [rows, 30]));
  for (const { data } of S) for (const s of data) expect(s >= 0).toBe(true);
});

test.each(['ssnmf', 'sparse-coding'])('%s predicts the classes of unseen samples', async (name) => {
  const fit = await model(name);
  const { labels: predicted, scores } = await predict(engine, fit, newX);
  expect(predicted).toEqual(classesOf(unseen));
  expect(scores).toMatchObject({ rows: 4, cols: 30 });
  predicted.forEach((label, c) => {
    const column = fit.supervision!.classes.map((_, i) => scores.data[i * 30 + c]);
    expect(fit.supervision!.classes[column.indexOf(Math.max(...column))]).toBe(label);
  });
  await expect(predict(engine, fit, newX, { layer: 7 })).rejects.toThrow(/no classifier on layer 7/);
});

test('what cannot be coded or predicted is refused with the reason', async () => {
  const fit = await model('nmf');
  await expect(predict(engine, fit, newX)).rejects.toThrow(InputError);
  await expect(predict(engine, fit, newX)).rejects.toThrow(/fitted without labels/);
  await expect(transform(engine, fit, matrix(28, 3))).rejects.toThrow(ShapeError);
  await expect(transform(engine, fit, matrix(28, 3))).rejects.toThrow(/newX is 28×3, but the model was fitted to 29 features/);
  await expect(transform(engine, fit, transpose(newX))).rejects.toThrow(/is it transposed/);
  await expect(transform(engine, fit, matrix(29, 1, new Float32Array(29).fill(-1)))).rejects.toThrow(/must be ≥ 0/);
  await expect(transform(engine, fit, matrix(29, 1, new Float32Array(29).fill(Number.NaN)))).rejects.toThrow(/NaN/);
  const signed = matrix(
    29,
    2,
    Float32Array.from({ length: 58 }, (_, i) => (i % 2 === 0 ? 1 : -1)),
  );
  expect((await transform(engine, await model('sparse-coding'), signed)).length).toBe(2);
});

test.each(Object.keys(makers) as Method[])('%s: a model that was saved comes back as it was', async (name) => {
  const fit = await model(name);
  const dir = join(folder, name);
  const names = await saveModel(dir, fit, { orthant: '9.9', device: { kind: 'reference' } });
  expect((await readdir(dir)).sort()).toEqual([...names].sort());
  for (const path of [dir, join(dir, 'model.json')])
    expect(await loadModel(path)).toEqual({
      ...fit,
      elapsedMs: Math.round(fit.elapsedMs),
      settings: JSON.parse(JSON.stringify(fit.settings)),
    });
  const json = JSON.parse(await readFile(join(dir, 'model.json'), 'utf8'));
  expect(json).toMatchObject({
    orthant: '9.9',
    format: 2,
    method: name,
    shape: { features: 29, samples: 30 },
    device: { kind: 'reference' },
  });
  expect(names.includes('B.npy')).toBe(fit.supervision !== null);
});

test('classifiers of several layers have files by layer', async () => {
  const fit = await model('sparse-coding');
  const [last] = fit.supervision!.classifiers;
  const first = { layer: 0, B: matrix(4, 6, new Float32Array(24).fill(0.5)) };
  const both = { ...fit, supervision: { ...fit.supervision!, classifiers: [first, last] } };
  const files = modelFiles(both);
  expect(Object.keys(files).filter((name) => name.startsWith('B'))).toEqual(['B0.npy', 'B1.npy']);
  expect((await modelFromFiles(reader(files))).supervision).toEqual(both.supervision);
});

test('a smaller model leaves nothing of a larger one behind, and a failure leaves all of it', async () => {
  const dir = join(folder, 'again');
  await saveModel(dir, await model('sparse-coding'));
  await writeFile(join(dir, 'Sales.npy'), 'mine');
  const names = await saveModel(dir, await model('nmf'));
  expect(names.sort()).toEqual(['A0.npy', 'S0.npy', 'model.json']);
  expect((await readdir(dir)).sort()).toEqual(['A0.npy', 'S0.npy', 'Sales.npy', 'model.json']);
  const before = await readFile(join(dir, 'model.json'), 'utf8');
  const unwritable = { ...(await model('sparse-coding')), settings: { big: 1n } } as unknown as Factorization;
  await expect(saveModel(dir, unwritable)).rejects.toThrow();
  expect(await readFile(join(dir, 'model.json'), 'utf8')).toBe(before);
});

/** Reads from memory. */
function reader(files: Record<string, Uint8Array | string>) {
  return async (name: string) => {
    const content = files[name];
    if (content === undefined) throw new Error(`there is no ${name}`);
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
}

type Json = Record<string, unknown> & { factors: { A: number[][]; S: number[][] }; supervision: { layers: number[]; classes: string[] } };
const edited = (change: (json: Json) => void) => (files: Record<string, Uint8Array | string>) => {
  const json = JSON.parse(files['model.json'] as string) as Json;
  change(json);
  return { ...files, 'model.json': JSON.stringify(json) };
};
const without = (name: string) => (files: Record<string, Uint8Array | string>) =>
  Object.fromEntries(Object.entries(files).filter(([own]) => own !== name));
/** Entry `at` of the matrix in a file becomes `value`. */
const spoilt = (name: string, value: number) => (files: Record<string, Uint8Array | string>) => {
  const bytes = Uint8Array.from(files[name] as Uint8Array);
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
  return { ...files, [name]: bytes };
};

test.each<[string, (files: Record<string, Uint8Array | string>) => Record<string, Uint8Array | string>, RegExp]>([
  ['another format', edited((json) => (json.format = 1)), /has format 1, but this version of orthant reads format 2/],
  ['no format', edited((json) => (json.format = undefined)), /has no format number/],
  ['no JSON', (files) => ({ ...files, 'model.json': '{' }), /not JSON/],
  ['a list', (files) => ({ ...files, 'model.json': '[]' }), /does not hold an object/],
  ['no model.json', without('model.json'), /model\.json cannot be read/],
  ['a missing factor', without('S1.npy'), /S1\.npy cannot be read: there is no S1\.npy/],
  ['a missing classifier', without('B.npy'), /B\.npy cannot be read/],
  ['an unknown method', edited((json) => (json.method = 'pca')), /"method" cannot be "pca"/],
  ['a missing field', edited((json) => (json.converged = undefined)), /"converged" is missing/],
  ['a field of another kind', edited((json) => (json.relativeError = '0.1')), /"relativeError" cannot be "0\.1"/],
  ['a factor of another model', (files) => ({ ...files, 'A1.npy': files['B.npy'] }), /A1\.npy is 4×4, but the model needs 6×4/],
  ['layers that do not fit', edited((json) => (json.factors.A[1][0] = 5)), /A1 has 5 rows for the 6 columns of A0/],
  ['ranks that do not fit', edited((json) => (json.ranks = [6, 3])), /A1 has 4 columns for rank 3/],
  ['too few layers', edited((json) => json.factors.S.pop()), /ranks \[6, 4\] need 2 factors A and as many S, not 2 and 1/],
  ['samples that do not fit', edited((json) => (json.factors.S[1][1] = 29)), /S1 has 29 columns for 30 samples/],
  ['a classifier without a layer', edited((json) => (json.supervision.layers = [2])), /layer 2 has a classifier, but there are 2 layers/],
  ['classes without a row', edited((json) => json.supervision.classes.push('x')), /B\.npy is 4×4, but the model needs 5×4/],
  ['NaN', spoilt('A0.npy', Number.NaN), /A0\.npy has the entry NaN in row 28, column 5/],
  ['an infinite entry', spoilt('B.npy', Number.POSITIVE_INFINITY), /B\.npy has the entry Infinity/],
  ['a negative code', spoilt('S0.npy', -1), /S0\.npy has the entry -1/],
  ['a file that is cut off', (files) => ({ ...files, 'S0.npy': (files['S0.npy'] as Uint8Array).subarray(0, 150) }), /S0\.npy: .*cut off/],
])('a model with %s is refused', async (_name, spoil, message) => {
  const attempt = modelFromFiles(reader(spoil(modelFiles(await model('sparse-coding')))));
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});

test('a negative feature is refused where the method allows none', async () => {
  await expect(modelFromFiles(reader(spoilt('A0.npy', -1)(modelFiles(await model('nmf')))))).rejects.toThrow(/A0\.npy has the entry -1/);
  await expect(loadModel(join(folder, 'nowhere'))).rejects.toThrow(InputError);
});
