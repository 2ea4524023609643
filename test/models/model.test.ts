/** Fitted models: coding new samples, predicting, and the way to files and back. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { type Matrix, matrix, transpose } from '../../src/data/matrix.js';
import type { Engine } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { type Factorization, type Method, methodOf } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { predict, transform } from '../../src/models/apply.js';
import { factorFiles } from '../../src/models/factor-files.js';
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
    format: 3,
    method: name,
    shape: { features: 29, samples: 30 },
    device: { kind: 'reference' },
  });
  expect(names.includes('B.npy')).toBe(fit.supervision !== null);
});

test('classifiers of several layers have names by layer', async () => {
  const fit = await model('sparse-coding');
  const [last] = fit.supervision!.classifiers;
  const first = { layer: 0, B: matrix(4, 6, new Float32Array(24).fill(0.5)) };
  const both = { ...fit, supervision: { ...fit.supervision!, classifiers: [first, last] } };
  expect(Object.keys(await factorFiles(both, 'npy'))).toEqual(['A0.npy', 'A1.npy', 'S0.npy', 'S1.npy', 'B0.npy', 'B1.npy']);
  expect(Object.keys(await factorFiles(fit, 'npy'))).toEqual(['A0.npy', 'A1.npy', 'S0.npy', 'S1.npy', 'B.npy']);
  expect((await modelFromFiles(reader(modelFiles(both)))).supervision).toEqual(both.supervision);
});

test('names and a vocabulary are part of the model', async () => {
  const fit = await model('nmf');
  const features = Array.from({ length: 29 }, (_, i) => `term ${i} \u{1f600}\u001b`);
  const samples = Array.from({ length: 30 }, (_, i) => `text ${i}`);
  const text = {
    terms: features,
    idf: features.map((_, i) => 1 + i / 7),
    weighting: 'tf-idf',
    language: 'en',
    options: { ngrams: [1, 2] },
  };
  const named = { ...fit, features, samples, text };
  const back = await modelFromFiles(reader(modelFiles(named)));
  expect(back).toEqual({ ...named, elapsedMs: Math.round(fit.elapsedMs) });
  // They count for the id: two models that differ in a name are two.
  const idOf = (files: Record<string, Uint8Array | string>) => JSON.parse(files['model.json'] as string).id;
  expect(idOf(modelFiles({ ...named, features: features.with(3, 'other') }))).not.toBe(idOf(modelFiles(named)));
  for (const [wrong, message] of [
    [{ features: features.slice(1) }, /28 names of features, but the model has 29 features/],
    [{ samples: [...samples, 'x'] }, /31 names of samples, but the model has 30 samples/],
    [{ text: { ...text, terms: ['a'] } }, /1 terms, but the model has 29 features/],
    [{ text: { ...text, idf: [1, 2] } }, /2 numbers in text\.idf/],
    [{ text: { ...text, idf: ['1'] } }, /"text" cannot be/],
    [{ features: [1, 2] }, /"features" cannot be \[1,2\]/],
  ] as const)
    await expect(modelFromFiles(reader(modelFiles({ ...named, ...(wrong as object) })))).rejects.toThrow(message);
});

/** A model as somebody else would make it: with no more than what is needed. */
const elsewhere = (json: Record<string, unknown>, factors: Record<string, Matrix>) =>
  modelFromFiles(
    reader({
      'model.json': JSON.stringify({ format: 3, ...json }),
      'factors.safetensors': encodeSafetensors(factors, { made: 'elsewhere' }),
    }),
  );

test('a model made elsewhere needs a method, ranks and A, and is applied as any', async () => {
  const fit = await model('hierarchical');
  const [A0, A1] = fit.A;
  const bare = await elsewhere({ method: 'hierarchical', ranks: [6, 4] }, { A0, A1 });
  expect(bare).toMatchObject({ method: 'hierarchical', ranks: [6, 4], A: fit.A, svdBound: null, stopReason: 'unknown', supervision: null });
  expect(bare.relativeError).toBeNaN();
  expect(bare.S.map(({ rows, cols }) => [rows, cols])).toEqual([
    [6, 0],
    [4, 0],
  ]);
  expect(await transform(engine, bare, newX)).toEqual(await transform(engine, fit, newX));
  // And it is saved and read again as it is.
  expect(await modelFromFiles(reader(modelFiles(bare)))).toEqual(bare);

  const { supervision, ...labelled } = await model('ssnmf');
  const [{ B }] = supervision!.classifiers;
  const predicting = await elsewhere(
    { method: 'ssnmf', ranks: [6], settings: { model: 3 }, supervision: { classes: supervision!.classes } },
    { A0: labelled.A[0], B0: B },
  );
  expect((await predict(engine, predicting, newX)).labels).toEqual(classesOf(unseen));
});

