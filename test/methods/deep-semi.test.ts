/** Deep Semi-NMF: its rules against the formulas in plain loops, its gradients against central differences, and what a fit promises. */
import { afterAll, expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import type { Engine, Run } from '../../src/engine.js';
import { InputError, ShapeError } from '../../src/errors.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { type DeepSemiOptions, deepSemiNmf, transformDeepSemi } from '../../src/methods/deep-semi.js';
import { createEngine } from '../../src/node/engine.js';
import { deepSemiProgram } from '../../src/programs/deep-semi.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Dense, dense, each, times, transposed, writeDeepSemi } from '../cases/deep-semi.js';

let started: Promise<Engine> | undefined;
const engine = () => {
  started ??= createEngine();
  return started;
};
afterAll(async () => (await started)?.dispose());

const reference = createReferenceEngine();
const { X, labels } = tableOne(0);

const read = async (run: Run, tensor: Tensor): Promise<Dense> => dense(tensor.rows, tensor.cols, await run.read(tensor));

/** Moore–Penrose inverse by one-sided Jacobi rotations; singular values that are rounding count as zero. */
function pseudoInverse(A: Dense): Dense {
  if (A.rows < A.cols) return transposed(pseudoInverse(transposed(A)));
  // Columns of U = AV are rotated until they are orthogonal; then A⁺ = V diag(1/σ²) Uᵀ.
  const U = dense(A.rows, A.cols, A.data);
  const n = A.cols;
  const V = dense(
    n,
    n,
    Float64Array.from({ length: n * n }, (_, at) => (Math.floor(at / n) === at % n ? 1 : 0)),
  );
  const dot = (i: number, j: number) => {
    let sum = 0;
    for (let r = 0; r < U.rows; r++) sum += U.data[r * n + i] * U.data[r * n + j];
    return sum;
  };
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const off = dot(i, j);
        if (off === 0) continue;
        const angle = 0.5 * Math.atan2(2 * off, dot(i, i) - dot(j, j));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const B of [U, V]) {
          for (let r = 0; r < B.rows; r++) {
            const [x, y] = [B.data[r * n + i], B.data[r * n + j]];
            B.data[r * n + i] = c * x + s * y;
            B.data[r * n + j] = c * y - s * x;
          }
        }
      }
    }
  }
  const squares = Array.from({ length: n }, (_, j) => dot(j, j));
  const cut = 1e-24 * Math.max(...squares);
  const scaled = dense(
    n,
    n,
    V.data.map((v, at) => (squares[at % n] > cut ? v / squares[at % n] : 0)),
  );
  return times(scaled, transposed(U));
}

const part = (A: Dense, sign: 1 | -1) => each([A], (x) => (Math.abs(x) + sign * x) / 2);

/** H ∘ √((A⁺ + B⁻H + λHW) / (A⁻ + B⁺H + λHD)). */
function ruleOfH(H: Dense, A: Dense, B: Dense, graph?: { weight: number; W: Dense; D: Dense }): Dense {
  let up = each([part(A, 1), times(part(B, -1), H)], (x, y) => x + y);
  let down = each([part(A, -1), times(part(B, 1), H)], (x, y) => x + y);
  if (graph) {
    up = each([up, times(H, graph.W)], (x, y) => x + graph.weight * y);
    down = each([down, times(H, graph.D)], (x, y) => x + graph.weight * y);
  }
  return each([H, up, down], (h, u, d) => h * Math.sqrt(u / d));
}

function expectClose(actual: Dense, wanted: Dense): void {
  const largest = Math.max(...wanted.data.map(Math.abs));
  actual.data.forEach((x, i) => {
    expect(Math.abs(x - wanted.data[i]) / largest).toBeLessThan(1e-9);
  });
}

/** W and D as matrices, from the labels that writeDeepSemi gives. */
function graphOf(M: number, classes: number, weight: number): { weight: number; W: Dense; D: Dense } {
  const label = Array.from({ length: M }, (_, c) => (c % 3 === 2 ? -1 : c % classes));
  const size = (i: number) => label.filter((own) => own === i).length;
  const entries = (f: (i: number, j: number) => number) =>
    dense(
      M,
      M,
      Float64Array.from({ length: M * M }, (_, at) => f(Math.floor(at / M), at % M)),
    );
  return {
    weight,
    W: entries((i, j) => (label[i] >= 0 && label[i] === label[j] ? 1 / size(label[i]) : 0)),
    D: entries((i, j) => (i === j && label[i] >= 0 ? 1 : 0)),
  };
}

