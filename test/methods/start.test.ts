/** Given starts: every method goes on from its own result, and refuses factors that it cannot begin with. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix, scaled, transpose } from '../../src/data/matrix.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import type { Checkpoint } from '../../src/methods/checkpoint.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { relativeErrorOf } from '../../src/methods/error.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import { type Factorization, methods } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { type NmfOptions, nmf } from '../../src/methods/nmf.js';
import { nnls } from '../../src/methods/q.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
const [N, M] = [13, 17];
const X = randomLowRank(N, M, 4, { seed: 11, noise: 0.3 });
const labels = Array.from({ length: M }, (_, c) => ['', 'a', 'b'][c % 3]);
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
const flat = { ranks: 4, svdBound: false };
const layered = { ranks: [4, 2], svdBound: false };

type Fitting = (engine: Engine, X: DataMatrix, more: object) => Promise<Factorization>;

/** Fits, and whether their objective never rises. */
const fits: Record<string, [Fitting, 'falls' | 'free']> = {
  'nmf anls': [(e, X, more) => nmf(e, X, { ...flat, ...more }), 'falls'],
  'nmf hals': [(e, X, more) => nmf(e, X, { ...flat, solver: 'hals', ...more }), 'falls'],
  'nmf mu': [(e, X, more) => nmf(e, X, { ...flat, solver: 'mu', ...more }), 'falls'],
  'nmf anls, weights': [(e, X, more) => nmf(e, X, { ...flat, solver: 'anls', weights, ...more }), 'falls'],
  'ssnmf 2': [(e, X, more) => ssnmf(e, X, { ...flat, model: 2, weights: visible, ...more }), 'falls'],
  'ssnmf 3': [(e, X, more) => ssnmf(e, X, { ...flat, labels, ...more }), 'falls'],
  hierarchical: [(e, X, more) => hierarchicalNmf(e, X, { ...layered, solver: ['anls', 'mu'], ...more }), 'falls'],
  'hierarchical, labels': [(e, X, more) => hierarchicalNmf(e, X, { ...layered, labels, labelLayers: [0, 1], ...more }), 'falls'],
  deep: [(e, X, more) => deepNmf(e, X, { ...layered, labels, pooling: 'average', ...more }), 'falls'],
  'deep, log1p': [(e, X, more) => deepNmf(e, X, { ...layered, activation: 'log1p', ...more }), 'free'],
  'deep-semi': [(e, X, more) => deepSemiNmf(e, X, { ...layered, labels, ...more }), 'falls'],
  'deep-semi, tanh': [(e, X, more) => deepSemiNmf(e, X, { ...layered, nonlinearity: 'tanh', ...more }), 'falls'],
  unfolded: [(e, X, more) => unfoldedNmf(e, X, { ...flat, layers: 3, untied: 2, ...more }), 'falls'],
  'sparse-coding': [(e, X, more) => sparseCoding(e, X, { ...layered, labels, ...more }), 'free'],
  neural: [(e, X, more) => neuralNmf(e, X, { ...layered, ...more }), 'falls'],
  'neural, weights and l1': [(e, X, more) => neuralNmf(e, X, { ...layered, weights, l1: 0.01, ...more }), 'falls'],
  'neural, cross-entropy': [
    (e, X, more) => neuralNmf(e, X, { ...layered, labels, labelLoss: 'crossEntropy', labelLayers: [0, 1], ...more }),
    'falls',
  ],
};

/** The readings of the last stage of every layer that is fitted on its own, or of all layers together. */
function readings({ history }: Factorization): { iteration: number; relativeError: number }[][] {
  const stages = [...new Set(history.map(({ stage }) => stage))];
  const joint = stages.filter((stage) => !/^(layer|tied)/.test(stage));
  return (joint.length > 0 ? joint : stages).map((stage) => history.filter((one) => one.stage === stage));
}

/**
 * Factors of a result are rounded to f32: with up to five factors of X̂, 2⁻²⁴ each, and a little more where they pass through q or where
 * signs cancel, an error moves by less than this.
 */