test('every method says which settings a model made elsewhere has to have, and is applied with no others', async () => {
  for (const name of Object.keys(makers) as Method[]) {
    const { A, ranks, settings } = await model(name);
    const { applied = {} } = methodOf(name);
    const factors = Object.fromEntries(A.map((factor, l) => [`A${l}`, factor]));
    const own = Object.fromEntries(Object.keys(applied).map((key) => [key, (settings as unknown as Record<string, unknown>)[key]]));
    const bare = await elsewhere({ method: name, ranks, settings: own }, factors);
    expect(await transform(engine, bare, newX)).toEqual(await transform(engine, await model(name), newX));
    const needed = Object.keys(applied).filter((key) => applied[key] === undefined);
    for (const key of needed) {
      const attempt = elsewhere({ method: name, ranks, settings: { ...own, [key]: undefined } }, factors);
      await expect(attempt).rejects.toThrow(new RegExp(`${name} needs settings\\.${key} in model\\.json`));
    }
    if (needed.length === 0 && name !== 'deep')
      expect((await transform(engine, await elsewhere({ method: name, ranks }, factors), newX)).length).toBe(A.length);
  }
});

const small = { A0: matrix(3, 2, [1, 2, 3, 4, 5, 6]) };
test.each<[Record<string, unknown>, Record<string, Matrix>, RegExp]>([
  [{ ranks: [2] }, small, /"method" is missing/],
  [{ method: 'nmf' }, small, /"ranks" is missing/],
  [{ method: 'nmf', ranks: [] }, small, /"ranks" cannot be \[\]/],
  [{ method: 'nmf', ranks: [3] }, small, /A0 has 2 columns for rank 3/],
  [{ method: 'nmf', ranks: [2] }, { W: small.A0 }, /no tensor A0; those of a model are A0, A1, …, S0, S1, …, B0, …, and here are "W"/],
  [{ method: 'neural', ranks: [2, 1] }, small, /no tensor A1/],
  [{ method: 'nmf', ranks: [2], shape: { features: 4, samples: 0 } }, small, /A0 has 3 rows for 4 features/],
  [{ method: 'neural', ranks: [2], settings: { l1: [1, 2] } }, small, /settings\.l1 has 2 values for 1 layers/],
  [{ method: 'neural', ranks: [2], settings: { l1: 'much' } }, small, /settings\.l1 must be a finite number ≥ 0, not "much"/],
  [{ method: 'ssnmf', ranks: [2], settings: { model: 9 } }, small, /settings\.model must be 1, 2, 3, 4, 5 or 6, not 9/],
  [{ method: 'nmf', ranks: [2] }, { ...small, B0: matrix(2, 2) }, /layer 0 has a classifier, but there are no classes/],
  [
    { method: 'ssnmf', ranks: [2], settings: { model: 3 }, supervision: { classes: ['a', 'b'] } },
    small,
    /there are classes, but no layer has/,
  ],
  [{ method: 'nmf', ranks: [2], samples: ['a'] }, small, /1 names of samples, but the model has 0 samples/],
  [
    { method: 'nmf', ranks: [2] },
    { A0: matrix(3, 2, [1, 2, 3, 4, -5, 6]) },
    /A0 in factors\.safetensors has the entry -5 in row 2, column 0/,
  ],
])('what a model made elsewhere lacks is said (%#)', async (json, factors, message) => {
  await expect(elsewhere(json, factors)).rejects.toThrow(InputError);
  await expect(elsewhere(json, factors)).rejects.toThrow(message);
});