test.each([0, 3])('one iteration of pre-training is Z = XH⁺ and the rule of H (%i classes)', async (classes) => {
  const weight = 0.8;
  const t = deepSemiProgram(11, 13, [4], { restarts: 1, nonlinearity: 'identity', labels: classes ? { weight, classes } : undefined });
  using run = await reference.prepare(t.program);
  writeDeepSemi(run, t, { seed: 5, classes });
  const [data, H] = [await read(run, t.X), await read(run, t.H[0])];
  run.execute(t.pretrained[0].step);
  const Z = times(data, pseudoInverse(H));
  expectClose(await read(run, t.Z[0]), Z);
  const graph = classes ? graphOf(13, classes, weight) : undefined;
  const next = ruleOfH(H, times(transposed(Z), data), times(transposed(Z), Z), graph);
  expectClose(await read(run, t.H[0]), next);
  if (!graph) return;
  run.execute(t.pretrained[0].measure);
  const residual = each([data, times(Z, next)], (x, y) => x - y);
  const laplacian = each([graph.D, graph.W], (d, w) => d - w);
  const smooth = each([times(next, laplacian), next], (x, y) => x * y);
  const cost = residual.data.reduce((sum, x) => sum + x * x, 0) + weight * smooth.data.reduce((sum, x) => sum + x, 0);
  expect((await run.read(t.pretrained[0].cost))[0] / cost).toBeCloseTo(1, 9);
});

test.each([
  [[4], 0],
  [[6, 3], 3],
  [[6, 4, 2], 0],
  [[5, 4, 4, 3], 3],
])('one iteration over all layers of ranks %j is the formula with Moore–Penrose inverses (%i classes)', async (ranks, classes) => {
  const weight = 0.8;
  const [N, M] = [11, 13];
  const t = deepSemiProgram(N, M, ranks, { restarts: 1, nonlinearity: 'identity', labels: classes ? { weight, classes } : undefined });
  using run = await reference.prepare(t.program);
  writeDeepSemi(run, t, { seed: 6, classes });
  const data = await read(run, t.X);
  const Z = await Promise.all(t.Z.map((z) => read(run, z)));
  const H = await Promise.all(t.H.map((h) => read(run, h)));
  // Twice: after the first iteration every Ψ and H̃ is of the last rank, so nothing but the pseudo-inverse will do.
  for (let iteration = 0; iteration < 2; iteration++) {
    const HTilde = [...H];
    for (let i = ranks.length - 2; i >= 0; i--) HTilde[i] = times(Z[i + 1], HTilde[i + 1]);
    let Psi: Dense | undefined;
    for (let i = 0; i < ranks.length; i++) {
      const right = times(data, pseudoInverse(HTilde[i]));
      Z[i] = Psi ? times(pseudoInverse(Psi), right) : right;
      Psi = Psi ? times(Psi, Z[i]) : Z[i];
      const graph = classes && i === ranks.length - 1 ? graphOf(M, classes, weight) : undefined;
      H[i] = ruleOfH(H[i], times(transposed(Psi), data), times(transposed(Psi), Psi), graph);
    }
    run.execute('step');
    for (const [i, z] of t.Z.entries()) expectClose(await read(run, z), Z[i]);
    for (const [i, h] of t.H.entries()) expectClose(await read(run, h), H[i]);
  }
});

