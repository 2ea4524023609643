/** inverseTransform against the errors that fits state, which the device or f64 measured otherwise, and against products by hand. */
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { type DeepOptions, deepNmf } from '../../src/methods/deep.js';
import { type DeepSemiOptions, deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { reconstructUnfolded, unfoldedNmf } from '../../src/methods/unfolded.js';
import { inverseTransform } from '../../src/models/inverse.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const reference = createReferenceEngine();
const X = randomLowRank(13, 11, 3, { seed: 8, noise: 0.3 });
const one = { ranks: 3, restarts: 1, maxIterations: 15 };
const layered = { ...one, ranks: [5, 3, 2], startIterations: 5 };

const errorOf = (found: Matrix) =>
  Math.sqrt(found.data.reduce((sum, x, at) => sum + (x - X.data[at]) ** 2, 0) / X.data.reduce((sum, x) => sum + x * x, 0));
const deep = (given: Partial<DeepOptions>) => (e: Engine) => deepNmf(e, X, { ...layered, ...given });
const semi = (nonlinearity: DeepSemiOptions['nonlinearity']) => (e: Engine) =>
  deepSemiNmf(e, X, { ...one, ranks: [5, 3, 2], nonlinearity, pretrainIterations: 20 });

const fits: [string, (engine: Engine) => Promise<Factorization>][] = [
  ['nmf', (e) => nmf(e, X, one)],
  ['ssnmf', (e) => ssnmf(e, X, one)],
  ['hierarchical', (e) => hierarchicalNmf(e, X, { ...one, ranks: [5, 3, 2] })],
  ['neural', (e) => neuralNmf(e, X, layered)],
  ['sparse-coding', (e) => sparseCoding(e, X, { ...one, ranks: [5, 3] })],
  ['deep', deep({})],
  ['deep, log1p', deep({ activation: 'log1p' })],
  ['deep, a power', deep({ activation: 'power', power: 0.7 })],
  ['deep, average pooling, the last group smaller', deep({ pooling: 'average', poolSize: 2, ranks: [5, 3] })],
  ['deep-semi', semi('identity')],
  ['deep-semi, square', semi('square')],
  ['deep-semi, softplus', semi('softplus')],
  ['deep-semi, sigmoid', semi('sigmoid')],
  ['deep-semi, tanh', semi('tanh')],
  ['unfolded', (e) => unfoldedNmf(e, X, { ...one, layers: 3, startIterations: 5 })],
];

// f64 measured these errors from factors that were rounded to f32, and X̂ is rounded, too: 2⁻²⁴ of ‖X‖ each, times the depth of the chain.
test.each(fits)('%s: the data of the S of a fit have the error of their layer', async (_, factorize) => {
  const model = await factorize(reference);
  model.S.forEach((S, layer) => {
    const error = errorOf(inverseTransform(model, S, { layer }));
    expect(Math.abs(error - model.layers[layer].relativeError)).toBeLessThan(1e-5);
  });
  expect(inverseTransform(model, model.S.at(-1)!)).toEqual(inverseTransform(model, model.S.at(-1)!, { layer: model.ranks.length - 1 }));
});

test('it is the output of the unfolded network, and a product by hand', async () => {
  const unfolded = await unfoldedNmf(reference, X, { ...one, layers: 3, startIterations: 5 });
  const { reconstruction } = await reconstructUnfolded(reference, unfolded, X);
  inverseTransform(unfolded, unfolded.S[0]).data.forEach((x, at) => {
    expect(Math.abs(x - reconstruction!.data[at])).toBeLessThan(1e-5 * Math.max(...X.data));
  });
  const model = await nmf(reference, X, { ...one, ranks: 2 });
  const byHand = { ...model, A: [matrix(3, 2, [1, 2, 3, 4, 5, 6])] };
  expect(inverseTransform(byHand, matrix(2, 1, [10, 100])).data).toEqual(Float32Array.from([210, 430, 650]));
});

test('what it cannot do is refused', async () => {
  const model = await hierarchicalNmf(reference, X, { ...one, maxIterations: 2, ranks: [3, 2] });
  const S = matrix(2, 4, new Float32Array(8).fill(1));
  expect(() => inverseTransform(model, S, { layer: 2 })).toThrow(/layer must be one of 0, 1, the layers of the model, not 2/);
  expect(() => inverseTransform(model, S, { layer: 0 })).toThrow(ShapeError);
  expect(() => inverseTransform(model, matrix(4, 2, S.data))).toThrow(/4×2.*rank 2.*transposed/);
  expect(() => inverseTransform(model, matrix(2, 1, [1, Number.NaN]))).toThrow(/S has the entry NaN in row 1, column 0/);
  expect(() => inverseTransform(model, sparseFromDense(S) as never)).toThrow(InputError);
  expect(() => inverseTransform({ ...model, A: model.A.map((A) => ({ ...A, data: A.data.map(() => 1e30) })) }, S)).toThrow(/beyond f32/);
  const pooled = await deepNmf(reference, X, { ...layered, maxIterations: 2, ranks: [4, 2], pooling: 'max' });
  expect(() => inverseTransform(pooled, pooled.S[1])).toThrow(/Max pooling cannot be undone from S of layer 1/);
  expect(inverseTransform(pooled, pooled.S[0], { layer: 0 }).cols).toBe(11);
  const ofSamples = await deepNmf(reference, X, { ...layered, maxIterations: 2, ranks: [4, 2], pooling: 'average', poolOver: 'samples' });
  expect(() => inverseTransform(ofSamples, ofSamples.S[1])).toThrow(/Pooling of samples/);
  const masks = [X, X].map((target) => ({ columns: 1, target: { ...target, data: target.data.map((x) => x / 2) } }));
  const ratio = await unfoldedNmf(reference, X, {
    ...one,
    ranks: 2,
    maxIterations: 2,
    layers: 2,
    startIterations: 2,
    output: 'ratioMask',
    sources: masks,
  });
  expect(() => inverseTransform(ratio, ratio.S[0])).toThrow(/ratio masks.*reconstructUnfolded/);
});