test('a smaller model leaves nothing of a larger one behind, and a failure leaves all of it', async () => {
  const dir = join(folder, 'again');
  await saveModel(dir, await model('sparse-coding'));
  await writeFile(join(dir, 'Sales.npy'), 'mine');
  const names = await saveModel(dir, await model('nmf'));
  expect(names.sort()).toEqual(['A0.npy', 'S0.npy', 'factors.safetensors', 'model.json']);
  expect((await readdir(dir)).sort()).toEqual(['A0.npy', 'S0.npy', 'Sales.npy', 'factors.safetensors', 'model.json']);
  expect((await saveModel(dir, await model('nmf'), {}, { format: 'safetensors' })).sort()).toEqual(['factors.safetensors', 'model.json']);
  expect((await readdir(dir)).sort()).toEqual(['Sales.npy', 'factors.safetensors', 'model.json']);
  await expect(saveModel(dir, await model('nmf'), {}, { format: 'xls' as 'npy' })).rejects.toThrow(/format must be 'npy'.* not "xls"/);
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

type Files = Record<string, Uint8Array | string>;
type Json = Record<string, unknown> & { supervision: { layers: number[]; classes: string[] } };
const edited = (change: (json: Json) => void) => (files: Files) => {
  const json = JSON.parse(files['model.json'] as string) as Json;
  change(json);
  return { ...files, 'model.json': JSON.stringify(json) };
};
const without = (name: string) => (files: Files) => Object.fromEntries(Object.entries(files).filter(([own]) => own !== name));
/** Other matrices in the same file. */
const refactored = (change: (factors: Record<string, Matrix>) => void) => (files: Files) => {
  const tensors = decodeSafetensors(files['factors.safetensors'] as Uint8Array);
  const factors = Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.matrix()]));
  change(factors);
  return { ...files, 'factors.safetensors': encodeSafetensors(factors) };
};
/** The last entry of a matrix becomes `value`. */
const spoilt = (name: string, value: number) =>
  refactored((factors) => {
    factors[name].data[factors[name].data.length - 1] = value;
  });

test.each<[string, (files: Files) => Files, RegExp]>([
  [
    'an older format',
    edited((json) => (json.format = 1)),
    /has format 1, but this version of orthant reads formats 2 and 3; fit the model again/,
  ],
  ['a newer format', edited((json) => (json.format = 4)), /has format 4, but .* take a newer version/],
  ['no format', edited((json) => (json.format = undefined)), /has no format number/],
  ['no JSON', (files) => ({ ...files, 'model.json': '{' }), /not JSON/],
  ['a list', (files) => ({ ...files, 'model.json': '[]' }), /does not hold an object/],
  ['no model.json', without('model.json'), /model\.json cannot be read/],
  ['no factors', without('factors.safetensors'), /factors\.safetensors cannot be read: there is no factors\.safetensors/],
  ['a missing factor', refactored((factors) => delete factors.S1), /factors\.safetensors: There is no tensor S1/],
  ['a missing classifier', refactored((factors) => delete factors.B1), /There is no tensor B1/],
  ['an unknown method', edited((json) => (json.method = 'pca')), /"method" cannot be "pca"/],
  ['a field of another kind', edited((json) => (json.relativeError = '0.1')), /"relativeError" cannot be "0\.1"/],
  ['a changed field', edited((json) => (json.relativeError = 0.1)), /its id does not fit the rest of model\.json/],
  ['a removed field', edited((json) => (json.relativeError = undefined)), /its id does not fit the rest of model\.json/],
  ['a factor of another model', refactored((factors) => (factors.A1 = factors.B1)), /A1 has 4 rows for the 6 columns of A0/],
  ['ranks that do not fit', edited((json) => (json.ranks = [6, 3])), /A1 has 4 columns for rank 3/],
  ['too few layers', edited((json) => (json.ranks = [6])), /ranks \[6\] need 1 factors A and as many S, not 2 and 2/],
  ['samples that do not fit', refactored((factors) => (factors.S1 = matrix(4, 29))), /S1 has 29 columns for 30 samples/],
  ['a classifier without a layer', refactored((factors) => (factors.B2 = factors.B1)), /layer 2 has a classifier, but there are 2 layers/],
  [
    'classes without a row',
    edited((json) => json.supervision.classes.push('x')),
    /classifier of layer 1 is 4×4, but 5 classes and rank 4 need 5×4/,
  ],
  ['NaN', spoilt('A0', Number.NaN), /A0 in factors\.safetensors has the entry NaN in row 28, column 5/],
  ['an infinite entry', spoilt('B1', Number.POSITIVE_INFINITY), /B1 in factors\.safetensors has the entry Infinity/],
  ['a negative code', spoilt('S0', -1), /S0 in factors\.safetensors has the entry -1/],
  ['another number', spoilt('S0', 1), /factors\.safetensors is not the file that model\.json lists/],
  [
    'a file that is cut off',
    (files) => ({ ...files, 'factors.safetensors': (files['factors.safetensors'] as Uint8Array).subarray(0, 950) }),
    /factors\.safetensors: Tensor "A0" of the \.safetensors file lies at/,
  ],
])('a model with %s is refused', async (_name, spoil, message) => {
  const attempt = modelFromFiles(reader(spoil(modelFiles(await model('sparse-coding')))));
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});

