import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kruskal } from '../../src/data/kruskal.js';
import { matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { tensor } from '../../src/data/tensors.js';
import { encodeSafetensors } from '../../src/formats/safetensors.js';
import { ncp } from '../../src/methods/ncp.js';
import { neuralNcp } from '../../src/methods/neural-ncp.js';
import { levelFactors } from '../../src/methods/tensor-levels.js';
import { transformTensor } from '../../src/methods/transform-tensor.js';
import { modelFromFiles } from '../../src/models/files.js';
import { tensorModelFiles, tensorModelFromFiles } from '../../src/models/tensor-model.js';
import { isTensorModel, loadTensorModel, saveTensorModel } from '../../src/node/model-folder.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { workFolder } from '../support/cli.js';

const engine = createReferenceEngine();
const { at } = workFolder();
const r = random(3);
const X = kruskal([6, 5, 4].map((size) => matrix(size, 3, Float32Array.from({ length: 3 * size }, r.uniform))));
const modes = [{ name: 'docs', entries: ['a', 'b', 'c', 'd', 'e', 'f'] }, { name: 'words' }, {}];
const flat = { ...(await ncp(engine, X, { rank: 3 })), modes };
const deep = { ...(await neuralNcp(engine, X, { rank: 3, ranks: [2, 1], modes: [0, 2], restarts: 2, maxIterations: 20 })), modes };

const reader = (files: Record<string, Uint8Array | string>) => async (name: string) => {
  const content = files[name];
  if (content === undefined) throw new Error('gone');
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
};

for (const model of [flat, deep]) {
  test(`a model of ${model.method} is the same after it was written and read, as files and in a folder`, async () => {
    const elapsedMs = Math.round(model.elapsedMs);
    expect(await tensorModelFromFiles(reader(tensorModelFiles(model)))).toEqual({ ...model, elapsedMs });
    const folder = at(model.method);
    await saveTensorModel(folder, model, { orthant: 'x' });
    expect(await loadTensorModel(folder)).toEqual({ ...model, elapsedMs });
    expect(await isTensorModel(folder)).toBe(true);
    expect(JSON.parse(readFileSync(`${folder}/model.json`, 'utf8'))).toMatchObject({
      orthant: 'x',
      format: 3,
      method: model.method,
      shape: [6, 5, 4],
    });
  });
}

test('files of a folder are the factors, and those of the former model go', async () => {
  const chains = ['A0.0', 'A0.1', 'A2.0', 'A2.1', 'S0.0', 'S0.1', 'S2.0', 'S2.1'];
  const names = (factors: string[]) => [...factors.map((name) => `${name}.npy`), 'factors.safetensors', 'model.json'];
  await saveTensorModel(at('both'), deep);
  expect(readdirSync(at('both')).sort()).toEqual(names([...chains.slice(0, 4), 'F0', 'F1', 'F2', ...chains.slice(4)]).sort());
  await saveTensorModel(at('both'), flat);
  expect(readdirSync(at('both')).sort()).toEqual(names(['F0', 'F1', 'F2']).sort());
});

test('a model made elsewhere needs its factors alone', async () => {
  const [A, S] = [deep.A, deep.S];
  const files = {
    'model.json': '{ "format": 3, "method": "neural-ncp", "ranks": [2, 1] }',
    'factors.safetensors': encodeSafetensors({
      F0: deep.factors[0],
      F1: deep.factors[1],
      F2: deep.factors[2],
      'A0.0': A[0][0],
      'A0.1': A[0][1],
      'S0.0': S[0][0],
      'S0.1': S[0][1],
    }),
  };
  const model = await tensorModelFromFiles(reader(files));
  expect(model).toMatchObject({ shape: [6, 5, 4], rank: 3, levels: [], stopReason: 'unknown', relativeError: Number.NaN });
  const read = model as typeof deep;
  expect(levelFactors(read, 1)).toEqual([levelFactors(deep, 1)[0], deep.factors[1], deep.factors[2]]);
  expect((await transformTensor(engine, read, tensor([1, 5, 4], new Float32Array(20).fill(1)))).map(({ rank }) => rank)).toEqual([3, 2, 1]);
});

test('files that are damaged, or of something else, are refused in words', async () => {
  const files = tensorModelFiles(deep);
  const { 'model.json': json } = files;
  const changed = (from: string | RegExp, to: string) => ({ ...files, 'model.json': json.replace(from, to) });
  const reading = (given: Record<string, Uint8Array | string>) => tensorModelFromFiles(reader(given));
  await expect(modelFromFiles(reader(files))).rejects.toThrow('loadTensorModel reads it');
  await expect(reading(changed('"neural-ncp"', '"nmf"'))).rejects.toThrow('of a matrix, by the method "nmf"; loadModel reads it');
  await expect(reading(changed('"format": 3', '"format": 4'))).rejects.toThrow('reads format 3; take a newer version');
  await expect(reading(changed('"seed": 0', '"seed": 1'))).rejects.toThrow('its id does not fit');
  await expect(reading(changed(/"rank": 3/, '"rank": 4'))).rejects.toThrow('F0 has 3 columns for rank 4');
  await expect(reading(changed(/"ranks": \[\s*2,\s*1\s*\]/, '"ranks": [2, 2]'))).rejects.toThrow('A0.1 is 2×1, not 2×2');
  await expect(reading(changed('"a",', ''))).rejects.toThrow('mode 0 has 5 names for 6 entries');
  await expect(reading({ 'model.json': json })).rejects.toThrow('factors.safetensors cannot be read');
  const other = tensorModelFiles({ ...deep, seed: 7, factors: deep.factors.map((F) => ({ ...F, data: F.data.map((x) => 2 * x) })) });
  await expect(reading({ ...files, 'factors.safetensors': other['factors.safetensors'] })).rejects.toThrow(
    'not the file that model.json lists',
  );
  const negative = tensorModelFiles({ ...deep, factors: deep.factors.map((F) => ({ ...F, data: F.data.map((x) => -x) })) });
  await expect(reading(negative)).rejects.toThrow('F0 in factors.safetensors');
});