test.each([
  ['square', 0],
  ['softplus', 3],
  ['sigmoid', 0],
  ['tanh', 3],
] as const)('the gradients of the %s form (%i classes) agree with central differences of the objective', async (nonlinearity, classes) => {
  const labelled = classes ? { weight: 0.6, classes } : undefined;
  const t = deepSemiProgram(7, 9, [4, 3, 2], { restarts: 1, nonlinearity, labels: labelled });
  using run = await reference.prepare(t.program);
  const { control: state, dZ, dH } = t.nonlinear!;
  const variables = [...t.Z, t.H[2]];
  writeDeepSemi(run, t, { seed: 8, classes });
  const values = await Promise.all(variables.map(async (tensor) => Float64Array.from(await run.read(tensor))));
  const cost = async () => {
    const initial = new Float64Array(control.length);
    initial[control.cost] = 1e300;
    run.write(state, initial);
    run.execute('start');
    return (await run.read(state))[control.cost];
  };
  await cost();
  const gradients = await Promise.all([...dZ, dH].map(async (tensor) => Float64Array.from(await run.read(tensor))));
  const h = 1e-6;
  for (const [i, tensor] of variables.entries()) {
    const largest = Math.max(...gradients[i].map(Math.abs));
    for (let j = 0; j < values[i].length; j++) {
      const at = async (value: number) => {
        run.write(
          tensor,
          values[i].map((x, n) => (n === j ? value : x)),
        );
        return cost();
      };
      const difference = ((await at(values[i][j] + h)) - (await at(values[i][j] - h))) / (2 * h);
      expect(Math.abs(difference - gradients[i][j]) / largest, `${tensor.name}[${j}]`).toBeLessThan(1e-6);
    }
    run.write(tensor, values[i]);
  }
});

test('on the data of Table 1 it reaches the SVD bound of rank 2, and unseen columns get the best H there is', async () => {
  const model = await deepSemiNmf(await engine(), X, { ranks: [9, 4, 2], pretrainIterations: 40, maxIterations: 120 });
  expect(model.relativeError).toBeLessThan(1.0005 * model.svdBound!);
  expect(model.relativeError).toBeGreaterThan(model.svdBound! * (1 - 1e-5));
  for (const { data } of model.S) for (const s of data) expect(s >= 0).toBe(true);
  const errors = model.history.filter(({ stage }) => stage === 'all layers').map(({ relativeError }) => relativeError);
  errors.slice(1).forEach((error, i) => {
    expect(error).toBeLessThanOrEqual(errors[i] * (1 + 1e-6));
  });
  const H = await transformDeepSemi(await engine(), model, X);
  const product = model.A.map(({ rows, cols, data }) => dense(rows, cols, data)).reduce(times);
  const squared = (S: { rows: number; cols: number; data: ArrayLike<number> }) =>
    times(product, dense(S.rows, S.cols, S.data)).data.reduce((sum, x, i) => sum + (x - X.data[i]) ** 2, 0);
  expect(H.map(({ rows, cols }) => [rows, cols])).toEqual([
    [9, 90],
    [4, 90],
    [2, 90],
  ]);
  expect(squared(H[2])).toBeLessThanOrEqual(squared(model.S[2]) * (1 + 1e-5));
});

test('a matrix of both signs, labels, and the classes of unlabelled samples', async () => {
  const r = random(3);
  const shifted = matrix(
    87,
    90,
    X.data.map((x) => x - 1),
  );
  const known = labels[9].map((label) => (r.uniform() < 0.4 ? label : null));
  const model = await deepSemiNmf(await engine(), shifted, {
    ranks: [9],
    labels: known,
    truth: labels[9],
    pretrainIterations: 60,
    maxIterations: 60,
  });
  expect(model.relativeError).toBeLessThan(0.1);
  expect(model.A[0].data.some((z) => z < 0)).toBe(true);
  expect(model.supervision!.classes).toHaveLength(9);
  expect(model.supervision!.accuracy).toEqual({ labelled: 1, unlabelled: 1 });
});

test('the label graph draws samples of a class together', async () => {
  const scatter = async (labelWeight: number) => {
    const model = await deepSemiNmf(reference, X, {
      ranks: [4],
      labels: labels[4],
      labelWeight,
      pretrainIterations: 20,
      maxIterations: 20,
    });
    const S = model.S[0];
    let [within, all] = [0, 0];
    for (let j = 0; j < 4; j++) {
      for (let c = 0; c < 90; c++) {
        const peers = labels[4].flatMap((label, i) => (label === labels[4][c] ? [S.data[j * 90 + i]] : []));
        within += (S.data[j * 90 + c] - peers.reduce((sum, s) => sum + s / peers.length, 0)) ** 2;
        all += S.data[j * 90 + c] ** 2;
      }
    }
    return within / all;
  };
  expect(await scatter(5)).toBeLessThan(0.9 * (await scatter(0)));
});

