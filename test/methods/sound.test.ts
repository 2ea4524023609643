/**
 * Random fits of every method, each judged by plain loops in f64: test/support/sound.ts. An error is sound where nothing else could be
 * said of the data, or where the fit that it advises is sound. `npm run sound` makes 500 fits on each executor; SOUND_FITS is another number,
 * SOUND_FIRST the first seed.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { matrixTimesPowerOfTwo } from '../../src/data/unit.js';
import type { Engine } from '../../src/engine.js';
import { OrthantError } from '../../src/errors.js';
import { type Factorization, methodOf } from '../../src/methods/methods.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { allMethods, inOneLine, type RandomFit, randomFit } from '../support/random-fits.js';
import { faultsOf } from '../support/sound.js';

const inEarnest = (import.meta as { env?: { MODE?: string } }).env?.MODE === 'sound';
const count = Number(process.env.SOUND_FITS ?? (inEarnest ? 500 : 32));
const first = Number(process.env.SOUND_FIRST ?? 0);

const started = new Map<boolean, Promise<Engine>>();
afterAll(async () => {
  for (const engine of started.values()) (await engine).dispose();
});
function device(halfInputs: boolean): Promise<Engine> {
  const engine = started.get(halfInputs) ?? createEngine({ halfInputs });
  started.set(halfInputs, engine);
  return engine;
}
const engines: Record<string, (fit: RandomFit) => Promise<Engine>> = {
  reference: async () => createReferenceEngine(),
  device: ({ halfInputs }) => device(halfInputs),
};

/** Errors that the data make unavoidable. */
const unavoidable: { says: RegExp; where: (fit: RandomFit) => boolean }[] = [
  { says: /^Every entry of X is zero/, where: ({ X }) => X.data.every((x) => x === 0) },
  {
    says: /^(The option 'weights' leaves no entry|No entry of X that has a value)/,
    where: ({ X, options: { weights } }) => weights !== undefined && X.data.every((x, at) => x * weights.data[at] === 0),
  },
  {
    says: /^Entries of X are so (small|large), .* single precision cannot hold the factors/,
    where: ({ X }) => Math.abs(Math.log2(X.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0))) > 90,
  },
];

/** The errors that advise another seed, more restarts, smaller ranks, a smaller penalty or a lower rate. */
const advises = /(became|holds) .* Take another seed/;

/** The fit as an error advises: in another unit, or piece by piece and all together. */
function asAdvised(fit: RandomFit, message: string): RandomFit[] {
  const power = Number(/Give the fit X in another unit, such as 2\^(-?\d+) X/.exec(message)?.[1] ?? 0);
  if (power !== 0) return [{ ...fit, X: matrixTimesPowerOfTwo(fit.X, power), given: matrixTimesPowerOfTwo(fit.given, power) }];
  if (!advises.test(message)) return [];
  const { options, method } = fit;
  const seeds = [1, 2, 3].map((n) => ({ seed: (options.seed as number) + n, restarts: 6 }));
  const ranks = { ranks: options.ranks.map((k) => Math.ceil(k / 2)) };
  const name = options.optimiser ?? (method === 'sparse-coding' ? 'adam' : 'projected');
  const rate = name === 'projected' ? [] : [{ optimiser: { name, rate: 1e-4 } }, { optimiser: name === 'adam' ? 'momentum' : 'adam' }];
  const penalty = options.l1 !== undefined || method === 'sparse-coding' ? [{ l1: 0 }] : [];
  const labels = options.labels ? [{ labelWeight: 0 }] : [];
  const pieces = [...seeds, ranks, ...rate, ...penalty, ...labels];
  return [...pieces, Object.assign({}, ...pieces)].map((piece) => ({ ...fit, options: { ...options, ...piece } }));
}

interface Verdict {
  faults: string[];
  /** The error, where there is no result. */
  refusal?: string;
}

async function judge(fit: RandomFit, engine: Engine): Promise<Verdict> {
  let result: Factorization;
  try {
    result = (await methodOf(fit.method).fit(engine, fit.given, fit.options)) as Factorization;
  } catch (error) {
    const { name, message } = error as Error;
    const refusal = `${name}: ${message}`;
    if (!(error instanceof OrthantError)) return { faults: [refusal], refusal };
    if (unavoidable.some(({ says, where }) => says.test(message) && where(fit))) return { faults: [], refusal };
    for (const advised of asAdvised(fit, message)) {
      const done = await methodOf(fit.method)
        .fit(engine, advised.given, advised.options)
        .catch(() => undefined);
      if (done) return { faults: faultsOf(advised, done as Factorization), refusal };
    }
    return { faults: [refusal], refusal };
  }
  return { faults: faultsOf(fit, result) };
}

