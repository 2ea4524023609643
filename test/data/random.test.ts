/** Random numbers: the generator against published answers, its logarithm against Math.log, streams against each other. */
import { expect, test } from 'vitest';
import { log } from '../../src/data/log.js';
import { philox, random, type Stream } from '../../src/data/random.js';

type Words = [number, number, number, number];

const hex = (words: string) => words.split(' ').map((word) => Number.parseInt(word, 16));

// kat_vectors of Random123 1.14 (D. E. Shaw Research): philox4x32, 10 rounds.
test.each([
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
])('Philox 4×32-10 has the published answer for the counter %s', (counter, key, answer) => {
  const out = new Uint32Array(4);
  philox(out, hex(counter) as Words, hex(key) as [number, number]);
  expect([...out]).toEqual(hex(answer));
});

test('Philox agrees with 64-bit products of big integers', () => {
  const { integer } = random(15);
  const words = (count: number) => Array.from({ length: count }, () => integer(2 ** 32));
  const low = (x: bigint) => Number(x & 0xffffffffn);
  for (let n = 0; n < 300; n++) {
    const [counter, key] = [words(4), words(2)];
    const out = new Uint32Array(4);
    philox(out, counter as Words, key as [number, number]);
    let c = counter.map(BigInt);
    let [k0, k1] = key.map(BigInt);
    for (let round = 0; round < 10; round++) {
      const [p0, p1] = [0xd2511f53n * c[0], 0xcd9e8d57n * c[2]];
      c = [(p1 >> 32n) ^ c[1] ^ k0, p1 & 0xffffffffn, (p0 >> 32n) ^ c[3] ^ k1, p0 & 0xffffffffn];
      k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
      k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
    }
    expect([...out], `counter ${counter}, key ${key}`).toEqual(c.map(low));
  }
});

test('the logarithm is that of Math.log to 1e-15, at every exponent and beside 1', () => {
  const { uniform } = random(16);
  for (let n = 0; n < 20_000; n++) {
    const x = n % 3 === 0 ? 1 + (uniform() - 0.5) * 2 ** -(n % 50) : 2 ** (Math.floor(2000 * uniform()) - 1000) * (1 + uniform());
    const truth = Math.log(x);
    expect(Math.abs(log(x) - truth), `ln ${x}`).toBeLessThanOrEqual(1e-15 * Math.abs(truth));
  }
  expect(log(1)).toBe(0);
});

const first = (seed: number, stream?: Stream) => {
  const { uniform } = random(seed, stream);
  return Array.from({ length: 8 }, uniform);
};

test('streams of another seed, purpose, restart or tensor share no number', () => {
  const all = [0, 1, 2 ** 32 - 1].flatMap((seed) =>
    (['data', 'start', 'columns', 'epochs', 'classifier'] as const).flatMap((purpose) =>
      [0, 1, 7].flatMap((restart) => [0, 1, 7].flatMap((tensor) => first(seed, { purpose, restart, tensor }))),
    ),
  );
  // 1080 numbers of 32 bits: one pair in 7000 such tests would be equal by chance, and these are fixed.
  expect(new Set(all).size).toBe(all.length);
});

test('normal numbers have the moments of the normal distribution', () => {
  const count = 100_000;
  const { normal } = random(17);
  const drawn = Array.from({ length: count }, normal);
  const moment = (p: number) => drawn.reduce((sum, x) => sum + x ** p, 0) / count;
  // Five standard deviations of each mean: those of x, x², x³, x⁴ are 1, √2, √15, √96.
  [0, 1, 0, 3].forEach((truth, p) => {
    expect(Math.abs(moment(p + 1) - truth), `moment ${p + 1}`).toBeLessThan(5 * Math.sqrt([1, 2, 15, 96][p] / count));
  });
});

// Made by the same formulas in CPython 3, with integers of any length: every operation is rounded as IEEE 754 says, so all engines agree.
test('the same numbers to the last bit everywhere', () => {
  const { normal } = random(3, { purpose: 'start', restart: 2, tensor: 1 });
  expect(Array.from({ length: 4 }, normal)).toEqual([0.1529065285342328, 0.745481892959903, 0.3962602714054719, -0.42977201492731504]);
});
