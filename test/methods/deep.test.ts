/** Deep NMF: one iteration against loops written from the formula, what E does, what relativeError means, and bad input. */
import { expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { accuracyOf, classify, targetsOf } from '../../src/data/labels.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { InputError } from '../../src/errors.js';
import { type DeepOptions, deepNmf, transformDeep } from '../../src/methods/deep.js';
import { type Bridge, deepProgram } from '../../src/programs/deep.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

/** Fits run in f64 on the reference: what the kernels do with the same programs is tested by test/cases. */
const engine = createReferenceEngine();

const { X, labels } = tableOne(0);

type Rows = number[][];
const rowsOf = (rows: number, cols: number, entry: (i: number, j: number) => number): Rows =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: cols }, (_, j) => entry(i, j)));
const mul = (A: Rows, B: Rows): Rows => rowsOf(A.length, B[0].length, (i, j) => A[i].reduce((sum, a, t) => sum + a * B[t][j], 0));
const tr = (A: Rows): Rows => rowsOf(A[0].length, A.length, (i, j) => A[j][i]);
const each = (f: (...entries: number[]) => number, ...all: Rows[]): Rows =>
  rowsOf(all[0].length, all[0][0].length, (i, j) => f(...all.map((A) => A[i][j])));
const updated = (F: Rows, numerator: Rows, denominator: Rows, gamma = 1): Rows =>
  each((f, n, d) => f * (n / d) ** gamma, F, numerator, denominator);

/** p(S) and PᵀR by the group that each entry is in. */
function pooling({ pooling: kind, poolSize, poolOver }: Bridge, F: Rows) {
  const rows = poolOver === 'features' ? F.length : F[0].length;
  const G = poolOver === 'features' ? F : tr(F);
  const turn = (A: Rows) => (poolOver === 'features' ? A : tr(A));
  if (kind === 'none') return { value: F, back: (R: Rows) => R };
  const members = (g: number) => Array.from({ length: rows }, (_, i) => i).filter((i) => Math.floor(i / poolSize) === g);
  const groups = Math.ceil(rows / poolSize);
  const chosen = (g: number, c: number) => members(g).reduce((best, i) => (G[i][c] > G[best][c] ? i : best));
  const share = (g: number, i: number, c: number) => (kind === 'average' ? 1 / members(g).length : chosen(g, c) === i ? 1 : 0);
  const value = rowsOf(groups, G[0].length, (g, c) => members(g).reduce((sum, i) => sum + share(g, i, c) * G[i][c], 0));
  const back = (R: Rows) =>
    turn(rowsOf(rows, G[0].length, (i, c) => share(Math.floor(i / poolSize), i, c) * turn(R)[Math.floor(i / poolSize)][c]));
  return { value: turn(value), back };
}

const activations: Record<Bridge['activation'], (power: number) => { f: (s: number) => number; slope: (s: number) => number }> = {
  identity: () => ({ f: (s) => s, slope: () => 1 }),
  power: (power) => ({ f: (s) => s ** power, slope: (s) => power * s ** (power - 1) }),
  log1p: () => ({ f: (s) => Math.log(1 + s), slope: (s) => 1 / (1 + s) }),
};

