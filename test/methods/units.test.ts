/** The unit of X changes nothing but the scale of the factors that carry it: the same iterations and the same bits. */
import { afterAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import { matrixTimesPowerOfTwo } from '../../src/data/unit.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import type { FitOptions } from '../../src/methods/factorization.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
afterAll(async () => (await started)?.dispose());
const engines: Record<string, () => Promise<Engine>> = {
  reference: async () => createReferenceEngine(),
  device: () => (started ??= createEngine()),
};

const [N, M] = [13, 17];
const X = randomLowRank(N, M, 4, { seed: 11, noise: 0.3 });
const thin = sparseFromDense(
  matrix(
    N,
    M,
    X.data.map((x, at) => (at % 3 ? x : 0)),
  ),
);
const labels = Array.from({ length: M }, (_, c) => ['', 'a', 'b'][c % 3]);
const truth = Array.from({ length: M }, (_, c) => ['b', 'a', 'b'][c % 3]);
const weights = matrix(
  N,
  M,
  Float32Array.from({ length: N * M }, (_, at) => (at % 7 === 3 ? 0 : 1 + (at % 2))),
);
const visible = matrix(
  N,
  M,
  weights.data.map((w) => (w > 0 ? 1 : 0)),
);
const supervised = { labels, truth };
const common = { seed: 3, restarts: 2, maxIterations: 20 };
const flat = { ...common, ranks: 4 };
const layered = { ...common, ranks: [4, 2] };

type Fitting = (engine: Engine, X: DataMatrix, c: number) => Promise<Factorization>;

/** A fit, and the factors that carry the unit of X. Options that are measured in it grow with it, as their documentation says. */
const fits: Record<string, [Fitting, carrier?: 'S' | 'A0' | 'A']> = {
  'nmf anls': [(e, X) => nmf(e, X, flat)],
  'nmf hals': [(e, X) => nmf(e, X, { ...flat, solver: 'hals' })],
  'nmf mu': [(e, X) => nmf(e, X, { ...flat, solver: 'mu' })],
  'nmf mu, weights': [(e, X) => nmf(e, X, { ...flat, weights })],
  'nmf anls, weights': [(e, X) => nmf(e, X, { ...flat, weights, solver: 'anls' })],
  'ssnmf 1': [(e, X) => ssnmf(e, X, { ...flat, model: 1, weights: visible })],
  'ssnmf 2': [(e, X) => ssnmf(e, X, { ...flat, model: 2, weights: visible })],
  'ssnmf 3': [(e, X) => ssnmf(e, X, { ...flat, ...supervised })],
  'ssnmf 3, λ': [(e, X, c) => ssnmf(e, X, { ...flat, ...supervised, labelWeight: 3 * c * c })],
  'ssnmf 4': [(e, X) => ssnmf(e, X, { ...flat, ...supervised, model: 4 })],
  'ssnmf 5': [(e, X) => ssnmf(e, X, { ...flat, ...supervised, model: 5 })],
  'ssnmf 6, λ': [(e, X, c) => ssnmf(e, X, { ...flat, ...supervised, model: 6, labelWeight: 3 * c })],
  hierarchical: [(e, X) => hierarchicalNmf(e, X, { ...layered, solver: ['anls', 'mu'] })],
  'hierarchical, not normalised': [(e, X) => hierarchicalNmf(e, X, { ...layered, solver: 'hals', normalize: false })],
  'hierarchical, labels': [(e, X) => hierarchicalNmf(e, X, { ...layered, ...supervised, labelLayers: [0, 1] })],
  'hierarchical, λ': [(e, X, c) => hierarchicalNmf(e, X, { ...layered, ...supervised, labelWeight: c * c })],
  deep: [(e, X) => deepNmf(e, X, { ...layered, layerWeights: [1, 2] })],
  'deep, labels, average': [(e, X) => deepNmf(e, X, { ...layered, ...supervised, pooling: 'average', start: 'random' })],
  'deep, maximum': [(e, X) => deepNmf(e, X, { ...layered, pooling: 'max', poolOver: 'samples' })],
  'deep, log1p': [(e, X) => deepNmf(e, X, { ...layered, activation: 'log1p' }), 'A0'],
  'deep, power': [(e, X) => deepNmf(e, X, { ...layered, activation: 'power', ...supervised }), 'A0'],
  'deep-semi': [(e, X) => deepSemiNmf(e, X, { ...layered, ...supervised, pretrainIterations: 10 })],
  ...Object.fromEntries(
    (['square', 'softplus', 'sigmoid', 'tanh'] as const).map((nonlinearity) => [
      `deep-semi, ${nonlinearity}`,
      [(e, X) => deepSemiNmf(e, X, { ...layered, nonlinearity, pretrainIterations: 10 }), 'A0'] satisfies [Fitting, 'A0'],
    ]),
  ),
  unfolded: [(e, X, c) => unfoldedNmf(e, X, { ...flat, layers: 3, untied: 2, startIterations: 10, l1: 0.1 * c * c }), 'A'],
  'unfolded, divergence': [
    (e, X, c) => unfoldedNmf(e, X, { ...flat, layers: 3, untied: 2, beta: 1, startIterations: 10, l1: 0.1 * c }),
    'A',
  ],
  'unfolded, masks': [
    (e, X, c) => {
      const target = matrixTimesPowerOfTwo(visible, Math.log2(c) - 1);
      const sources = [0, 1].map(() => ({ columns: 2, target }));
      return unfoldedNmf(e, X, { ...flat, layers: 3, untied: 1, startIterations: 10, output: 'ratioMask', sources });
    },
    'A',
  ],
  'sparse coding': [(e, X, c) => sparseCoding(e, X, { ...layered, l1: 0.05 * c })],
  'sparse coding, labels': [(e, X) => sparseCoding(e, X, { ...layered, ...supervised, batchColumns: 5, optimiser: 'momentum' })],
  neural: [(e, X) => neuralNmf(e, X, layered)],
  'neural, weights and l1': [(e, X, c) => neuralNmf(e, X, { ...layered, weights, l1: 0.01 * c, start: 'random' })],
  'neural, adam': [(e, X) => neuralNmf(e, X, { ...layered, optimiser: 'adam', batchColumns: 5 })],
  'neural, momentum, energy': [(e, X) => neuralNmf(e, X, { ...layered, optimiser: 'momentum', cost: 'energy' })],
  'neural, labels': [(e, X) => neuralNmf(e, X, { ...layered, ...supervised, labelLayers: [0, 1] })],
  'neural, cross-entropy, mean': [
    (e, X, c) => neuralNmf(e, X, { ...layered, ...supervised, labelLoss: 'crossEntropy', normalization: 'mean', labelWeight: 0.1 * c * c }),
  ],
  'neural, sum': [(e, X, c) => neuralNmf(e, X, { ...layered, ...supervised, normalization: 'sum', labelWeight: 0.1 * c * c })],
};
const sparseFits = ['nmf anls', 'nmf mu', 'ssnmf 3', 'hierarchical', 'deep', 'deep-semi', 'sparse coding', 'neural'];

/** The parts of a result that have no unit. */
const unitless = ({ relativeError, iterations, stopReason, converged, restartErrors, history, svdBound, supervision }: Factorization) => ({
  ...{ relativeError, iterations, stopReason, converged, restartErrors, history, svdBound, accuracy: supervision?.accuracy },
});

describe.each(Object.keys(engines))('on the %s', (name) => {
  test.each([
    ...Object.entries(fits).map(([fit, [factorize, carrier = 'S']]) => ({ fit, factorize, carrier, X: X as DataMatrix })),
    ...sparseFits.map((fit) => ({ fit: `${fit}, sparse`, factorize: fits[fit][0], carrier: 'S', X: thin })),
  ])('$fit', async ({ factorize, carrier, X }) => {
    const engine = await engines[name]();
    const plain = await factorize(engine, X, 1);
    for (const e of [-100, 77]) {
      const other = await factorize(engine, matrixTimesPowerOfTwo(X, e), 2 ** e);
      expect(unitless(other)).toEqual(unitless(plain));
      const inUnit = (carries: boolean, factor: Matrix) => (carries ? matrixTimesPowerOfTwo(factor, e) : factor);
      expect(other.S).toEqual(plain.S.map((S) => inUnit(carrier === 'S', S)));
      expect(other.A).toEqual(plain.A.map((A, l) => inUnit(carrier === 'A' || (carrier === 'A0' && l === 0), A)));
    }
  });
});

test('a weight of labels that dwarfs the data is refused, and so is a fit whose S a penalty makes zero', async () => {
  const tiny = matrixTimesPowerOfTwo(X, -100);
  const engine = createReferenceEngine();
  await expect(ssnmf(engine, tiny, { ...flat, ...supervised, labelWeight: 1 })).rejects.toThrow(InputError);
  await expect(neuralNmf(engine, tiny, { ...layered, l1: 1 })).rejects.toThrow(/l1/);
});

test('hidden entries have no influence, whatever stands there', async () => {
  const engine = await engines.device();
  const hidden = (value: number) => ({ ...X, data: X.data.map((x, at) => (weights.data[at] > 0 ? x : value)) });
  const factorize = (given: Matrix): Promise<Factorization>[] => [
    nmf(engine, given, { ...flat, weights }),
    ssnmf(engine, given, { ...flat, weights: visible, model: 2 }),
    neuralNmf(engine, given, { ...layered, weights }),
  ];
  const plain = await Promise.all(factorize(hidden(0)));
  for (const value of [999, 1e30]) {
    const others = await Promise.all(factorize(hidden(value)));
    others.forEach((other, i) => {
      expect(unitless(other)).toEqual(unitless(plain[i]));
      expect([other.A, other.S]).toEqual([plain[i].A, plain[i].S]);
    });
  }
});

test('weights have no unit either', async () => {
  const engine = await engines.device();
  const plain = await nmf(engine, X, { ...flat, weights });
  const other = await nmf(engine, X, { ...flat, weights: matrixTimesPowerOfTwo(weights, -90) });
  expect([other.A, other.S, other.relativeError]).toEqual([plain.A, plain.S, plain.relativeError]);
});

test.each<[string, FitOptions]>([['nmf', flat]])('%s with factors beyond f32 says so', async (_name, options) => {
  for (const e of [125, -128])
    await expect(nmf(createReferenceEngine(), matrixTimesPowerOfTwo(X, e), options)).rejects.toThrow(/another unit/);
});