describe.each(Object.keys(engines))('on the %s', (executor) => {
  test(`${count} random fits`, async () => {
    const refusals = new Map<string, number>();
    const unsound: string[] = [];
    const perMethod = new Map(allMethods.map((method) => [method, 0]));
    for (let number = first; number < first + count; number++) {
      const fit = randomFit(number);
      const { faults, refusal } = await judge(fit, await engines[executor](fit));
      const kind = refusal?.replace(/-?\d[\d.e+-]*/g, '#');
      if (kind) refusals.set(kind, (refusals.get(kind) ?? 0) + 1);
      else perMethod.set(fit.method, perMethod.get(fit.method)! + 1);
      if (faults.length > 0) unsound.push(`${inOneLine(fit)}\n    ${faults.join('\n    ')}`);
    }
    if (inEarnest)
      console.log(
        [
          `${count} fits on the ${executor}, ${unsound.length} unsound. Results: ${[...perMethod].map(([name, n]) => `${name} ${n}`).join(', ')}.`,
          ...[...refusals].map(([kind, n]) => `${n} × ${kind}`),
        ].join('\n'),
      );
    expect(unsound.join('\n')).toBe('');
  });
});

/** What random fits found, cut down. */
const found: Record<string, Pick<RandomFit, 'method' | 'X' | 'options'> & { halfInputs?: boolean }> = {
  'a column of which f32 lost terms is solved again': {
    method: 'hierarchical',
    X: matrix(
      8,
      7,
      [
        1.2757752e20, 3.189438e19, 0, 1.6602015e24, 3.7019753e14, 0, 6.3788761e19, 12582912, 0, 0, 1.4555103e11, 0, 8388608, 0, 0, 0, 0, 0,
        0, 0, 8388608, 4194304, 12582912, 0, 1.4555103e11, 0, 4194304, 0, 0, 0, 0, 7.2775516e10, 16.227739, 0, 8388608, 4194304, 8388608,
        12582912, 0, 0, 0, 0, 0, 0, 4194304, 0, 0, 0, 4194304, 0, 12582912, 0, 7.2775516e10, 0, 8388608, 4194304,
      ],
    ),
    options: { ranks: [1], seed: 648, tolerance: 0, maxIterations: 100, checkEvery: 1, solver: 'anls', normalize: true },
  },
  'a dictionary that starts from a sample of zeros is no longer than 1': {
    method: 'sparse-coding',
    X: matrix(
      16,
      2,
      Float32Array.from({ length: 32 }, (_, at) => (at % 2) * (1 + (at % 5)) * 1e-15),
    ),
    options: {
      ranks: [2, 1, 1],
      seed: 942,
      restarts: 2,
      maxIterations: 30,
      tolerance: 1e-6,
      stopping: 'initialError',
      checkEvery: 3,
      l1: 0,
    },
  },
  'a first cost that nobody had computed is no exact fit': {
    method: 'unfolded',
    X: matrix(3, 2, [1, 2, 3, 1, 0.5, 2]),
    options: { ranks: [2], stopping: 'initialError', maxIterations: 7, layers: 3, startIterations: 1 },
  },
  'a last layer that is exact alone is no exact fit': {
    method: 'hierarchical',
    X: matrix(3, 3, [3, 0, 1, 0, 2, 1, 1, 1, 0]),
    options: { ranks: [1, 1] },
  },
  'the error behind an activation is that of X, not of X in 16 bits': {
    method: 'deep',
    X: matrix(3, 2, [0.1234, 0.4321, 5e6, 3e6, 0.777, 0.1]),
    options: { ranks: [2, 2], activation: 'log1p', start: 'random', maxIterations: 7 },
    halfInputs: true,
  },
  'a divergence that is all rounding is no exact fit': {
    method: 'unfolded',
    X: matrix(3, 1, [0.37, 0.7, 0.11]),
    options: { ranks: [1], maxIterations: 7, beta: 1, layers: 2, untied: 1, startIterations: 10, l1: 0.076, tolerance: 0 },
  },
  'the error of ratio masks is relative to the sources': {
    method: 'unfolded',
    X: matrix(2, 3, [0.5, 0.8, 0.7, 0.3, 0.2, 0.9]),
    options: {
      ...{ ranks: [2], layers: 1, maxIterations: 7, startIterations: 1, output: 'ratioMask' },
      sources: [0.6, 0.3].map((share) => ({
        columns: 1,
        target: matrix(
          2,
          3,
          [0.5, 0.7, 0.6, 0.3, 0.1, 0.9].map((x) => share * x),
        ),
      })),
    },
  },
  'a column of which f32 holds nothing beside another is told': {
    method: 'hierarchical',
    X: matrix(2, 4, [7e21, 8.857e9, 4.429e9, 0, 0, 0, 4, 1]),
    options: { ranks: [2, 1], seed: 601, restarts: 3, maxIterations: 1, normalize: true },
  },
  'a column of which f32 holds a few bits beside another is told': {
    method: 'nmf',
    X: matrix(3, 3, [314536.375, 0, 314536.375, 216172782113783800, 0, 0, 0, 0, 5.958886418009255e26]),
    options: { ranks: [1], seed: 235, maxIterations: 30, checkEvery: 1, solver: 'anls' },
  },
  'a cost that is all rounding is no NaN in the history': {
    method: 'neural',
    X: matrix(2, 2, [0, 0, 0.00008574344246881083, 0.0002245325013063848]),
    options: { ranks: [2, 1], seed: 82, restarts: 3, maxIterations: 100, checkEvery: 3, start: 'random', cost: 'levels' },
  },
  'columns that 16 bits do not hold beside another are solved from X as it was given': {
    method: 'hierarchical',
    X: matrix(3, 4, [3e12, 0.3, 1.7, 0.9, 1e12, 2.3, 0.4, 1.1, 2e12, 1.3, 0.8, 0.2]),
    options: { ranks: [2, 1], maxIterations: 7 },
    halfInputs: true,
  },
  'a factor that vanished is told to be one, whatever the unit of X': {
    method: 'sparse-coding',
    X: matrix(3, 3, [3.498, 5.573, 1.6997, 4.743, 4.743, 4.743, 3.582e10, 7.584e9, 6.104e9]),
    options: { ranks: [2, 2, 2], seed: 181, restarts: 1, maxIterations: 1, tolerance: 0, optimiser: 'momentum' },
    halfInputs: true,
  },
};