const rounding = 1e-6;

test('the list has every method', () => {
  const tested = new Set(Object.keys(fits).map((name) => name.split(/[ ,]/)[0]));
  expect([...tested].sort()).toEqual(Object.keys(methods).sort());
});

describe.each(Object.entries(fits))('%s', (name, [factorize, course]) => {
  test('goes on from its own result', async () => {
    const short = { tolerance: 0, maxIterations: 12, seed: 5 };
    const first = await factorize(engine, X, short);
    const then = await factorize(engine, X, { ...short, ranks: undefined, start: first, stopping: 'initialError', checkEvery: 1 });
    expect(then.ranks).toEqual(first.ranks);
    const [before, after] = [readings(first), readings(then)];
    expect(after).toHaveLength(before.length);
    after.forEach((stage, l) => {
      expect(stage[0].iteration).toBe(0);
      // A step of the unfolded network leaves the cost that it found; what it reached is in the result.
      const end = name === 'unfolded' ? first.relativeError : before[l].at(-1)!.relativeError;
      if (l === 0) expect(Math.abs(stage[0].relativeError - end)).toBeLessThan(rounding);
      // The S that a later layer is fitted to has moved on meanwhile.
      else if (name === 'hierarchical') {
        const begun = errorOf(then.S[l - 1], first.A[l], first.S[l]);
        expect(Math.abs(stage[0].relativeError - begun)).toBeLessThan(rounding);
      }
      if (course === 'falls')
        stage.slice(1).forEach(({ relativeError }, i) => {
          expect(relativeError).toBeLessThanOrEqual(stage[i].relativeError * (1 + 1e-12) + (relativeError < rounding ? 1e-12 : 0));
        });
    });
  });
});

/** |N(0,1)|-like numbers for a start of other people. */
const given = (rows: number, cols: number, seed: number) => randomLowRank(rows, cols, 1, { seed, noise: 0.5 });
const [A0, A1, S0, S1] = [given(N, 4, 1), given(4, 2, 2), given(4, M, 3), given(2, M, 4)];
const begins = { tolerance: 0, stopping: 'initialError', maxIterations: 3, svdBound: false } as const;
const firstError = ({ history }: Factorization) => history[0].relativeError;
const errorOf = (X: Matrix, A: Matrix, S: Matrix) => relativeErrorOf({ X, seen: X }, [A], S);

describe('equal starts in another unit of X', () => {
  test.each<[string, (X: Matrix, A: Matrix) => Promise<Factorization>]>([
    ['nmf anls', (X, A) => nmf(engine, X, { ...begins, start: { A, S: S0 } })],
    ['nmf hals', (X, A) => nmf(engine, X, { ...begins, solver: 'hals', start: { A, S: S0 } })],
    ['nmf mu', (X, A) => nmf(engine, X, { ...begins, solver: 'mu', start: { A, S: S0 } })],
    ['nmf mu, S left out', (X, A) => nmf(engine, X, { ...begins, solver: 'mu', start: { A } })],
    ['ssnmf', (X, A) => ssnmf(engine, X, { ...begins, start: { A, S: S0 } })],
    ['hierarchical', (X, A) => hierarchicalNmf(engine, X, { ...begins, start: { A: [A, A1], S: [S0, S1] } })],
    ['neural', (X, A) => neuralNmf(engine, X, { ...begins, start: { A: [A, A1] } })],
    ['unfolded', (X, A) => unfoldedNmf(engine, X, { ...begins, start: { A } })],
  ])('%s', async (name, factorize) => {
    const plain = await factorize(X, A0);
    const binary = await factorize(scaled(X, 1024), scaled(A0, 1024));
    expect(binary.history).toEqual(plain.history);
    // These bring columns of A to unit norm.
    if (!/anls|hierarchical/.test(name)) expect(binary.A[0]).toEqual(scaled(plain.A[0], 1024));
    const decimal = await factorize(scaled(X, 1000), scaled(A0, 1000));
    decimal.history.forEach(({ relativeError }, i) => {
      expect(Math.abs(relativeError - plain.history[i].relativeError)).toBeLessThan(rounding);
    });
  });
});

