/**
 * What each method does, on a matrix so small that one sees the answer. To be read before anything else; in f64 on the reference.
 * A column of X is a sample. Factors are known up to their scale, and up to the order of their units, so that is how they are compared.
 */
import { expect, test } from 'vitest';
import { type Matrix, matrix, multiply, transpose } from '../../src/data/matrix.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { type Method, methods } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { predict } from '../../src/models/apply.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();

/** Two kinds of samples: the first two, which are alike, and the third, which shares no row with them. */
const twoBlocks = rows([1, 1, 0], [1, 1, 0], [0, 0, 1]);

const examples: Record<Method, () => Promise<void>> = {
  /** An outer product is taken apart into its two vectors. */
  async nmf() {
    const X = rows([4, 5, 6], [8, 10, 12], [12, 15, 18]); // (1, 2, 3)ᵀ (4, 5, 6)
    const { A, S, relativeError } = await nmf(engine, X, { ranks: 1 });
    near(relativeError, 0);
    parallel(column(A[0], 0), [1, 2, 3]);
    parallel(row(S[0], 0), [4, 5, 6]);
  },

  /** The second sample has no label. It is like the first, so it is an "a", too; and so is twice as much of it. */
  async ssnmf() {
    const model = await ssnmf(engine, twoBlocks, { ranks: 2, labels: ['a', null, 'b'] });
    near(model.relativeError, 0);
    expect((await predict(engine, model, twoBlocks)).labels).toEqual(['a', 'a', 'b']);
    expect((await predict(engine, model, rows([0, 2], [0, 2], [3, 0]))).labels).toEqual(['b', 'a']);
  },

  /** Two topics fit both kinds of samples. The one topic above them can have the larger kind alone: 1 of 5 squared ones is missed. */
  async hierarchical() {
    const { A, S, layers } = await hierarchicalNmf(engine, twoBlocks, { ranks: [2, 1] });
    near(layers[0].relativeError, 0);
    near(layers[1].relativeError, Math.sqrt(1 / 5));
    parallel(column(multiply(A[0], A[1]), 0), [1, 1, 0]);
    parallel(row(S[1], 0), [1, 1, 0]);
  },

  /** Averages of two neighbouring samples lose nothing where neighbours are equal: the second layer has half the samples. Four starts, since some end with both kinds in one unit. */
  async deep() {
    const X = rows([1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]);
    const { A, S, relativeError } = await deepNmf(engine, X, { ranks: [2, 2], pooling: 'average', poolOver: 'samples', restarts: 4 });
    near(relativeError, 0);
    expect([S[0].cols, S[1].cols]).toEqual([4, 2]);
    equal(multiply(multiply(A[0], A[1]), S[1]), rows([1, 0], [1, 0], [0, 1]));
  },

  /** A may be negative, S not: of (2, −1, 1) times one vector, the sample that points the other way is left out. 1 of 6 squares is missed. */
  async 'deep-semi'() {
    const X = rows([2, -1, 1], [-2, 1, -1], [4, -2, 2]); // (1, −1, 2)ᵀ (2, −1, 1)
    const { A, S, relativeError } = await deepSemiNmf(engine, X, { ranks: [1, 1] });
    near(relativeError, Math.sqrt(1 / 6));
    parallel(column(multiply(A[0], A[1]), 0), [1, -1, 2]);
    parallel(row(S[1], 0), [2, 0, 1]);
  },

  /** A network that learns to rebuild an outer product has its first vector as the dictionary of its output. */
  async unfolded() {
    const X = rows([4, 5, 6], [8, 10, 12], [12, 15, 18]);
    const { A, S, relativeError } = await unfoldedNmf(engine, X, { ranks: 1 });
    near(relativeError, 0);
    parallel(column(A[0], 0), [1, 2, 3]);
    parallel(row(S[0], 0), [4, 5, 6]);
  },

  /** Every sample has an atom of its own, one of them negative, of length 1. The penalty takes 0.5 of each code of 2, so 1/4 of X is missed. */
  async 'sparse-coding'() {
    const X = rows([2, 0, 0], [0, 2, 0], [0, 0, -2]);
    const { A, S, relativeError } = await sparseCoding(engine, X, { ranks: 3, l1: 0.5 });
    near(relativeError, 0.25);
    equal(multiply(A[0], S[0]), rows([1.5, 0, 0], [0, 1.5, 0], [0, 0, -1.5]));
    for (const j of [0, 1, 2]) near(Math.hypot(...column(A[0], j)), 1);
    expect(S[0].data.filter((s) => s > 0)).toHaveLength(3);
  },

  /** What is equal stays equal in every layer, and what shares nothing shares no unit. From random numbers, so that all of it is learned. */
  async neural() {
    const { A, S, layers } = await neuralNmf(engine, twoBlocks, { ranks: [2, 2], start: 'random', restarts: 4 });
    for (const { relativeError } of layers) near(relativeError, 0);
    equal(multiply(multiply(A[0], A[1]), S[1]), twoBlocks);
    for (const codes of S) {
      const [first, second, third] = [0, 1, 2].map((c) => column(codes, c));
      parallel(first, second);
      near(
        first.reduce((sum, s, j) => sum + s * third[j], 0),
        0,
      );
    }
  },
};

test.each(Object.keys(methods) as Method[])('%s', async (name) => {
  expect(examples, 'every method has an example here').toHaveProperty([name]);
  await examples[name]();
});

/** Of what one sees: fits stop where squared errors fall by less than a millionth, which is 1e-3 of the errors. */
function near(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThan(1e-3);
}

function equal(actual: Matrix, expected: Matrix): void {
  expect([actual.rows, actual.cols]).toEqual([expected.rows, expected.cols]);
  actual.data.forEach((x, i) => {
    near(x, expected.data[i]);
  });
}

/** Equal at unit length. */
function parallel(actual: readonly number[], expected: readonly number[]): void {
  const unit = (v: readonly number[]) => v.map((x) => x / Math.hypot(...v));
  equal(matrix(1, actual.length, unit(actual)), matrix(1, expected.length, unit(expected)));
}

function rows(...entries: number[][]): Matrix {
  return matrix(entries.length, entries[0].length, entries.flat());
}

function row({ cols, data }: Matrix, i: number): number[] {
  return Array.from(data.subarray(i * cols, (i + 1) * cols));
}

function column(X: Matrix, j: number): number[] {
  return row(transpose(X), j);
}