/** One iteration of the variant that docs/methods.md states, for two layers with labels, and E after it. */
function iterate(bridge: Bridge, mu: readonly number[], lambda: number, data: Rows, Y: Rows, L: Rows, A: Rows[], B: Rows, S: Rows[]) {
  const { f, slope } = activations[bridge.activation](bridge.power);
  const at = (S0: Rows) => pooling(bridge, each(f, S0));
  const { value: T1, back } = at(S[0]);
  const A0 = updated(A[0], mul(data, tr(S[0])), mul(A[0], mul(S[0], tr(S[0]))));
  const A1 = updated(A[1], mul(T1, tr(S[1])), mul(A[1], mul(S[1], tr(S[1]))));
  const newB = updated(
    B,
    mul(
      each((l, y) => l * y, L, Y),
      tr(S[1]),
    ),
    mul(
      each((l, z) => l * z, L, mul(B, S[1])),
      tr(S[1]),
    ),
  );
  const weigh = (a: number, U: Rows, b: number, V: Rows) => each((u, v) => a * u + b * v, U, V);
  const S1 = updated(
    S[1],
    weigh(
      mu[1],
      mul(tr(A1), T1),
      lambda,
      mul(
        tr(newB),
        each((l, y) => l * y, L, Y),
      ),
    ),
    weigh(
      mu[1],
      mul(tr(A1), mul(A1, S[1])),
      lambda,
      mul(
        tr(newB),
        each((l, z) => l * z, L, mul(newB, S[1])),
      ),
    ),
  );
  const slopes = each(slope, S[0]);
  const through = (R: Rows) => each((d, r) => d * r, slopes, back(R));
  const S0 = updated(
    S[0],
    weigh(mu[0], mul(tr(A0), data), mu[1], through(mul(A1, S1))),
    weigh(mu[0], mul(tr(A0), mul(A0, S[0])), mu[1], through(T1)),
    bridge.activation === 'power' ? 1 / Math.max(1, bridge.power) : 1,
  );
  const squares = (U: Rows, V: Rows, mask?: Rows) =>
    U.flatMap((row, i) => row.map((u, j) => ((mask?.[i][j] ?? 1) * (u - V[i][j])) ** 2)).reduce((a, b) => a + b, 0);
  const E = mu[0] * squares(data, mul(A0, S0)) + mu[1] * squares(at(S0).value, mul(A1, S1)) + lambda * squares(Y, mul(newB, S1), L);
  return { A: [A0, A1], B: newB, S: [S0, S1], E };
}

const bridges: Partial<Bridge>[] = [
  {},
  { pooling: 'average' },
  { pooling: 'max' },
  { pooling: 'average', poolOver: 'samples', poolSize: 3 },
  { pooling: 'max', poolOver: 'samples' },
  { activation: 'log1p' },
  { activation: 'power', power: 0.5 },
  { activation: 'power', power: 2, pooling: 'average' },
  { activation: 'log1p', pooling: 'max' },
];
const full = (bridge: Partial<Bridge>): Bridge => ({
  pooling: 'none',
  poolSize: 2,
  poolOver: 'features',
  activation: 'identity',
  power: 0.5,
  ...bridge,
});

function problem(bridge: Bridge, seed: number) {
  const r = random(seed);
  const [N, M, ranks] = [9, 8, [5, 2]] as const;
  const t = deepProgram(N, M, ranks, { restarts: 1, bridge, weights: [1.3, 0.6], supervision: { classes: 2, labelWeight: 0.4 } });
  const positive = ({ rows, cols }: { rows: number; cols: number }) => rowsOf(rows, cols, () => 0.1 + r.uniform());
  const samples = t.S[1].cols;
  return {
    t,
    data: rowsOf(N, M, () => 2 * r.uniform()),
    Y: rowsOf(2, samples, (i, j) => (j % 2 === i && j + 1 < samples ? 1 : 0)),
    L: rowsOf(2, samples, (_, j) => (j + 1 < samples ? 1 : 0)),
    A: t.A.map(positive),
    B: positive(t.labels!.B),
    S: t.S.map(positive),
  };
}

async function onReference(bridge: Bridge, given: ReturnType<typeof problem>) {
  const { t, data, Y, L, A, B, S } = given;
  const run = await engine.prepare(t.program);
  run.write(t.X, data.flat());
  run.write(t.labels!.Y, Y.flat());
  run.write(t.labels!.L, L.flat());
  run.write(t.labels!.B, B.flat());
  for (const group of t.groups) {
    if (!group) continue;
    const { rows, cols } = group.U;
    const inside = rowsOf(rows, cols, (g, i) => (Math.floor(i / bridge.poolSize) === g ? 1 : 0));
    run.write(group.U, inside.flat());
    if (group.P)
      run.write(
        group.P,
        inside.flatMap((row) => row.map((x) => x / row.reduce((a, b) => a + b))),
      );
  }
  t.A.forEach((tensor, l) => {
    run.write(tensor, A[l].flat());
    run.write(t.S[l], S[l].flat());
  });
  return run;
}