test.each(['square', 'softplus', 'sigmoid', 'tanh'] as const)('the %s form descends, and transforms its own data', async (nonlinearity) => {
  const small = matrix(
    30,
    40,
    Float32Array.from({ length: 1200 }, (_, i) => X.data[Math.floor(i / 40) * 90 + (i % 40)]),
  );
  const model = await deepSemiNmf(reference, small, { ranks: [5, 3], nonlinearity, pretrainIterations: 30, maxIterations: 60 });
  const errors = model.history.filter(({ stage }) => stage === 'all layers').map(({ relativeError }) => relativeError);
  expect(errors.at(-1)!).toBeLessThan(errors[0]);
  expect(model.relativeError).toBeLessThan(0.5);
  expect(model.layers[0].relativeError).toBe(model.layers[1].relativeError);
  expect(model.svdBound).toBe(model.layers[0].svdBound);
  expect(Math.min(...model.S[1].data)).toBeGreaterThanOrEqual(0);
  const H = await transformDeepSemi(reference, model, small);
  const product = times(dense(30, 5, model.A[0].data), dense(5, 40, H[0].data));
  const squared = product.data.reduce((sum, x, i) => sum + (x - small.data[i]) ** 2, 0);
  const norm = small.data.reduce((sum, x) => sum + x * x, 0);
  expect(Math.sqrt(squared / norm)).toBeLessThan(1.5 * model.relativeError);
});

test.each<[string, Partial<DeepSemiOptions>, RegExp]>([
  ['another nonlinearity', { nonlinearity: 'cube' as 'tanh' }, /"cube"/],
  ['a negative label weight', { labels: labels[4], labelWeight: -1 }, /labelWeight/],
  ['a label weight without labels', { labelWeight: 1 }, /labelWeight does nothing without labels/],
  ['too few labels', { labels: ['a', 'b'] }, /2 labels for 90/],
  ['labels of one class', { labels: labels[4].map(() => 'a') }, /class "a"/],
  ['no label at all', { labels: labels[4].map(() => null) }, /No sample/],
  ['a truth that is too short', { labels: labels[4], truth: ['a'] }, /1 true labels for 90 samples/],
  ['no pre-training', { pretrainIterations: 0 }, /pretrainIterations/],
  ['ranks that grow', { ranks: [3, 4] }, /4 after 3/],
])('%s is refused', async (_name, options, message) => {
  const attempt = deepSemiNmf(reference, X, { ranks: [4], ...options });
  await expect(attempt).rejects.toThrow(InputError);
  await expect(attempt).rejects.toThrow(message);
});

test('NaN, zeros and new data of another height are refused', async () => {
  await expect(deepSemiNmf(reference, matrix(2, 2, [1, Number.NaN, 1, 1]), { ranks: [1] })).rejects.toThrow(/NaN/);
  await expect(deepSemiNmf(reference, matrix(2, 2), { ranks: [1] })).rejects.toThrow(/zero/);
  const model = await deepSemiNmf(reference, X, { ranks: [2], maxIterations: 1, pretrainIterations: 1, svdBound: false });
  await expect(transformDeepSemi(reference, model, matrix(5, 5))).rejects.toThrow(ShapeError);
});

test.each(['reference', 'device'])('a row of H that became zero stays so and spoils no other, on the %s', async (name) => {
  const [N, M] = [7, 9];
  const t = deepSemiProgram(N, M, [4, 3], { restarts: 1, nonlinearity: 'identity' });
  using run = await (name === 'reference' ? reference : await engine()).prepare(t.program);
  const r = random(8);
  const entries = (count: number) => Float32Array.from({ length: count }, () => 0.1 + r.uniform());
  run.write(t.X, entries(N * M));
  t.Z.forEach(({ rows, cols }, l) => {
    run.write(t.Z[l], new Float32Array(rows * cols));
    const H = entries(cols * M);
    run.write(t.H[l], l === 0 ? H.fill(0, 0, M) : H);
  });
  for (const section of ['pretrain0', 'pretrain1', 'step', 'step', 'measure']) {
    run.execute(section);
    for (const factor of await run.sample([...t.Z, ...t.H])) expect(Array.from(factor).every(Number.isFinite), section).toBe(true);
    if (section === 'pretrain0') expect(Array.from(await run.read(t.H[0])).slice(0, M)).toEqual(new Array(M).fill(0));
  }
  expect((await run.read(t.cost))[0]).toBeGreaterThan(0);
});
