/** What a round of the soak test asks of an engine, all at once. Each load knows how it must end, and throws where it ends otherwise. */
import { randomLowRank } from '../../src/data/generate.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { CancelledError, DisposedError, InputError } from '../../src/errors.js';
import {
  deepNmf,
  deepSemiNmf,
  hierarchicalNmf,
  matrix,
  neuralNmf,
  nmf,
  nnls,
  predict,
  sparseCoding,
  ssnmf,
  transform,
  unfoldedNmf,
} from '../../src/index.js';
import type { FitOptions, Progress } from '../../src/methods/factorization.js';
import type { Factorization } from '../../src/methods/methods.js';
import { type DawnAdapter, requestDawnAdapter } from '../../src/node/dawn.js';
import { createEngine } from '../../src/node/engine.js';
import { requestDevice } from '../../src/webgpu/device/device.js';
import { createDeviceEngine } from '../../src/webgpu/engine.js';
import { lasting } from '../../src/webgpu/lasting.js';

export interface Load {
  name: string;
  run(engine: Engine, round: number): Promise<void>;
}

/** Sizes that change from round to round. */
const sizes = [
  [37, 43],
  [61, 30],
  [45, 90],
  [90, 52],
];

/** Rounds after which sizes come again. */
export const variety = sizes.length;

const X = sizes.map(([N, M], i) => randomLowRank(N, M, 5, { seed: i + 1, noise: 0.2 }));
const sparse = X.map((one) => sparseFromDense({ ...one, data: one.data.map((x, i) => (i % 3 === 0 ? x : 0)) }));
const labels = X.map(({ cols }) => Array.from({ length: cols }, (_, c) => ['', 'a', 'b', 'c'][c % 4]));
const at = (round: number) => round % sizes.length;
const short = { maxIterations: 30, restarts: 2, seed: 1, svdBound: false } as const;

/** The same fit has the same error in every round of its size. */
const errors = new Map<string, number>();

function sameError(name: string, round: number, { relativeError }: { relativeError: number }): void {
  const key = `${name} ${at(round)}`;
  const before = errors.get(key) ?? relativeError;
  errors.set(key, before);
  if (!(relativeError === before)) throw new Error(`the error is ${relativeError} where it was ${before}`);
}

async function throws(kind: new (...args: never[]) => Error, run: () => Promise<unknown>): Promise<void> {
  const error = await run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof kind)) throw new Error(`${kind.name} was expected, and ${error ?? 'no error'} came`);
}

const repeated = (name: string, factorize: (engine: Engine, i: number) => Promise<{ relativeError: number }>): Load => ({
  name,
  run: async (engine, round) => sameError(name, round, await factorize(engine, at(round))),
});

const fits: Load[] = [
  ...(['mu', 'hals', 'anls'] as const).flatMap((solver) => [
    repeated(`nmf ${solver}`, (engine, i) => nmf(engine, X[i], { ...short, ranks: 5, solver })),
    repeated(`nmf ${solver}, sparse`, (engine, i) => nmf(engine, sparse[i], { ...short, ranks: 4, solver })),
  ]),
  repeated('neural', (engine, i) => neuralNmf(engine, X[i], { ...short, ranks: [6, 3] })),
  repeated('hierarchical', (engine, i) => hierarchicalNmf(engine, X[i], { ...short, ranks: [6, 3] })),
  repeated('deep', (engine, i) => deepNmf(engine, X[i], { ...short, ranks: [6, 3] })),
  repeated('deep-semi', (engine, i) => deepSemiNmf(engine, X[i], { ...short, ranks: [6, 3], pretrainIterations: 10 })),
  repeated('ssnmf', (engine, i) => ssnmf(engine, X[i], { ...short, ranks: 5, labels: labels[i] })),
  repeated('unfolded', (engine, i) => unfoldedNmf(engine, X[i], { ...short, ranks: 5, layers: 3, untied: 1, startIterations: 10 })),
  repeated('sparse-coding', (engine, i) => sparseCoding(engine, X[i], { ...short, ranks: [6, 3], optimiser: 'momentum' })),
];

const others: Load[] = [
  {
    name: 'nnls',
    async run(engine, round) {
      const i = at(round);
      const A = randomLowRank(X[i].rows, 6, 6, { seed: 9 });
      const { unconverged } = await nnls(engine, X[i], A);
      if (unconverged !== 0) throw new Error(`${unconverged} columns are unconverged`);
    },
  },
  {
    name: 'transform and predict',
    async run(engine, round) {
      const i = at(round);
      const model = await ssnmf(engine, X[i], { ...short, ranks: 5, labels: labels[i] });
      await transform(engine, model, X[i]);
      const { labels: predicted } = await predict(engine, model, X[i]);
      if (predicted.length !== X[i].cols) throw new Error(`${predicted.length} classes for ${X[i].cols} samples`);
    },
  },
];

