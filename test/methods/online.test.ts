/** Columns that come in blocks: the sums and A against plain loops in f64, the end beside a fit of the whole, and what goes on later. */
import { afterAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix, squaredNorm } from '../../src/data/matrix.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import { columnsTimesPowersOfTwo, columnUnits, matrixTimesPowerOfTwo, powerOfTwoUnit } from '../../src/data/unit.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { squaredErrorOf } from '../../src/methods/error.js';
import { nmf } from '../../src/methods/nmf.js';
import { createOnline, type OnlineNmfOptions, onlineNmf } from '../../src/methods/online.js';
import { nnls } from '../../src/methods/q.js';
import { transform } from '../../src/models/apply.js';
import { modelFiles, modelFromFiles } from '../../src/models/files.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

let started: Promise<Engine> | undefined;
const device = () => (started ??= createEngine());
afterAll(async () => (await started)?.dispose());

const reference = createReferenceEngine();
afterAll(() => reference.dispose());

/** Columns `from` up to `to`. */
function columns(X: Matrix, from: number, to: number): Matrix {
  const part = matrix(X.rows, to - from);
  for (let i = 0; i < X.rows; i++) part.data.set(X.data.subarray(i * X.cols + from, i * X.cols + to), i * part.cols);
  return part;
}

/** X in blocks of these widths. */
function blocks(X: Matrix, ...widths: number[]): Matrix[] {
  let from = 0;
  return widths.map((width) => {
    from += width;
    return columns(X, from - width, from);
  });
}

/** argmin_{s ≥ 0} ‖x − As‖² by trying every support, in f64. */
function bestOf(A: number[][], x: number[]): number[] {
  const [N, k] = [A.length, A[0].length];
  let [best, least] = [new Array<number>(k).fill(0), Number.POSITIVE_INFINITY];
  for (let mask = 0; mask < 2 ** k; mask++) {
    const on = Array.from({ length: k }, (_, j) => j).filter((j) => mask & (1 << j));
    const system = on.map((i) => [...on.map((j) => sum(N, (n) => A[n][i] * A[n][j])), sum(N, (n) => A[n][i] * x[n])]);
    for (let p = 0; p < on.length; p++)
      for (let r = 0; r < on.length; r++) {
        const factor = r === p ? 0 : system[r][p] / system[p][p];
        system[r] = system[r].map((value, c) => value - factor * system[p][c]);
      }
    const s = new Array<number>(k).fill(0);
    for (const [p, j] of on.entries()) s[j] = system[p][on.length] / system[p][p];
    const error = sum(N, (n) => (x[n] - sum(k, (j) => A[n][j] * s[j])) ** 2);
    if (s.every((value) => value >= 0) && error < least) [best, least] = [s, error];
  }
  return best;
}

const sum = (count: number, term: (i: number) => number) => Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);
const table = (rows: number, cols: number, entry: (i: number, j: number) => number) =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: cols }, (_, j) => entry(i, j)));

