/** Fits by columns, in panels and on ranks, against the same fits in memory: on the f64 reference all but the order of sums is the same. */
import { afterAll, describe, expect, test } from 'vitest';
import { columnsOfMatrix } from '../../src/data/columns.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { type NeuralOptions, neuralNmf } from '../../src/methods/neural.js';
import { type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { createEngine } from '../../src/node/engine.js';
import { scanColumns } from '../../src/parallel/column-data.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { ranksInProcess } from '../support/ranks.js';

const reference = createReferenceEngine();
let onDevice: Promise<Engine> | undefined;
const device = () => {
  onDevice ??= createEngine();
  return onDevice;
};
afterAll(async () => (await onDevice)?.dispose());

/** Rank 4 with noise, and zeros for the sparse form. */
function planted(N: number, M: number, seed: number): Matrix {
  const { uniform } = random(seed);
  const [A, S] = [4 * N, 4 * M].map((length) => Float64Array.from({ length }, () => (uniform() < 0.5 ? 0 : uniform())));
  return matrix(
    N,
    M,
    Array.from({ length: N * M }, (_, at) => {
      const [i, j] = [Math.floor(at / M), at % M];
      let x = 0;
      for (let t = 0; t < 4; t++) x += A[i * 4 + t] * S[t * M + j];
      return x === 0 ? 0 : 3.7 * x + 0.1 * uniform();
    }),
  );
}

type Fit = (engine: Engine, X: Parameters<typeof nmf>[1]) => ReturnType<typeof nmf> | ReturnType<typeof neuralNmf>;
const common = { svdBound: undefined, seed: 3 };
const labels = (M: number) => Array.from({ length: M }, (_, j) => (j % 5 === 0 ? null : ['a', 'b', 'c'][j % 3]));
const flat =
  (options: Partial<NmfOptions>): Fit =>
  (engine, X) =>
    nmf(engine, X, { ranks: 3, restarts: 2, maxIterations: 23, tolerance: 0, ...common, ...options });
const neural =
  (options: Partial<NeuralOptions>): Fit =>
  (engine, X) =>
    neuralNmf(engine, X, { ranks: [4, 2], restarts: 2, startIterations: 5, maxIterations: 12, tolerance: 0, ...common, ...options });
const fits: Record<string, Fit> = {
  mu: flat({ solver: 'mu' }),
  hals: flat({ solver: 'hals' }),
  anls: flat({ solver: 'anls' }),
  'mu with penalties': flat({ solver: 'mu', l1A: 0.001, l2S: 0.002, orthogonalA: 0.001 }),
  'hals with penalties': flat({ solver: 'hals', l1S: 0.001, l2A: 0.002 }),
  'anls by kkt': flat({ solver: 'anls', stopping: 'kkt', tolerance: 1e-9 }),
  neural: neural({}),
  'neural, deepest level': neural({ cost: 'reconstruction', l1: 0.01 }),
  'neural, energy': neural({ cost: 'energy', start: 'random', startIterations: undefined }),
  'neural, labels': neural({ labels: labels(53) }),
  'neural, cross-entropy': neural({ labels: labels(53), labelLoss: 'crossEntropy', optimiser: 'adam' }),
};

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

const X = planted(19, 53, 11);
const forms: [string, DataMatrix][] = [
  ['dense', X],
  ['sparse', sparseFromDense(X)],
];

describe.each(forms)('%s', (form, data) => {
  test.each(Object.keys(fits))('%s: panels of 10 columns, and 3 ranks', async (name) => {
    const factorize = fits[name];
    const whole = await factorize(reference, data);
    const near = (model: Awaited<ReturnType<Fit>>) => {
      expect(model.history.map(({ iteration }) => iteration)).toEqual(whole.history.map(({ iteration }) => iteration));
      model.history.forEach(({ relativeError }, i) => {
        expect(Math.abs(relativeError / whole.history[i].relativeError - 1)).toBeLessThan(1e-6);
      });
      model.A.forEach((A, l) => {
        expect(distance(A.data, whole.A[l].data)).toBeLessThan(1e-4);
      });
      model.S.forEach((S, l) => {
        expect(distance(S.data, whole.S[l].data)).toBeLessThan(1e-3);
      });
      expect(Math.abs(model.relativeError / whole.relativeError - 1)).toBeLessThan(1e-5);
      if (whole.supervision) expect(model.supervision?.accuracy).toEqual(whole.supervision.accuracy);
    };
    const panels = await scanColumns(columnsOfMatrix(data), { panelColumns: 10 });
    expect(panels.share.panels).toHaveLength(6);
    near(await factorize(reference, panels));
    const models = await Promise.all(
      ranksInProcess(3).map(async (communicator) =>
        factorize(
          reference,
          await scanColumns(columnsOfMatrix(data), { panelColumns: communicator.rank === 1 ? 5 : undefined, communicator }),
        ),
      ),
    );
    models.forEach(near);
    for (const model of models) expect(model.A.map(({ data }) => data)).toEqual(models[0].A.map(({ data }) => data));
  });

  test('on the device, in panels', async () => {
    const engine = await device();
    for (const factorize of [fits.anls, fits.neural]) {
      const whole = await factorize(engine, data);
      const model = await factorize(engine, await scanColumns(columnsOfMatrix(data), { panelColumns: 16 }));
      // The residual of a sparse X is exact to the rounding of f32 times ‖X‖²; a fit of a few iterations multiplies it.
      model.history.forEach(({ relativeError }, i) => {
        expect(Math.abs(relativeError ** 2 - whole.history[i].relativeError ** 2)).toBeLessThan(2 ** -20);
      });
      const again = await factorize(engine, await scanColumns(columnsOfMatrix(data), { panelColumns: 16 }));
      expect(again.A).toEqual(model.A);
      expect(again.S).toEqual(model.S);
    }
    expect(form).toBeTruthy();
  });
});

test('ranks with other adapters, which round differently, go on with the numbers of the first', async () => {
  const facts = { software: false, llvmpipe: false, maxWorkgroupStorage: 16_384, maxInvocationsPerWorkgroup: 256 };
  using other = await createEngine({ forced: { facts } });
  const engines = [await device(), Object.create(other, { description: { value: 'another adapter' } }) as Engine, reference];
  for (const factorize of [fits.hals, fits.neural, fits['neural, labels']]) {
    const [first, ...others] = await Promise.all(
      ranksInProcess(3).map(async (communicator, rank) =>
        factorize(engines[rank], await scanColumns(columnsOfMatrix(X), { communicator })),
      ),
    );
    for (const model of others) {
      expect(model.history).toEqual(first.history);
      expect(model.A).toEqual(first.A);
    }
    const whole = await factorize(reference, X);
    expect(Math.abs(first.relativeError / whole.relativeError - 1)).toBeLessThan(1e-4);
  }
});

test('S goes out by panels, and the model has no samples then', async () => {
  const whole = await fits.neural(reference, await scanColumns(columnsOfMatrix(X), { panelColumns: 9 }));
  const S = whole.S.map(({ rows, cols }) => matrix(rows, cols));
  let calls = 0;
  const takeS = ({ layer, from, S: part }: { layer: number; from: number; S: Matrix }) => {
    calls++;
    for (let i = 0; i < part.rows; i++) S[layer].data.set(part.data.subarray(i * part.cols, (i + 1) * part.cols), i * X.cols + from);
  };
  const model = await fits.neural(reference, await scanColumns(columnsOfMatrix(X), { panelColumns: 9, takeS }));
  expect(calls).toBe(2 * 6);
  expect(S).toEqual(whole.S);
  expect(model.S.map(({ rows, cols }) => [rows, cols])).toEqual([
    [4, 0],
    [2, 0],
  ]);
  expect(model.A).toEqual(whole.A);
});

describe('what is joined', () => {
  test.each(forms)('at most 2 (Σ k² + Σ N k) numbers an iteration and restart, %s', async (_, data) => {
    const [N, ranks] = [data.rows, [6, 3]];
    const bytesOf = async (maxIterations: number) => {
      const ofRanks = ranksInProcess(2);
      await Promise.all(
        ofRanks.map(async (communicator) => {
          const columns = await scanColumns(columnsOfMatrix(data), { communicator });
          await neuralNmf(reference, columns, { ranks, maxIterations, tolerance: 0, checkEvery: 100, restarts: 1, startIterations: 1 });
        }),
      );
      expect(ofRanks[0].reducedBytes).toBe(ofRanks[1].reducedBytes);
      return ofRanks[0].reducedBytes;
    };
    const each = (await bytesOf(12)) - (await bytesOf(11));
    const [k0, k1] = ranks;
    expect(each).toBeGreaterThan(0);
    expect(each).toBeLessThanOrEqual(2 * (k0 * k0 + k1 * k1 + N * k0 + k0 * k1) * 8);
  });
});

describe('bad input', () => {
  const scan = (data: Matrix, options = {}) => scanColumns(columnsOfMatrix(data), { panelColumns: 10, ...options });
  const withEntry = (x: number) => {
    const data = matrix(19, 53, Float32Array.from(X.data));
    data.data[7 * 53 + 31] = x;
    return data;
  };
  test.each([-1, Number.POSITIVE_INFINITY, Number.NaN])('the entry %d is named with its place', async (x) => {
    await expect(scan(withEntry(x))).rejects.toThrow(new RegExp(`entry ${x} in row 7, column 31 \\(counted from 0\\)`));
  });
  test('zeros, fewer columns than ranks, a panel of another shape', async () => {
    await expect(scan(matrix(3, 5))).rejects.toThrow('Every entry of X is zero');
    await expect(nmf(reference, columnsOfMatrix(X) as never, { ranks: 3 })).rejects.toThrow(
      'X is a source of columns, which a fit takes as',
    );
    const [communicator] = ranksInProcess(54);
    await expect(scan(X, { communicator })).rejects.toThrow('X has 53 columns for 54 ranks');
    const short = { ...columnsOfMatrix(X), read: async () => matrix(19, 3) };
    await expect(scanColumns(short, { panelColumns: 10 })).rejects.toThrow('Columns 0 to 8 of X came as a dense 19×3 matrix');
  });
  test('options that ask for all of X at once are refused by name', async () => {
    const columns = await scan(X);
    const refused: [string, Partial<NmfOptions>][] = [
      ['weights', { weights: X }],
      ['absent', { absent: 'missing' }],
      ['loss', { loss: 'kullback-leibler' }],
      ['simplex', { simplex: true }],
      ['svdBound', { svdBound: true }],
      ['start', { start: 'nndsvd' }],
      ['fixedA', { fixedA: matrix(19, 1, new Float32Array(19).fill(1)) }],
      ['stopping', { stopping: 'violation' }],
    ];
    for (const [option, options] of refused) {
      const error: unknown = await nmf(reference, columns, { ranks: 3, ...options }).catch((reason: unknown) => reason);
      expect(error, option).toBeInstanceOf(InputError);
      expect((error as InputError).option).toBe(option);
    }
  });
});