describe('a part that is left out', () => {
  test('S is the best beside A', async () => {
    const { S } = await nnls(engine, X, A0);
    const fit = await nmf(engine, X, { ...begins, solver: 'hals', start: { A: A0 } });
    expect(firstError(fit)).toBeCloseTo(errorOf(X, A0, S), 6);
  });

  test('A is the best beside S', async () => {
    const A = transpose((await nnls(engine, transpose(X), transpose(S0))).S);
    for (const data of [X, sparseFromDense(X)]) {
      const fit = await nmf(engine, data, { ...begins, solver: 'hals', start: { S: S0 } });
      expect(firstError(fit)).toBeCloseTo(errorOf(X, A, S0), 6);
      expect(fit.ranks).toEqual([4]);
    }
  });

  test("with 'mu' no entry of it is 0, and zeros that were given stay", async () => {
    const holed = { ...A0, data: A0.data.map((x, at) => (at % 5 === 0 ? 0 : x)) };
    const exact = await nnls(engine, X, holed);
    expect(exact.support.some((s) => s === 0)).toBe(true);
    const { A, S } = await nmf(engine, X, { ...begins, solver: 'mu', start: { A: holed } });
    expect(A[0].data.map((x) => (x === 0 ? 0 : 1))).toEqual(holed.data.map((x) => (x === 0 ? 0 : 1)));
    expect(S[0].data.every((s) => s > 0)).toBe(true);
  });

  test('of layers, and of weighted data', async () => {
    const fit = await hierarchicalNmf(engine, X, { ...begins, solver: 'hals', start: { S: [S0, S1] } });
    const A = transpose((await nnls(engine, transpose(X), transpose(S0))).S);
    expect(firstError(fit)).toBeCloseTo(errorOf(X, A, S0), 6);
    const hidden = { ...X, data: X.data.map((x, at) => (weights.data[at] > 0 ? x : 999)) };
    const [seen, other] = await Promise.all(
      [X, hidden].map((data) => nmf(engine, data, { ...begins, solver: 'hals', weights, start: { S: S0 } })),
    );
    expect(other.A).toEqual(seen.A);
  });

  test('H of deep and of deep-semi is what transform finds, and B is random', async () => {
    const deep = await deepNmf(engine, X, { ...begins, labels, start: { A: [A0, A1] } });
    expect(deep.settings.start).toBe('given');
    const exact = await nnls(engine, X, A0);
    expect(firstError(await deepNmf(engine, X, { ...begins, start: { A: A0 } }))).toBeLessThan(1.02 * errorOf(X, A0, exact.S));
    const signed = { ...A0, data: A0.data.map((x, at) => (at % 3 ? x : -x)) };
    for (const nonlinearity of ['identity', 'softplus'] as const) {
      const semi = await deepSemiNmf(engine, X, { ...begins, nonlinearity, start: { A: [signed, A1] } });
      expect(firstError(semi)).toBeLessThan(1);
    }
  });

  test('one dictionary is that of every layer of an unfolded network', async () => {
    const one = await unfoldedNmf(engine, X, { ...begins, layers: 3, untied: 2, start: { A: A0 } });
    const all = await unfoldedNmf(engine, X, { ...begins, layers: 3, untied: 2, start: { A: [A0, A0, A0, A0] } });
    expect(all.A).toEqual(one.A);
  });

  test('long columns of a dictionary are shortened, and λ that was learned goes on', async () => {
    const D = [given(N, 4, 7), given(4, 2, 8)].map((d) => scaled(d, 8)); // every column is longer than 1
    const twice = D.map((d) => scaled(d, 2));
    const [once, doubled] = await Promise.all([D, twice].map((A) => sparseCoding(engine, X, { ...begins, start: { A } })));
    doubled.A[0].data.forEach((x, at) => {
      expect(x).toBeCloseTo(once.A[0].data[at], 6);
    });
    const model = await sparseCoding(engine, X, { ...layered, labels, maxIterations: 10 });
    const held = await sparseCoding(engine, X, { ...begins, start: model, learnL1: false });
    held.settings.l1.forEach((l1, l) => {
      expect(l1).toBeCloseTo(model.settings.l1[l], 6);
    });
  });
});