/** The sums and A after some batches, written out: see onlineProgram. */
function plain(givenA: Matrix, batches: Matrix[], shares: number[], update: 'hals' | 'mu'): number[][][] {
  const [N, k] = [givenA.rows, givenA.cols];
  let A = table(N, k, (i, j) => givenA.data[i * k + j]);
  let P = table(k, k, () => 0);
  let Q = table(N, k, () => 0);
  let numerator = A;
  let denominator = table(N, k, () => 1);
  batches.forEach((X, b) => {
    const x = table(N, X.cols, (i, c) => X.data[i * X.cols + c]);
    const S = Array.from({ length: X.cols }, (_, c) =>
      bestOf(
        A,
        x.map((row) => row[c]),
      ),
    );
    const SSt = table(k, k, (i, j) => sum(X.cols, (c) => S[c][i] * S[c][j]));
    const XSt = table(N, k, (i, j) => sum(X.cols, (c) => x[i][c] * S[c][j]));
    const before = A;
    P = table(k, k, (i, j) => shares[b] * P[i][j] + SSt[i][j]);
    Q = table(N, k, (i, j) => shares[b] * Q[i][j] + XSt[i][j]);
    numerator = table(N, k, (i, j) => shares[b] * numerator[i][j] + before[i][j] * XSt[i][j]);
    denominator = table(N, k, (i, j) => shares[b] * denominator[i][j] + sum(k, (l) => before[i][l] * SSt[l][j]));
    if (update === 'mu') A = table(N, k, (i, j) => numerator[i][j] / denominator[i][j]);
    else {
      A = before.map((row) => [...row]);
      for (let sweep = 0; sweep < 4; sweep++)
        for (const row of A.keys())
          for (let j = 0; j < k; j++) A[row][j] = Math.max(A[row][j] + (Q[row][j] - sum(k, (l) => A[row][l] * P[l][j])) / P[j][j], 0);
    }
  });
  return update === 'mu' ? [A, P, Q, numerator, denominator] : [A, P, Q];
}

describe.each(['hals', 'mu'] as const)("'%s'", (update) => {
  test.each([6, 8])('A and the sums are those of plain loops in f64, seed %i', async (seed) => {
    // In units of their own, so that the fit has none to choose.
    const given = randomLowRank(7, 15, 3, { seed, noise: 2 });
    const X = matrixTimesPowerOfTwo(given, -powerOfTwoUnit(columns(given, 0, 11).data));
    const ofA = randomLowRank(7, 3, 3, { seed: seed + 100 });
    const A = columnsTimesPowersOfTwo(
      ofA,
      columnUnits(ofA).map((unit) => -unit),
    );
    using online = await createOnline(reference, { start: { A }, update, batchColumns: 11, samples: 22, forgetting: 0.5 });
    for (const block of blocks(X, 11, 4)) await online.partialFit(block);
    const state = await online.state();
    const wanted = plain(A, blocks(X, 11, 4), [0.5 ** 0.5, 0.5 ** (4 / 22)], update);
    expect(state.unit).toBe(0);
    [state.A, ...state.sums].forEach(({ data }, which) => {
      const truth = wanted[which].flat();
      const largest = Math.max(...truth);
      // f64 throughout, but for A and X given in f32, and the state rounded to it.
      truth.forEach((value, at) => {
        expect(Math.abs(data[at] - value) / largest, `seed ${seed}, matrix ${which}, entry ${at}`).toBeLessThan(1e-6);
      });
    });
  });
});

const X = randomLowRank(23, 3000, 4, { seed: 1, noise: 1 });
const options = { ranks: 4, batchColumns: 256, seed: 2 };
const bitsOf = async (source: Iterable<DataMatrix>, more: Partial<OnlineNmfOptions> = {}) =>
  (await onlineNmf(await device(), source, { ...options, samples: 3000, ...more })).A[0].data;

/** ‖X − A q(X, A)‖². */
async function objectiveOf(A: Matrix): Promise<number> {
  return squaredErrorOf({ X, seen: X }, [A], (await nnls(await device(), X, A)).S);
}

test('one pass of mini-batches ends within 1 % of the fit of the whole, with memory for a batch', async () => {
  const engine = await device();
  const before = engine.liveBytes;
  const bytes = new Set<number>();
  const onProgress = () => bytes.add(engine.liveBytes);
  const model = await onlineNmf(engine, blocks(X, 1000, 1, 1999), { ...options, onProgress });
  const whole = await nmf(engine, X, { ranks: 4, svdBound: false });
  expect(await objectiveOf(model.A[0])).toBeLessThan(1.01 * (await objectiveOf(whole.A[0])));
  expect(bytes.size).toBe(1);
  expect(engine.liveBytes).toBe(before);
  expect([model.stopReason, model.iterations, model.history.length, model.kktResidual < 1e-2]).toEqual(['maxIterations', 12, 1, true]);
});

