/** A fit that goes on from a checkpoint ends at the bits of the fit that was never interrupted. */
import { afterAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { DeviceLostError, InputError } from '../../src/errors.js';
import type { Checkpoint } from '../../src/methods/checkpoint.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import type { FitOptions, Progress } from '../../src/methods/factorization.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization, Method } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { createDeviceEngine, createWebGpuEngine } from '../../src/webgpu/engine.js';
import { lasting } from '../../src/webgpu/lasting.js';
import { lendDevice } from '../support/devices.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const engines: Record<string, () => Promise<Engine>> = {
  reference: async () => createReferenceEngine(),
  device: () => (started ??= createEngine()),
};

const [N, M] = [19, 23];
const X = randomLowRank(N, M, 4, { seed: 8, noise: 0.3 });
const labels = Array.from({ length: M }, (_, c) => ['', 'a', 'b'][c % 3]);
type More = Omit<FitOptions, 'ranks'>;
const common = { seed: 3, restarts: 2, maxIterations: 35, checkEvery: 4 };
const flat = { ...common, ranks: 4 };
const layered = { ...common, ranks: [4, 2] };

type Fitting = (engine: Engine, more: More) => Promise<Factorization>;

const fits: Record<string, Fitting> & Record<Method, Fitting> = {
  nmf: (e, more) => nmf(e, X, { ...flat, solver: 'mu', ...more }),
  'nmf, sparse': (e, more) => nmf(e, sparseFromDense(X), { ...flat, ...more }),
  'nmf, early stop': (e, more) => nmf(e, X, { ...flat, solver: 'mu', stopping: 'initialError', tolerance: 1e-3, ...more }),
  'nmf, KKT residual': (e, more) => nmf(e, X, { ...flat, solver: 'mu', stopping: 'kkt', tolerance: 1e-2, ...more }),
  ssnmf: (e, more) => ssnmf(e, X, { ...flat, labels, model: 6, ...more }),
  hierarchical: (e, more) => hierarchicalNmf(e, X, { ...layered, labels, solver: 'mu', ...more }),
  deep: (e, more) => deepNmf(e, X, { ...layered, pooling: 'max', ...more }),
  'deep-semi': (e, more) => deepSemiNmf(e, X, { ...layered, pretrainIterations: 20, ...more }),
  'deep-semi, tanh': (e, more) => deepSemiNmf(e, X, { ...layered, pretrainIterations: 20, nonlinearity: 'tanh', ...more }),
  unfolded: (e, more) => unfoldedNmf(e, X, { ...flat, layers: 3, startIterations: 10, ...more }),
  'sparse-coding': (e, more) => sparseCoding(e, X, { ...layered, labels, batchColumns: 7, ...more }),
  neural: (e, more) => neuralNmf(e, X, { ...layered, labels, ...more }),
  'neural, adam': (e, more) => neuralNmf(e, X, { ...layered, optimiser: 'adam', batchColumns: 6, ...more }),
};

/** All of a result but its time. */
const timeless = ({ elapsedMs, ...model }: Factorization) => model;

describe.each(Object.keys(engines))('on the %s', (name) => {
  test.each(Object.entries(fits))('%s', async (_name, factorize) => {
    const engine = await engines[name]();
    const whole = timeless(await factorize(engine, {}));
    const taken: Checkpoint[] = [];
    const watched = await factorize(engine, { checkpoint: { seconds: 1e-9, save: (one) => taken.push(structuredClone(one)) } });
    expect(timeless(watched)).toEqual(whole);
    expect(taken.length).toBeGreaterThan(3);
    for (const at of [0, Math.floor(taken.length / 2), taken.length - 1]) {
      const resumed = await factorize(engine, { resume: taken[at] });
      expect(timeless(resumed)).toEqual(whole);
    }
  });
});

test('a fit survives devices that are lost, and says how many were', async () => {
  const devices: GPUDevice[] = [];
  using engine = await lasting(async (tuning) => {
    const device = await lendDevice();
    devices.push(device);
    return createDeviceEngine({ device, tuning });
  });
  for (const name of ['nmf', 'hierarchical', 'sparse-coding']) {
    const whole = timeless(await fits[name](engine, {}));
    let seen = 0;
    let told: Progress | undefined;
    const onProgress = (progress: Progress) => {
      told = progress;
      if (seen++ === 2 || seen === 9) devices[devices.length - 1].destroy();
    };
    const survived = await fits[name](engine, { onProgress, checkpoint: { seconds: 1e-9, save: () => {} } });
    expect(timeless(survived)).toEqual(whole);
    expect(told!.lostDevices).toBeGreaterThan(0);
  }
  expect(devices.length).toBeGreaterThan(3);
  expect(engine.liveBuffers).toBe(0);
});

test('a borrowed device that is lost is reported, never replaced', async () => {
  const device = await lendDevice();
  const engine = await createWebGpuEngine({ device });
  await expect(fits.nmf(engine, { onProgress: () => device.destroy() })).rejects.toThrow(DeviceLostError);
  await expect(fits.nmf(engine, {})).rejects.toThrow(DeviceLostError);
  expect(engine.replacesDevice).toBe(false);
  engine.dispose();
});

test('a checkpoint of another fit is refused by name', async () => {
  const engine = createReferenceEngine();
  const taken: Checkpoint[] = [];
  await fits.nmf(engine, { checkpoint: { seconds: 1e-9, save: (one) => taken.push(one) } });
  const [resume] = taken;
  const refused = async (attempt: Promise<unknown>, why: RegExp) => {
    const error: InputError = await attempt.then(
      () => undefined as never,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error.option).toBe('resume');
    expect(error.message).toMatch(why);
  };
  await refused(fits.ssnmf(engine, { resume }), /of the method nmf/);
  await refused(fits.nmf(engine, { resume, seed: 4 }), /an option/);
  await refused(nmf(engine, { ...X, data: X.data.map((x) => 2 * x) }, { ...flat, solver: 'mu', resume }), /X, an option/);
  await refused(fits.nmf(engine, { resume: { ...resume, states: resume.states.slice(1) } }), /shapes/);
  await refused(fits.nmf(engine, { resume: {} as Checkpoint }), /no such thing/);
});

test('more iterations and another limit of time are allowed', async () => {
  const engine = createReferenceEngine();
  let resume: Checkpoint | undefined;
  await fits.nmf(engine, {
    checkpoint: {
      seconds: 1e-9,
      save: (one) => {
        resume = one;
      },
    },
  });
  const longer = { maxIterations: 60, tolerance: 0 };
  const whole = await fits.nmf(engine, longer);
  expect((await fits.nmf(engine, { ...longer, maxSeconds: 1000 })).S).toEqual(whole.S);
  await expect(fits.nmf(engine, { ...longer, resume })).rejects.toThrow(/an option/); // tolerance is another
  expect((await fits.nmf(engine, { maxIterations: 60, resume })).iterations).toBe(60);
});

test('maxSeconds ends a fit at the next check, with what it has', async () => {
  const model = await fits.nmf(createReferenceEngine(), { maxIterations: 1e6, tolerance: 0, maxSeconds: 0.2 });
  expect(model.stopReason).toBe('maxSeconds');
  expect(model.converged).toBe(false);
  expect(model.relativeError).toBeLessThan(1);
  await expect(fits.nmf(createReferenceEngine(), { maxSeconds: 0 })).rejects.toThrow(/maxSeconds/);
  const nothing = { seconds: 1 } as unknown as FitOptions['checkpoint'];
  await expect(fits.nmf(createReferenceEngine(), { checkpoint: nothing })).rejects.toThrow(/checkpoint.save/);
});
