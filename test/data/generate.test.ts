import { expect, test } from 'vitest';
import { hierarchicalTensor, randomLowRank, tableOne } from '../../src/data/generate.js';
import { numpyRandom } from '../../src/data/numpy-random.js';
import { singularValuesSquared } from '../../src/data/svd-bound.js';

test('the data of Table 1', () => {
  const { X, labels } = tableOne();
  expect([X.rows, X.cols]).toEqual([87, 90]);
  const sizes = (classes: number[]) => classes.reduce<number[]>((n, c) => Object.assign(n, { [c]: (n[c] ?? 0) + 1 }), []);
  expect(sizes(labels[9])).toEqual([10, 10, 5, 7, 5, 20, 10, 9, 14]);
  expect(sizes(labels[4])).toEqual([20, 12, 25, 33]);
  expect(sizes(labels[2])).toEqual([32, 58]);

  // Entries of each level, counted by hand from the group sizes: same group, same parent of four, of two, none.
  const levels = sizes(Array.from(X.data, Math.floor));
  const same = 10 * 10 + 5 * 10 + 10 * 5 + 12 * 7 + 13 * 5 + 4 * 20 + 11 * 10 + 8 * 9 + 14 * 14;
  const four = 15 * 20 + 22 * 12 + 17 * 25 + 33 * 33;
  const two = 37 * 32 + 50 * 58;
  expect(levels).toEqual([87 * 90 - two, two - four, four - same, undefined, same]);
  const noise = Array.from(X.data, (x) => x - Math.floor(x));
  expect(Math.max(...noise)).toBeLessThan(0.15);
  expect(noise.reduce((sum, x) => sum + x) / noise.length).toBeCloseTo(0.075, 2);

  expect(tableOne(0)).toEqual(tableOne());
  expect(tableOne(1).X.data).not.toEqual(X.data);
  expect(() => tableOne(-1)).toThrow('seed must be');
});

test('a random matrix of low rank', () => {
  const X = randomLowRank(31, 17, 3, { seed: 5 });
  expect(X.data.every((x) => x >= 0)).toBe(true);
  const squares = singularValuesSquared(X);
  expect(squares[2]).toBeGreaterThan(1);
  expect(squares[3]).toBeLessThan(1e-9);
  const noisy = randomLowRank(31, 17, 3, { seed: 5, noise: 0.1 });
  const differences = noisy.data.map((x, p) => x - X.data[p]);
  expect(Math.min(...differences)).toBeGreaterThan(-1e-6);
  expect(Math.max(...differences)).toBeLessThan(0.100001);
  expect(() => randomLowRank(3, 0, 1)).toThrow('M must be a positive integer, not 0.');
});

test('the numbers of NumPy’s legacy generator', () => {
  // NumPy 2.4.6: r = numpy.random.RandomState(20200917); r.random_sample(3), r.randn(5)
  const r = numpyRandom(20200917);
  expect([r.uniform(), r.uniform(), r.uniform()]).toEqual([0.49723929004251843, 0.4575347808647956, 0.33356507385997747]);
  const normals = [-0.8286023314857492, 0.6826940159579074, -0.8674704948277779, 0.43958186466755006, -0.15573959033302182];
  for (const expected of normals) expect(Math.abs(r.normal() - expected)).toBeLessThan(1e-15);
  // r = numpy.random.RandomState(4294967295); r.randn(3), r.random_sample(2)
  const last = numpyRandom(4294967295);
  for (const expected of [0.6484086742306527, 0.6693235306338161, -1.0805437227474493])
    expect(Math.abs(last.normal() - expected)).toBeLessThan(1e-15);
  expect([last.uniform(), last.uniform()]).toEqual([0.9093750727977705, 0.5537363115925001]);
  // x = numpy.random.RandomState(0).randn(10001); x[-1], x.sum(): the state is renewed many times.
  const { normal } = numpyRandom(0);
  const x = Array.from({ length: 10001 }, normal);
  expect(x[10000]).toBeCloseTo(-0.20211702713566235, 14);
  expect(x.reduce((sum, value) => sum + value)).toBeCloseTo(-184.5393186097939, 9);
  expect(() => numpyRandom(-1)).toThrow('seed must be an integer from 0');
});

// /work/shared/cases/tensor/make.py, Python 3 with NumPy: the tensor in f64, numpy.random.seed(seed), noise * abs(randn(40, 40, 40)).
test.each([
  {
    noise: 0.1,
    seed: 1,
    norm: 188.86219610007223,
    first: [3.662434536366324, 3.5611756413650077, 3.5528171752263455, 3.607296862215617],
    last: [2.0072957159070985, 2.0214043054899493, 2.0380816653881824, 2.0705673007531122],
    sums: [618.619508883698, 619.8280901149518, 718.0930596834806],
  },
  {
    noise: 0.4,
    seed: 14,
    norm: 232.15168886249234,
    first: [4.120535644501225, 3.5316744098435287, 3.569590611382468, 3.5289346264664707],
    last: [2.223015522605876, 2.2308736555182422, 2.6836726522509204, 2.2423800542725076],
    sums: [1013.0514704124848, 1005.5800597657154, 1108.4194224237187],
  },
])('the published tensor, noise $noise, seed $seed', ({ noise, seed, norm, first, last, sums }) => {
  const { shape, data } = hierarchicalTensor({ noise, seed });
  expect(shape).toEqual([40, 40, 40]);
  // An entry is rounded to f32, so every sum of them is within as much.
  const equal = (actual: number, expected: number) => expect(Math.abs(actual / expected - 1)).toBeLessThan(2 ** -24);
  first.forEach((expected, at) => {
    equal(data[at], expected);
  });
  last.forEach((expected, at) => {
    equal(data[data.length - 4 + at], expected);
  });
  let squares = 0;
  const slices = [0, 0, 0];
  data.forEach((x, at) => {
    squares += x * x;
    [Math.floor(at / 1600), Math.floor(at / 40) % 40, at % 40].forEach((index, n) => {
      if (index === 0) slices[n] += x;
    });
  });
  equal(Math.sqrt(squares), norm);
  slices.forEach((sum, n) => {
    equal(sum, sums[n]);
  });
});

test('the published tensor without noise has the values of its blocks', () => {
  const { data } = hierarchicalTensor({ noise: 0 });
  expect([...new Set(data)].sort()).toEqual([0, 0.75, 2, 3.5]);
  // Of 3.5: 12·6·4 + 12·6·4 + 5·8·5 + 3·8·7 + 3·7·7 + 4·7·7 entries.
  expect(data.filter((x) => x === 3.5)).toHaveLength(288 + 288 + 200 + 168 + 147 + 196);
  expect(hierarchicalTensor()).toEqual(hierarchicalTensor({ noise: 0.1, seed: 1 }));
  expect(() => hierarchicalTensor({ noise: -1 })).toThrow('noise must be a finite number ≥ 0, not -1.');
});