test('a negative feature is refused where the method allows none', async () => {
  await expect(modelFromFiles(reader(spoilt('A0', -1)(modelFiles(await model('nmf')))))).rejects.toThrow(/A0 in .* has the entry -1/);
  await expect(loadModel(join(folder, 'nowhere'))).rejects.toThrow(InputError);
});

/** Made with orthant 0.1 at d5fbb17: see test/models/format-2.md. */
const oldModel = fileURLToPath(new URL('format-2', import.meta.url));
const oldFiles = async () =>
  Object.fromEntries(
    await Promise.all((await readdir(oldModel)).map(async (name) => [name, new Uint8Array(await readFile(join(oldModel, name)))])),
  );

test('a model of format 2 is read as it was', async () => {
  const old = await loadModel(oldModel);
  expect(old).toMatchObject({
    method: 'hierarchical',
    ranks: [3, 2],
    seed: 0,
    supervision: { classes: ['a', 'b'], classifiers: [{ layer: 1 }] },
  });
  // By numpy.load: the first rows.
  expect([...old.A[0].data.subarray(0, 3)]).toEqual([0.5277679562568665, 0.46060019731521606, 0.37457701563835144]);
  expect([...old.S[1].data.subarray(0, 3)]).toEqual([0.020372990518808365, 0.8611241579055786, 0.019721951335668564]);
  // It is saved as one of this version.
  expect(await modelFromFiles(reader(modelFiles(old)))).toEqual(old);
});

test.each<[string, (files: Files) => Files, RegExp]>([
  ['a missing factor', without('S1.npy'), /S1\.npy cannot be read: there is no S1\.npy/],
  ['a missing classifier', without('B.npy'), /B\.npy cannot be read/],
  ['a factor of another model', (files) => ({ ...files, 'A1.npy': files['A0.npy'] }), /A1\.npy is 6×3, but the model needs 3×2/],
  [
    'another classifier',
    (files) => ({ ...files, 'B.npy': encodeNpy(matrix(2, 2, [1, 2, 3, 4])) }),
    /B\.npy is not the file that model\.json lists/,
  ],
  ['a file that is cut off', (files) => ({ ...files, 'S0.npy': (files['S0.npy'] as Uint8Array).subarray(0, 150) }), /S0\.npy: .*cut off/],
  ['NaN', (files) => ({ ...files, 'A1.npy': encodeNpy(matrix(3, 2, new Array(6).fill(Number.NaN))) }), /A1\.npy has the entry NaN/],
])('a model of format 2 with %s is refused', async (_name, spoil, message) => {
  await expect(modelFromFiles(reader(spoil(await oldFiles())))).rejects.toThrow(message);
});

test('a model of format 2 has all its fields, unchanged', async () => {
  const files = await oldFiles();
  const text = new TextDecoder().decode(files['model.json']);
  const changed = (change: (json: Json) => void) => reader(edited(change)({ ...files, 'model.json': text }));
  await expect(modelFromFiles(changed((json) => (json.converged = undefined)))).rejects.toThrow(/"converged" is missing/);
  await expect(modelFromFiles(changed((json) => (json.factors = undefined)))).rejects.toThrow(/"factors" has no shapes/);
  await expect(modelFromFiles(changed((json) => (json.relativeError = 0)))).rejects.toThrow(/its id does not fit the rest of model\.json/);
});