test.each(bridges)('one iteration and E with %j are those of the formulas', async (partial) => {
  const bridge = full(partial);
  const given = problem(bridge, 5);
  const { t } = given;
  const run = await onReference(bridge, given);
  run.execute('step');
  run.execute('measure');
  const { A, B, S, E } = iterate(bridge, [1.3, 0.6], 0.4, given.data, given.Y, given.L, given.A, given.B, given.S);
  const near = (actual: ArrayLike<number>, expected: number[]) => {
    expect(actual.length).toBe(expected.length);
    expected.forEach((value, i) => {
      expect(Math.abs(actual[i] - value)).toBeLessThan(1e-10 * Math.max(1, Math.abs(value)));
    });
  };
  for (let l = 0; l < 2; l++) {
    near(await run.read(t.A[l]), A[l].flat());
    near(await run.read(t.S[l]), S[l].flat());
  }
  near(await run.read(t.labels!.B), B.flat());
  near(await run.read(t.cost), [E]);
});

test.each(bridges.filter(({ activation, pooling: kind }) => !activation && kind !== 'max'))(
  'E never increases with %j',
  async (partial) => {
    const bridge = full(partial);
    const given = problem(bridge, 6);
    const run = await onReference(bridge, given);
    let before = Number.POSITIVE_INFINITY;
    for (let iteration = 0; iteration < 400; iteration++) {
      run.execute('step');
      run.execute('measure');
      const [E] = await run.read(given.t.cost);
      expect(E).toBeLessThanOrEqual(before * (1 + 1e-10));
      before = E;
    }
  },
);

/** X̂ from the factors, by the definition of relativeError. */
function reconstruct({ A, S }: { A: Matrix[]; S: Matrix[] }, lift: (R: Rows, l: number) => Rows): number {
  const rows = ({ rows: r, cols: c, data }: Matrix) => rowsOf(r, c, (i, j) => data[i * c + j]);
  let Z = rows(S[S.length - 1]);
  for (let l = S.length - 1; l > 0; l--) Z = lift(mul(rows(A[l]), Z), l);
  const Xhat = mul(rows(A[0]), Z);
  let residual = 0;
  let norm = 0;
  X.data.forEach((x, i) => {
    residual += (x - Xhat[Math.floor(i / 90)][i % 90]) ** 2;
    norm += x * x;
  });
  return Math.sqrt(residual / norm);
}

test.each<[string, Omit<DeepOptions, 'ranks'>, number[][], (R: Rows, S: Matrix) => Rows]>([
  [
    'none',
    {},
    [
      [9, 9],
      [9, 4],
    ],
    (R) => R,
  ],
  [
    'average',
    { pooling: 'average' },
    [
      [9, 5],
      [5, 4],
    ],
    (R, S) => rowsOf(S.rows, S.cols, (i, c) => R[Math.floor(i / 2)][c]),
  ],
  [
    'average over samples',
    { pooling: 'average', poolOver: 'samples' },
    [
      [9, 9],
      [9, 4],
    ],
    (R, S) => rowsOf(S.rows, S.cols, (i, c) => R[i][Math.floor(c / 2)]),
  ],
  [
    'log1p',
    { activation: 'log1p' },
    [
      [9, 9],
      [9, 4],
    ],
    (R) => each((x) => Math.exp(x) - 1, R),
  ],
])('pooling %s: relativeError is that of the reconstruction the docs define', async (_name, options, shapes, lift) => {
  const fitted = await deepNmf(engine, X, { ranks: [9, 4], maxIterations: 20, startIterations: 10, ...options });
  expect([fitted.A[1].rows, fitted.A[1].cols]).toEqual(shapes[1].slice(0, 2));
  const error = reconstruct(fitted, (R, l) => lift(R, fitted.S[l - 1]));
  expect(Math.abs(fitted.relativeError / error - 1)).toBeLessThan(1e-4);
  expect(fitted.svdBound === null).toBe(options.activation !== undefined);
  if (fitted.svdBound !== null) expect(fitted.relativeError).toBeGreaterThan(fitted.svdBound);
  for (const { data } of [...fitted.A, ...fitted.S]) for (const x of data) if (!(x >= 0)) throw new Error(`an entry is ${x}`);
});

