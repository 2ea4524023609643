/** Every loss against mathematics: its halves against finite differences of its cost, its updates, and its claims about X. */
import { describe, expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { sparseFromDense, toDense } from '../../src/data/sparse.js';
import type { Run } from '../../src/engine.js';
import { ShapeError } from '../../src/errors.js';
import { programBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import {
  betaLoss,
  coefficientSplit,
  dictionarySplit,
  divergence,
  type Fit,
  type Loss,
  onesInputs,
  squared,
} from '../../src/programs/losses.js';
import { ssnmfModels, supervisedSections } from '../../src/programs/ssnmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

/** The β-divergence of β = 3/2, between the divergence and the squared error: a loss as CONTRIBUTING.md says to add one. */
const between: Loss = {
  name: 'β-divergence of 3/2',
  degree: 1.5,
  size: (z) => z ** 1.5,
  dense: true,
  ones: false,
  // Σ M ∘ (4/3 Z^{3/2} − 2 Z V^{1/2} + 2/3 V^{3/2})
  cost(p, { target, mask, dictionary }, S, options) {
    const V = p.matmul(dictionary, S, mask ? { hadamard: mask } : {});
    const power = (x: Tensor, exponent: number) => p.map('power', [x], { p: exponent });
    const apart = p.combine(4 / 3, power(target, 1.5), 2 / 3, power(V, 1.5));
    return p.reduce(p.combine(1, apart, -2, p.hadamard(target, power(V, 0.5))), 'sum', options);
  },
  factor: 1,
  minus: (p, { target, dictionary }, S) => p.hadamard(target, p.map('power', [p.matmul(dictionary, S)], { p: -0.5, q: 1e-20 })),
  plus: (p, { mask, dictionary }, S) => p.map('power', [p.matmul(dictionary, S, mask ? { hadamard: mask } : {})], { p: 0.5 }),
};

const chosen = Object.values(ssnmfModels).flatMap(({ data, labels }): Loss[] => (labels ? [data, labels] : [data]));
const betas = [-1, 0, 0.5, 1.5, 2.5, 3].map(betaLoss);
const losses = [...new Set([...chosen, between, ...betas])].map((loss) => [loss.name, loss] as const);

const [N, M, k] = [6, 5, 3];
const engine = createReferenceEngine();

/** Cost and gradient of one loss as sections of their own. */
async function prepare(loss: Loss, masked: boolean) {
  const p = programBuilder('loss');
  const target = p.input('Z', N, M);
  const mask = masked ? p.input('M', N, M) : undefined;
  const dictionary = p.state('D', N, k);
  const S = p.state('S', k, M);
  const cost = p.state('cost', 1, 1);
  const halves = [dictionary, S].map((F) => [p.state(`minus${F.name}`, F.rows, F.cols), p.state(`plus${F.name}`, F.rows, F.cols)]);
  const ones = loss.ones && !masked ? onesInputs(p, N, M) : undefined;
  const fit: Fit = { loss, target, mask, dictionary, ones };
  p.section('cost', () => p.copy(loss.cost(p, fit, S), cost));
  p.section('gradient', () => {
    [dictionarySplit(p, fit, S, loss.factor), coefficientSplit(p, fit, S, loss.factor)].forEach(({ minus, plus }, i) => {
      p.copy(minus, halves[i][0]);
      p.copy(plus, halves[i][1]);
    });
  });
  const run = await engine.prepare(p.build());
  if (ones) for (const column of [ones.N, ones.M]) run.write(column, new Float64Array(column.rows).fill(1));
  return { run, target, mask, factors: [dictionary, S], cost, halves };
}

/** Z with zeros, where the loss is finite there, and a mask that hides one entry in four. */
function data(seed: number, masked: boolean, { degree }: Loss) {
  const { uniform } = random(seed);
  const entries = (count: number) => Float64Array.from({ length: count }, () => 0.2 + uniform());
  const mask = Float64Array.from({ length: N * M }, () => (masked && uniform() < 0.25 ? 0 : 1));
  return { mask, Z: entries(N * M).map((z, i) => (i % 7 === 0 && degree > 0 ? 0 : 2 * z * mask[i])), D: entries(N * k), S: entries(k * M) };
}

const costOf = async (run: Run, cost: Tensor) => {
  run.execute('cost');
  return (await run.read(cost))[0];
};

describe.each(losses)('%s', (_name, loss) => {
  describe.each([false, true])('masked: %s', (masked) => {
    test('the gradient is factor (plus − minus), with both halves ≥ 0', async () => {
      const { mask, Z, D, S } = data(1, masked, loss);
      const t = await prepare(loss, masked);
      using run = t.run;
      run.write(t.target, Z);
      if (t.mask) run.write(t.mask, mask);
      const at = [D, S];
      for (const i of [0, 1]) run.write(t.factors[i], at[i]);
      run.execute('gradient');
      for (const i of [0, 1]) {
        const [minus, plus] = await run.sample(t.halves[i]);
        expect(Math.min(...minus, ...plus)).toBeGreaterThanOrEqual(0);
        const h = 1e-6;
        const largest = Math.max(...plus, ...minus);
        for (let j = 0; j < at[i].length; j++) {
          const [above, below] = [h, -h].map((step) => at[i].map((x, n) => (n === j ? x + step : x)));
          run.write(t.factors[i], above);
          const up = await costOf(run, t.cost);
          run.write(t.factors[i], below);
          const difference = (up - (await costOf(run, t.cost))) / (2 * h);
          // Rounding of a cost of some 1e2 in units of 2^-53, over 2h; the third derivative adds h² of it.
          expect(Math.abs(difference - (plus[j] - minus[j])) / largest, `entry ${j} of ${'DS'[i]}`).toBeLessThan(1e-7);
        }
        run.write(t.factors[i], at[i]);
      }
    });

    test('the cost is 0 where DS is Z, and more elsewhere', async () => {
      const { mask, D, S } = data(2, masked, loss);
      const t = await prepare(loss, masked);
      using run = t.run;
      const V = mask.map((m, at) => {
        const [i, j] = [Math.floor(at / M), at % M];
        return m * [0, 1, 2].reduce((sum, q) => sum + D[i * k + q] * S[q * M + j], 0);
      });
      run.write(t.target, V);
      if (t.mask) run.write(t.mask, mask);
      run.write(t.factors[0], D);
      run.write(t.factors[1], S);
      const size = V.reduce((sum, z) => sum + loss.size(z), 0);
      expect(Math.abs(await costOf(run, t.cost))).toBeLessThan(1e-12 * size);
      run.write(
        t.factors[1],
        S.map((s) => 1.1 * s),
      );
      expect(await costOf(run, t.cost)).toBeGreaterThan(1e-3 * size);
    });

    test('its updates never raise the cost, and end at a stationary point', async () => {
      const p = programBuilder('updates');
      const [X, W] = [p.data('X', N, M), masked ? p.input('W', N, M) : undefined];
      const [A, S] = [p.state('A', N, k), p.state('S', k, M)];
      const [cost, error, ofS, ofA] = ['cost', 'error', 'kktS', 'kktA'].map((name) => p.state(name, 1, 1));
      const ones = loss.ones && !masked ? onesInputs(p, N, M) : undefined;
      const tensors = { X, W, A, S, cost, error, kkt: [ofS, ofA] as [Tensor, Tensor] };
      const sections = supervisedSections(p, 0, tensors, { losses: { data: loss, labels: null }, labelWeight: 0, ones });
      using run = await engine.prepare(p.build());
      const given = data(3, masked, loss);
      run.write(X, given.Z);
      if (W) run.write(W, given.mask);
      if (ones) for (const column of [ones.N, ones.M]) run.write(column, new Float64Array(column.rows).fill(1));
      run.write(A, given.D);
      run.write(S, given.S);
      run.execute(sections.start);
      let before = Number.POSITIVE_INFINITY;
      for (let iteration = 0; iteration < 200; iteration++) {
        run.execute(sections.step);
        run.execute(sections.measure);
        const [now] = await run.read(cost);
        expect(now).toBeLessThanOrEqual(before * (1 + 1e-12));
        before = now;
      }
      // A smaller exponent takes smaller steps.
      run.execute(sections.step, loss.power ? 12_000 : 4000);
      run.execute(sections.finish);
      expect(Math.max(...(await run.sample([ofS, ofA])).map(([x]) => x))).toBeLessThan(2e-3);
    });
  });

  test('it takes a sparse X unless it is dense', () => {
    const build = () => {
      const p = programBuilder('sparse');
      const fit: Fit = { loss, target: p.data('X', N, M, { csrEntries: 9 }), dictionary: p.state('D', N, k), ones: onesInputs(p, N, M) };
      const S = p.state('S', k, M);
      p.section('all', () => {
        loss.cost(p, fit, S);
        dictionarySplit(p, fit, S);
        coefficientSplit(p, fit, S);
      });
    };
    if (loss.dense) expect(build).toThrow(ShapeError);
    else build();
  });
});

const dense = [squared, divergence, betaLoss(1.5)].map((loss) => [loss.name, loss] as const);

test.each(dense)('%s of a sparse Z: the halves of a dense one, with a scale and beside another split', async (_name, loss) => {
  const { D, S } = data(2, false, loss);
  const Z = sparseFromDense({ rows: N, cols: M, data: Float32Array.from({ length: N * M }, (_, i) => (i % 3 === 0 ? 1 + (i % 5) : 0)) });
  const splits = async (sparse: boolean) => {
    const p = programBuilder('split');
    const target = p.input('Z', N, M, sparse ? { csrEntries: Z.values.length } : {});
    const [dictionary, coefficients] = [p.input('D', N, k), p.input('S', k, M)];
    const ones = onesInputs(p, N, M);
    const fit: Fit = { loss, target, dictionary, ones };
    const out = ['minus D', 'plus D', 'minus S', 'plus S', 'minus of both', 'plus of both'].map((name, i) =>
      i < 2 ? p.state(name, N, k) : p.state(name, k, M),
    );
    p.section('all', () => {
      const ofD = dictionarySplit(p, fit, coefficients, 2.5);
      const ofS = coefficientSplit(p, fit, coefficients, 2.5);
      const both = coefficientSplit(p, fit, coefficients, 0.5, { minus: coefficients, plus: coefficients });
      [ofD.minus, ofD.plus, ofS.minus, ofS.plus, both.minus, both.plus].forEach((half, i) => {
        p.copy(half, out[i]);
      });
    });
    using run = await engine.prepare(p.build());
    run.write(target, sparse ? Z : toDense(Z).data);
    run.write(dictionary, D);
    run.write(coefficients, S);
    for (const column of [ones.N, ones.M]) run.write(column, new Float64Array(column.rows).fill(1));
    run.execute('all');
    return await run.sample(out);
  };
  const [found, expected] = [await splits(true), await splits(false)];
  found.forEach((half, i) => {
    half.forEach((x, at) => {
      expect(x, `entry ${at} of half ${i}`).toBeCloseTo(expected[i][at], 10);
    });
  });
});