/** How often a device was lost in the middle of a fit, and how often that fit ended as if it had not been. */
export const losses = { lost: 0, survived: 0 };

/** A fit whose device goes at a moment that nobody foresees, and again while it goes on. */
const lostDevice = (name: string, factorize: (engine: Engine, i: number, more: Partial<FitOptions>) => Promise<Factorization>): Load => ({
  name: `${name}, whose device is lost`,
  async run(_engine, round) {
    const devices: { dawn: DawnAdapter; device: GPUDevice }[] = [];
    const engine = await lasting(async (tuning) => {
      const dawn = await requestDawnAdapter();
      const device = await requestDevice(dawn.adapter);
      devices.push({ dawn, device });
      return createDeviceEngine({ device, tuning });
    });
    const moments = [0, 0].map(() => 1500 * Math.random());
    const timers = moments.map((ms) => setTimeout(() => devices[devices.length - 1].device.destroy(), ms));
    let seen = 0;
    try {
      const onProgress = ({ lostDevices }: Progress) => {
        losses.lost += lostDevices - seen;
        seen = lostDevices;
      };
      const model = await factorize(engine, at(round), { onProgress, checkpoint: { seconds: 0.01, save: () => {} } });
      losses.survived += seen;
      sameError(`${name}, lost`, round, model);
    } catch (error) {
      throw new Error(`${(error as Error).message} (lost after ${moments.map(Math.round).join(' and ')} ms)`);
    } finally {
      timers.forEach(clearTimeout);
      engine.dispose();
      for (const { dawn, device } of devices) {
        device.destroy();
        dawn.release();
      }
    }
  },
});

/** Fits that are cut short, and errors on purpose. */
const disturbances: Load[] = [
  lostDevice('nmf', (engine, i, more) =>
    nmf(engine, X[i], { ...short, ranks: 5, solver: 'mu', maxIterations: 400, tolerance: 0, ...more }),
  ),
  lostDevice('neural', (engine, i, more) => neuralNmf(engine, X[i], { ...short, ranks: [6, 3], maxIterations: 60, tolerance: 0, ...more })),
  {
    name: 'aborted at its start',
    run: (engine, round) => throws(CancelledError, () => nmf(engine, X[at(round)], { ...short, ranks: 5, signal: AbortSignal.abort() })),
  },
  {
    name: 'aborted on its way',
    run(engine, round) {
      const control = new AbortController();
      const options = { ...short, ranks: 5, maxIterations: 100_000, tolerance: 0, signal: control.signal };
      return throws(CancelledError, () => nmf(engine, X[at(round)], { ...options, onProgress: () => control.abort() }));
    },
  },
  {
    name: 'stopped by its progress',
    async run(engine, round) {
      const options = { ...short, ranks: [6, 3], maxIterations: 100_000, tolerance: 0 };
      await neuralNmf(engine, X[at(round)], { ...options, onProgress: () => false });
    },
  },
  {
    name: 'an exception in its progress',
    run: (engine, round) =>
      throws(RangeError, () =>
        nmf(engine, X[at(round)], {
          ...short,
          ranks: 5,
          onProgress: () => {
            throw new RangeError('on purpose');
          },
        }),
      ),
  },
  { name: 'a NaN', run: (engine) => throws(InputError, () => nmf(engine, matrix(2, 2, [1, 2, Number.NaN, 4]), { ranks: 1 })) },
  {
    name: 'a wrong option',
    run: (engine, round) => throws(InputError, () => nmf(engine, X[at(round)], { ranks: 5, restarts: -1 })),
  },
  {
    name: 'an engine that comes and goes',
    async run(_engine, round) {
      const own = await createEngine();
      try {
        await nmf(own, X[at(round)], { ...short, ranks: 5 });
      } finally {
        own.dispose();
      }
      await throws(DisposedError, () => nmf(own, X[at(round)], { ...short, ranks: 5 }));
    },
  },
  {
    name: 'an engine that goes in the middle of a fit',
    async run(_engine, round) {
      const own = await createEngine();
      const fitting = nmf(own, X[at(round)], { ...short, ranks: 5, maxIterations: 100_000, tolerance: 0, onProgress: () => own.dispose() });
      await throws(Error, () => fitting);
      if (own.liveBuffers !== 0) throw new Error(`${own.liveBuffers} buffers of a disposed engine are left`);
    },
  },
];

export const loads: readonly Load[] = [...fits, ...others, ...disturbances];