test('max pooling: relativeError puts each maximum back where it was', async () => {
  const fitted = await deepNmf(engine, X, { ranks: [9, 4], pooling: 'max', maxIterations: 20, startIterations: 10 });
  const error = reconstruct(fitted, (R, l) => {
    const { rows, cols, data } = fitted.S[l - 1];
    return rowsOf(rows, cols, (i, c) => {
      const group = Math.floor(i / 2);
      const members = [2 * group, 2 * group + 1].filter((j) => j < rows);
      const best = members.reduce((b, j) => (data[j * cols + c] > data[b * cols + c] ? j : b));
      return best === i ? R[group][c] : 0;
    });
  });
  expect(Math.abs(fitted.relativeError / error - 1)).toBeLessThan(1e-5);
  expect(fitted.svdBound).toBeNull();
  expect(fitted.layers[0].svdBound).not.toBeNull();
});

test('Table 1 data: supervised layers predict, new samples too', async () => {
  const truth = labels[4];
  const fitted = await deepNmf(engine, X, { ranks: [9, 4], labels: truth, maxIterations: 200 });
  expect(fitted.supervision!.classifiers.map(({ layer, B }) => [layer, B.rows, B.cols])).toEqual([[1, 4, 4]]);
  expect(fitted.supervision!.accuracy.labelled).toBeGreaterThanOrEqual(0.95);
  const S = await transformDeep(engine, fitted, X);
  expect(S.map(({ rows, cols }) => [rows, cols])).toEqual([
    [9, 90],
    [4, 90],
  ]);
  const predicted = classify(fitted.supervision!.classifiers[0].B, S[1]);
  expect(accuracyOf(predicted, targetsOf(truth, 90)).labelled).toBeGreaterThanOrEqual(0.95);
});

test('transform pools as the fit did', async () => {
  const fitted = await deepNmf(engine, X, { ranks: [6, 2], pooling: 'average', poolSize: 3, maxIterations: 20, svdBound: false });
  const few = matrix(
    87,
    5,
    Float32Array.from({ length: 87 * 5 }, (_, i) => X.data[Math.floor(i / 5) * 90 + (i % 5)]),
  );
  const S = await transformDeep(engine, fitted, few);
  expect(S.map(({ rows, cols }) => [rows, cols])).toEqual([
    [6, 5],
    [2, 5],
  ]);
  expect(S[1].data.some((s) => s > 0)).toBe(true);
});

test.each<[string, Partial<DeepOptions>, RegExp]>([
  ['a rank that pooling leaves no room for', { ranks: [9, 6], pooling: 'average' }, /5×90 matrix, too small for rank 6/],
  ['an unknown pooling', { pooling: 'sum' as 'max' }, /pooling must be 'none', 'average' or 'max', not "sum"/],
  ['an unknown activation', { activation: 'relu' as 'log1p' }, /activation must be/],
  ['a negative power', { activation: 'power', power: -1 }, /power/],
  ['pool size 0', { pooling: 'max', poolSize: 0 }, /poolSize/],
  ['weights of another length', { layerWeights: [1] }, /1 layerWeights for 2 layers/],
  ['a weight of zero', { layerWeights: [1, 0] }, /weight of layer 1/],
  ['labels that samples are pooled away from', { labels: labels[4], pooling: 'max', poolOver: 'samples' }, /poolOver 'features'/],
  ['a negative λ', { labels: labels[4], labelWeight: -2 }, /labelWeight/],
  ['too few labels', { labels: [1] }, /1 labels for 90/],
  ['an unknown stopping rule', { stopping: 'never' as 'objective' }, /stopping must be/],
])('%s is refused', async (_name, options, message) => {
  const attempt = deepNmf(engine, X, { ranks: [9, 4], ...options });
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});
