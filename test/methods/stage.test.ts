/** The rule by which a stage settles, from scripted objectives; and the refusal of broken factors. */
import { expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import type { Run } from '../../src/engine.js';
import { BreakdownError } from '../../src/errors.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { inGivenUnit, refuseBroken } from '../../src/methods/result.js';
import { runStage, type Stage } from '../../src/methods/stage.js';

/** Runs a stage whose check number n reads `cost(n)`, ten iterations apart. */
async function staged(cost: (check: number) => number, more: Partial<Stage> = {}) {
  let checks = 0;
  const run = { execute: () => {}, sample: async () => [Float64Array.of(cost(++checks))] } as unknown as Run;
  const stage: Stage = {
    name: 'scripted',
    step: 'step',
    cost: {} as Tensor,
    norm: [1],
    maxIterations: 200,
    factors: async () => ({ A: [], S: [] }),
    ...more,
  };
  const { ends } = await runStage(run, stage, { restarts: 1, tolerance: 1e-6, stopping: 'objective', checkEvery: 10, started: 0 });
  return ends[0];
}

test('an objective that stands still has settled; one that rises has not', async () => {
  expect((await staged(() => 0.1)).stopReason).toBe('tolerance');
  expect((await staged((n) => 0.1 * (1 + n / 10))).stopReason).toBe('maxIterations');
  expect((await staged((n) => 0.1 + 0.01 * (n % 2))).stopReason).toBe('maxIterations');
});

test('a fall below the rounding of a difference of large numbers is no end, unless f64 says so', async () => {
  expect((await staged(() => 1e-6, { cancels: true })).stopReason).toBe('maxIterations');
  expect((await staged(() => 0, { cancels: true })).stopReason).toBe('maxIterations');
  expect((await staged(() => 1e-6, { cancels: true, inF64: async () => [1e-6] })).stopReason).toBe('tolerance');
  let exact = 1e-6;
  const falling = async () => {
    exact *= 0.9;
    return [exact];
  };
  expect((await staged(() => 1e-6, { cancels: true, inF64: falling })).stopReason).toBe('maxIterations');
});

test('near the end f64 decides where it is cheap, and is not asked for before', async () => {
  let at = 0;
  // The fall of 10 iterations relative to the tolerated one, by checks: the fit may end at check 7.
  const rates = [30, 10, 3, 1.2, 1.1, 1.02, 0.9, 0.8, 0.7, 0.6, 0.5];
  const costs = [0.1];
  for (const rate of rates) costs.push(costs.at(-1)! * (1 - rate * 1e-5));
  // By the rounding of the device the fall to check 6 is less than the tolerated one, and that to check 7 more.
  const device = (n: number) => costs[n] * (n === 6 ? 1 + 3e-7 : 1);
  expect((await staged(device)).checked).toBe(60);
  const asked: number[] = [];
  const ended = await staged(device, {
    cheapInF64: true,
    step: (times) => {
      at += times;
    },
    inF64: async () => {
      asked.push(at);
      return [costs[at / 10]];
    },
  });
  expect(ended).toMatchObject({ stopReason: 'tolerance', checked: 70 });
  // The device is a check ahead; at check 4 it is near the end.
  expect(asked).toEqual([50, 60, 70, 80]);
});

test("'exact' needs f64 where rounding could say it", async () => {
  expect((await staged(() => 1e-13)).stopReason).toBe('exact');
  expect((await staged(() => 1e-13, { inF64: async () => [1e-5] })).stopReason).not.toBe('exact');
  expect((await staged(() => 0, { cancels: true })).stopReason).not.toBe('exact');
});

test.each([
  ['zero', 0],
  ['NaN', Number.NaN],
  ['infinite', Number.POSITIVE_INFINITY],
])('a factor that is %s is an error with advice, for A as for S', (_name, bad) => {
  const good = matrix(1, 2, [1, 2]);
  const broken = { rows: 1, cols: 2, data: Float32Array.of(bad, bad) };
  expect(() => refuseBroken('nmf', { A: [good], S: [good] })).not.toThrow();
  for (const factors of [
    { A: [broken], S: [good] },
    { A: [good], S: [good, broken] },
  ])
    expect(() => refuseBroken('nmf', factors)).toThrow(BreakdownError);
  expect(() => refuseBroken('nmf', { A: [broken], S: [good] })).toThrow(/A\[0\].*another seed.*smaller ranks/);
});

test('factors that f32 cannot hold in the unit of X are an error with advice', () => {
  const factors = { A: [matrix(1, 1, [1])], S: [matrix(1, 1, [2])] };
  expect(inGivenUnit(factors, 100, 'S').S[0].data[0]).toBe(2 ** 101);
  expect(() => inGivenUnit(factors, 128, 'S')).toThrow(/another unit, such as 2\^-100 X/);
  expect(() => inGivenUnit(factors, -130, 'A')).toThrow(/another unit, such as 2\^100 X/);
});