test('the widths of blocks, their form and the unit of X change no bit of A', async () => {
  const once = await bitsOf([X]);
  async function* slowly() {
    yield* blocks(X, 7, 255, 2000, 738);
  }
  expect(await bitsOf(blocks(X, 300, 2699, 1))).toEqual(once);
  expect(await bitsOf(slowly() as unknown as Iterable<DataMatrix>)).toEqual(once);
  expect(await bitsOf(blocks(X, 1700, 1300).map(sparseFromDense))).toEqual(once);
  expect(await bitsOf([matrixTimesPowerOfTwo(X, 60)])).toEqual(once);
});

test('a state goes on to the same bits; a model that was fitted goes on from its sums', async () => {
  const engine = await device();
  const parts = blocks(X, 1024, 1976);
  using all = await createOnline(engine, { rows: 23, ...options });
  for (const part of parts) await all.partialFit(part);
  using first = await createOnline(engine, { rows: 23, ...options });
  await first.partialFit(parts[0]);
  const { seed, ranks, ...rest } = options;
  using second = await createOnline(engine, { ...rest, resume: structuredClone(await first.state()) });
  await second.partialFit(parts[1]);
  expect(await second.state()).toEqual(await all.state());

  // Ten columns beside three thousand move A less than they move an A that knows nothing of those.
  const model = await nmf(engine, X, { ranks: 4, svdBound: false });
  const [few] = blocks(randomLowRank(23, 10, 4, { seed: 9 }), 10);
  const after = async (start: { A: Matrix; S?: Matrix }) => {
    using online = await createOnline(engine, { start, forgetting: 1 });
    await online.partialFit(few);
    return objectiveOf((await online.model()).A[0]);
  };
  const fitted = await objectiveOf(model.A[0]);
  expect(await after({ A: model.A[0], S: model.S[0] })).toBeLessThan(1.001 * fitted);
  expect(await after({ A: model.A[0] })).toBeGreaterThan(1.1 * fitted);
});

test('the model transforms, and files keep it', async () => {
  const engine = await device();
  using online = await createOnline(engine, { rows: 23, ...options });
  const { relativeError } = await online.partialFit(columns(X, 0, 500));
  const seen = await online.partialFit(columns(X, 500, 600));
  const model = await online.model();
  expect(seen.columns).toBe(100);
  expect(model.relativeError).toBeGreaterThan(Math.min(relativeError, seen.relativeError) * (1 - 1e-6));
  const files = modelFiles(model);
  const bytes = (name: string) => Buffer.from(files[name] as string);
  const read = await modelFromFiles((name) => Promise.resolve(bytes(name)));
  const [S] = await transform(engine, read, columns(X, 600, 700));
  const [same] = await transform(engine, model, columns(X, 600, 700));
  expect(S).toEqual(same);
  expect(squaredErrorOf({ X: columns(X, 600, 700), seen: X }, model.A, S)).toBeLessThan(0.1 * squaredNorm(columns(X, 600, 700).data));
});

test('a block is read while the one before is computed; passes end by their error, a callback or a limit', async () => {
  const engine = await device();
  const events: string[] = [];
  function* source() {
    for (const [b, block] of blocks(columns(X, 0, 1024), 256, 256, 256, 256).entries()) {
      events.push(`read ${b}`);
      yield block;
    }
  }
  await onlineNmf(engine, source(), { ...options, onProgress: ({ batch }) => events.push(`seen ${batch - 1}`) });
  expect(events).toEqual(['read 0', 'read 1', 'seen 0', 'read 2', 'seen 1', 'read 3', 'seen 2', 'seen 3']);

  const again = [columns(X, 0, 1024)];
  const settled = await onlineNmf(engine, again, { ...options, passes: 50, tolerance: 1e-2 });
  expect([settled.stopReason, settled.converged, settled.history.length < 50]).toEqual(['tolerance', true, true]);
  const [last, before] = settled.history.toReversed().map(({ relativeError }) => relativeError ** 2);
  expect(before - last).toBeLessThanOrEqual(1e-2 * last);
  expect(settled.relativeError ** 2).toBe(last);
  const stopped = await onlineNmf(engine, again, { ...options, onProgress: ({ batch }) => batch < 2 });
  expect([stopped.stopReason, stopped.iterations]).toEqual(['stopped', 3]); // the third was in the queue
  expect((await onlineNmf(engine, again, { ...options, maxSeconds: 1e-9 })).stopReason).toBe('maxSeconds');
  await expect(onlineNmf(engine, again, { ...options, signal: AbortSignal.abort() })).rejects.toThrow(/cancelled/);
});