test('from one start the solvers reach what scikit-learn reaches', async () => {
  const golden = JSON.parse(await readFile(new URL('./sklearn-nmf.json', import.meta.url), 'utf8'));
  const { rows, cols, k } = golden;
  // Its rows are samples; taken as they are, W stands for A, and both update it first.
  const V = matrix(rows, cols, golden.V);
  const start = { A: matrix(rows, k, golden.W0), S: matrix(k, cols, golden.H0) };
  for (const [ours, theirs] of [
    ['hals', 'cd'],
    ['mu', 'mu'],
  ] as const) {
    for (const [iterations, error] of Object.entries<number>(golden.errors[theirs])) {
      const { relativeError } = await nmf(engine, V, {
        start,
        solver: ours,
        tolerance: 0,
        maxIterations: Number(iterations),
        svdBound: false,
      });
      // V, W0 and H0 have six decimals.
      expect(Math.abs(relativeError / error - 1), `${ours}, ${iterations}`).toBeLessThan(1e-4);
    }
  }
});

test('a model of another method is a start, and so is one that was read without samples', async () => {
  const model = await hierarchicalNmf(engine, X, { ...layered, maxIterations: 5 });
  const neural = await neuralNmf(engine, X, { ...begins, start: model });
  expect(firstError(neural)).toBeLessThanOrEqual(model.relativeError + rounding);
  const without = { ...model, S: model.S.map(({ rows }) => matrix(rows, 0)) };
  const again = await hierarchicalNmf(engine, X, { ...begins, start: without });
  expect(firstError(again)).toBeLessThanOrEqual(firstError(await hierarchicalNmf(engine, X, { ...begins, start: model })) + rounding);
});