describe.each(Object.keys(engines))('on the %s', (executor) => {
  test.each(Object.entries(found))('%s', async (_name, { halfInputs = false, ...fixed }) => {
    const fit: RandomFit = { seed: 0, given: fixed.X, halfInputs, traits: [], ...fixed };
    expect((await judge(fit, await engines[executor](fit))).faults).toEqual([]);
  });
});

describe('the check notices', () => {
  const X = matrix(3, 4, [1, 2, 0, 3, 2, 1, 1, 0, 0.5, 1, 3, 1]);
  const labels = ['a', 'b', 'a', null];
  const fit: RandomFit = {
    ...{ seed: 0, method: 'ssnmf', X, given: X, halfInputs: false, traits: [] },
    options: { ranks: [2], labels, truth: ['a', 'b', 'a', 'b'], maxIterations: 30 },
  };
  const entry = (F: Matrix, value: number) => ({ ...F, data: F.data.map((x, at) => (at === 1 ? value : x)) });
  const spoiled: Record<string, (result: Factorization) => object> = {
    'another error': ({ layers: [layer], relativeError }) => ({
      relativeError: 1.0001 * relativeError,
      restartErrors: [1.0001 * relativeError],
      layers: [{ ...layer, relativeError: 1.0001 * relativeError }],
    }),
    'another bound': ({ layers: [layer] }) => ({ layers: [{ ...layer, svdBound: 0.999 * layer.svdBound! }] }),
    NaN: ({ S }) => ({ S: [entry(S[0], Number.NaN)] }),
    'a negative entry': ({ A }) => ({ A: [entry(A[0], -1e-9)] }),
    'a factor of zeros': ({ S }) => ({ S: [{ ...S[0], data: S[0].data.map(() => 0) }] }),
    'converged without a reason': () => ({ converged: true, stopReason: 'maxIterations' }),
    'exact without a reason': () => ({ converged: true, stopReason: 'exact' }),
    'another accuracy': ({ supervision }) => ({ supervision: { ...supervision!, accuracy: { labelled: 1 / 3, unlabelled: 0.5 } } }),
    'a count that is none': () => ({ unconverged: Number.NaN }),
    'a history that is not finite': ({ history }) => ({ history: [{ ...history[0], relativeError: Number.POSITIVE_INFINITY }] }),
  };
  test.each(Object.entries(spoiled))('%s', async (_name, spoil) => {
    const result = (await methodOf('ssnmf').fit(createReferenceEngine(), X, fit.options)) as Factorization;
    expect(faultsOf(fit, result)).toEqual([]);
    expect(faultsOf(fit, { ...result, ...spoil(result) } as Factorization)).not.toEqual([]);
  });

  test('a column of S that is no solution', async () => {
    const solved: RandomFit = { ...fit, method: 'nmf', options: { ranks: [2], maxIterations: 30, svdBound: false } };
    const result = (await methodOf('nmf').fit(createReferenceEngine(), X, solved.options)) as Factorization;
    expect(faultsOf(solved, result)).toEqual([]);
    const [S] = result.S;
    expect(faultsOf(solved, { ...result, S: [entry(S, S.data[1] + 0.1)] } as Factorization).join()).toMatch(/no solutions/);
  });
});