test('columns of zeros teach nothing', async () => {
  const zeros = matrix(23, 256);
  const part = columns(X, 0, 512);
  expect(await bitsOf([zeros, part, zeros])).toEqual(await bitsOf([part]));
  await expect(bitsOf([zeros])).rejects.toThrow(/zero/);
});

describe('bad input is refused by name', () => {
  const bad = (run: () => Promise<unknown>, message: RegExp, option?: string) => async () => {
    const error = (await run().catch((thrown) => thrown)) as InputError;
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(error.option).toBe(option);
  };
  const attempt = (source: unknown, more: object = {}) => onlineNmf(reference, source as Matrix[], { ranks: 2, ...more });
  const good = matrix(4, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
  const state = { A: good } as never;
  test(
    'blocks of other rows',
    bad(() => attempt([good, matrix(3, 4)]), /Block 1 .* is 3×4, but .* 4 rows.*transposed/),
  );
  test(
    'negative entries',
    bad(() => attempt([good, matrix(4, 1, [1, -2, 3, 4])]), /Block 1 .* entry -2 in row 1, column 0/),
  );
  test.each([0, -1, 1.5, Number.NaN, '0.7'])('forgetting %s', (forgetting) =>
    bad(() => attempt([good], { forgetting }), /forgetting must be a number above 0 and up to 1/, 'forgetting')(),
  );
  test(
    'an empty source',
    bad(() => attempt([]), /no columns/),
  );
  test(
    'no source',
    bad(() => attempt(good), /iterable of matrices, such as \[X\]/),
  );
  test(
    'a generator for two passes',
    bad(() => attempt([good].values(), { passes: 2 }), /passes.* is 2, .*once only/, 'passes'),
  );
  test(
    'a rank beyond N',
    bad(() => attempt([good], { ranks: 5 }), /Rank 5 is more/, 'ranks'),
  );
  test(
    'an unknown option',
    bad(() => attempt([good], { batches: 5 }), /no option 'batches'/, 'batches'),
  );
  test(
    'a batch of no columns',
    bad(() => attempt([good], { batchColumns: 0 }), /batchColumns must be a positive integer/, 'batchColumns'),
  );
  test(
    'a start of other rows',
    bad(() => attempt([good], { start: { A: matrix(3, 2, [1, 1, 1, 1, 1, 1]) } }), /start.A has 3 rows/, 'start'),
  );
  test(
    'a start of zeros',
    bad(() => attempt([good], { start: { A: matrix(4, 2, [1, 0, 1, 0, 1, 0, 1, 0]) } }), /all of column 1/, 'start'),
  );
  test(
    'no state',
    bad(() => attempt([good], { ranks: undefined, resume: state }), /resume must be what state\(\)/, 'resume'),
  );
  test(
    'seed beside resume',
    bad(() => attempt([good], { resume: state }), /'ranks' is given beside 'resume'/, 'ranks'),
  );
});

test('a factorization that was disposed says so', async () => {
  const online = await createOnline(reference, { rows: 4, ranks: 2 });
  online.dispose();
  await expect(online.partialFit(matrix(4, 1, [1, 2, 3, 4]))).rejects.toThrow(/was disposed/);
});