describe('what cannot begin', () => {
  const refuse = async (fit: Promise<unknown>, message: string | RegExp) => {
    const error: InputError = await fit.then(
      () => expect.fail('it began'),
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
    return error;
  };

  test.each<[string, unknown, RegExp]>([
    ['no factors', {}, /start has neither A nor S/],
    ['a list', [A0], /start takes its options by name, as \{ A: … \}/],
    ['another name', { W: A0 }, /start has no option 'W'/],
    ['another word', 'svd', /start must be 'random', 'nndsvd', 'nndsvda' or 'nndsvdar', not "svd"/],
    ['too few rows', { A: given(12, 4, 1) }, /start\.A is 12×4, but beside X, 13×17, and the ranks of this fit it must be 13×4/],
    ['a transposed S', { A: A0, S: given(M, 4, 1) }, /start\.S is 17×4, .* must be 4×17\. It looks transposed/],
    ['two layers', { A: [A0, A1] }, /start\.A has 2 matrices, but this fit needs 1/],
    ['no layer', { A: [] }, /start\.A is an empty list/],
    ['what is no matrix', { A: [[1, 2]] }, /start\.A must be a matrix/],
    [
      'a negative entry',
      { A: scaled(A0, -1) },
      /start\.A has the entry -\S+ in row 0, column 0 \(counted from 0\), but every entry must be ≥ 0/,
    ],
    ['NaN', { A: A0, S: matrix(4, M, new Float32Array(4 * M).fill(Number.NaN)) }, /start\.S has the entry NaN/],
    [
      'a zero column',
      {
        A: matrix(
          N,
          4,
          A0.data.map((x, at) => (at % 4 === 2 ? 0 : x)),
        ),
      },
      /start\.A is zero in all of column 2 \(counted from 0\)/,
    ],
    ['a scale beyond f32', { A: scaled(A0, 1e20), S: scaled(S0, 1e-20) }, /start\.A has its largest entry at \S+e\+\d+ beside X/],
  ])('%s', async (_, start, message) => {
    const error = await refuse(nmf(engine, X, { ...flat, start } as object as NmfOptions), message);
    expect(error.option ?? 'start').toBe(/has no option/.test(error.message) ? 'W' : 'start');
  });

  test('other ranks are named beside those that were given', async () => {
    const error = await refuse(
      nmf(engine, X, { ranks: 3, start: { A: A0 } }),
      "The option 'ranks' is 3, but the factors of the option 'start' have the ranks [4]; leave ranks out, or give other factors.",
    );
    expect(error.option).toBe('start');
    await refuse(neuralNmf(engine, X, { ranks: [4, 3], start: { A: [A0, A1] } }), /is \[4,\s?3\], but .* have the ranks \[4,\s?2\]/);
    await refuse(nmf(engine, X, {}), /ranks must be a positive integer or a list of them, not undefined/);
  });

  test('restarts of one start, and a guide beside it', async () => {
    await refuse(
      nmf(engine, X, { start: { A: A0 }, restarts: 2 }),
      /'restarts' is 2, but every one would begin with the same start, factors/,
    );
    await refuse(nmf(engine, X, { ranks: 4, start: 'nndsvda', restarts: 2 }), /with the same start, 'nndsvda'/);
    const guide = { columns: given(N, 1, 1) };
    await refuse(nmf(engine, X, { start: { A: A0 }, guide }), /guide changes a random start, and start is factors/);
    await refuse(nmf(engine, X, { ranks: 4, start: 'nndsvd', guide }), /guide changes a random start, and start is 'nndsvd'/);
    await refuse(neuralNmf(engine, X, { start: { A: [A0, A1] }, guide }), /start is factors; give one of the two/);
  });

  test('options of the start that is not made', async () => {
    await refuse(
      neuralNmf(engine, X, { start: { A: [A0, A1] }, startIterations: 3 }),
      /startIterations does nothing without start 'hierarchical'/,
    );
    await refuse(unfoldedNmf(engine, X, { start: { A: A0 }, startIterations: 3 }), /startIterations does nothing without start 'nmf'/);
    await refuse(
      deepSemiNmf(engine, X, { start: { A: [A0, A1] }, pretrainIterations: 3 }),
      /pretrainIterations does nothing without start/,
    );
  });

  test('S alone, where A does not follow from it', async () => {
    for (const factorize of [neuralNmf, deepNmf, deepSemiNmf, sparseCoding])
      await refuse(factorize(engine, X, { start: { S: [S0, S1] } } as object as never), /start has no A, from which this method begins/);
  });

  test('other samples and other classes of a model', async () => {
    const model = await ssnmf(engine, X, { ...flat, labels, maxIterations: 2 });
    const fewer = randomLowRank(N, 15, 4, { seed: 2 });
    await refuse(ssnmf(engine, fewer, { start: model }), /start\.S is 4×17, .* must be 4×15\. For other samples give \{ A \}/);
    await refuse(
      ssnmf(engine, X, { start: model, labels: labels.map((label) => label && `${label}!`) }),
      /The classes of the start are \["a",\s?"b"\], but those of the labels \["a!",\s?"b!"\]/,
    );
    // Without labels there is no classifier to begin.
    await ssnmf(engine, X, { ...begins, start: model });
    // Of other samples neuralNmf needs no S.
    await neuralNmf(engine, fewer, { ...begins, start: await neuralNmf(engine, X, { ...layered, maxIterations: 2 }) });
  });
});

test('a fit from factors resumes to the same bits', async () => {
  const saved: Checkpoint[] = [];
  const options = { ...begins, maxIterations: 20, checkEvery: 5, solver: 'hals', start: { A: A0, S: S0 } } as const;
  const whole = await nmf(engine, X, { ...options, checkpoint: { seconds: 1e-9, save: (checkpoint) => saved.push(checkpoint) } });
  const resumed = await nmf(engine, X, { ...options, resume: saved[1] });
  expect([resumed.A, resumed.S]).toEqual([whole.A, whole.S]);
  await expect(nmf(engine, X, { ...options, start: { A: A0 }, resume: saved[1] })).rejects.toThrow(/X, an option or a label is another/);
});
