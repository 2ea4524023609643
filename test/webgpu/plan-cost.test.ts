/** Bytes and operations counted by hand, and the bounds that follow from them on profiles. */
import { expect, test } from 'vitest';
import type { Profile } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { programFor } from '../../src/methods/program-for.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { lower } from '../../src/webgpu/lower/lower.js';
import { rules, type Work, workOf } from '../../src/webgpu/lower/work.js';
import type { AdapterFacts, Forced } from '../../src/webgpu/plan/planner.js';
import { boundSeconds, factsOfProfiles, profileOf, profiles } from '../../src/webgpu/plan/profiles.js';
import { costOf, costText } from '../../src/webgpu/plan-cost.js';
import { planText } from '../../src/webgpu/plan-text.js';
import { shaders } from '../../src/webgpu/shaders.generated.js';

const software: AdapterFacts = { ...factsOfProfiles, software: true };
const forced: Forced = { matmul: 'register', blocks: [1, 1], splits: 1 };

test('every kernel has its rule: add a line to `rules` in src/webgpu/lower/work.ts', () => {
  expect(Object.keys(rules).sort()).toEqual(Object.keys(shaders).sort());
});

test('a multiplicative iteration without padding, counted by hand', () => {
  // X is 24×40 (3840 bytes), A 24×8 (768), S 8×40 (1280), a Gram matrix 8×8 (256). Tiles of 4×4 read A once for every 4 columns of the
  // result, and B once for every 4 rows.
  const program = programFor('nmf', { rows: 24, cols: 40, ranks: 8, solver: 'mu' });
  const { steps, ...sum } = costOf(program, 'rtx-4090', { forced }).step0;
  expect(steps.map(({ bytes, requested, operations }) => [bytes, requested, operations])).toEqual([
    [1280 + 256, 1280 * (2 + 2) + 256, 2 * 8 * 8 * 40], // SSᵀ
    [768 + 256 + 768, 768 * 2 + 256 * 6 + 768, 2 * 24 * 8 * 8], // A (SSᵀ)
    [3840 + 1280 + 768 + 2 * 768, 3840 * 2 + 1280 * 6 + 768 + 2 * 768, 2 * 24 * 8 * 40 + 2 * 24 * 8], // A ← A ∘ XSᵀ / …
    [768 + 256, 768 * (2 + 2) + 256, 2 * 8 * 8 * 24], // AᵀA
    [256 + 1280 + 1280, 256 * 10 + 1280 * 2 + 1280, 2 * 8 * 40 * 8], // (AᵀA) S
    [768 + 3840 + 1280 + 2 * 1280, 768 * 10 + 3840 * 2 + 1280 + 2 * 1280, 2 * 8 * 40 * 24 + 2 * 8 * 40], // S ← S ∘ AᵀX / …
  ]);
  expect(sum).toMatchObject({ dispatches: 6, bytes: 1536 + 1792 + 7424 + 1024 + 2816 + 8448, operations: 48_128 });
});

test('odd sizes and restarts: rows are padded to four, X is moved once for all restarts and asked for by each', () => {
  for (let run = 0; run < 20; run++) {
    const [N, M, R] = [5, 7, 1].map((least) => least + Math.floor(60 * Math.random()));
    const k = 1 + Math.floor(5 * Math.random());
    const padded = (n: number) => 4 * Math.ceil(n / 4);
    const bytes = (rows: number, cols: number) => 4 * rows * padded(cols);
    const program = programFor('nmf', { rows: N, cols: M, ranks: k, solver: 'mu', restarts: R });
    const { steps } = costOf(program, 'm4-max', { forced }).step0;
    const own = R * (bytes(k, M) + bytes(N, k));
    const at = `${N}×${M}, rank ${k}, ${R} restarts`;
    expect(steps[2].bytes, at).toBe(bytes(N, M) + own + 2 * R * bytes(N, k));
    expect(steps[2].operations, at).toBe(R * N * k * (2 * M + 2));
    const tiles = { across: Math.ceil(k / 4), down: Math.ceil(N / 4) };
    expect(steps[2].requested, at).toBe(R * (bytes(N, M) * tiles.across + bytes(k, M) * tiles.down + bytes(N, k) + 2 * bytes(N, k)));
    expect(steps[5].bytes, at).toBe(bytes(N, M) + own + 2 * R * bytes(k, M));
  }
});

test('a product in parts writes them, reads them, and has nothing else to read', () => {
  const program = programFor('nmf', { rows: 24, cols: 256, ranks: 8, solver: 'mu' });
  const [gram] = costOf(program, 'h100-sxm', { forced: { ...forced, splits: 4 } }).step0.steps;
  expect(gram.kernels.map(({ bytes, operations }) => [bytes, operations])).toEqual([
    [8 * 256 * 4 + 4 * 256, 2 * 8 * 8 * 256],
    [4 * 256 + 256, 64 * 4],
  ]);
});

/** The work of one operation. */
function workOfOne(write: (p: ReturnType<typeof programBuilder>) => unknown, facts = software, own: Forced = {}): Work[] {
  const p = programBuilder('work');
  p.section('run', () => void write(p));
  return p
    .build()
    .sections.run.flatMap((operation) => lower(operation, facts, own))
    .map(workOf);
}

test('a product whose tiles end with the sweep of HALS: 2k + 2 operations an entry more', () => {
  const program = programFor('nmf', { rows: 24, cols: 40, ranks: 8, solver: 'hals' });
  const { steps } = costOf(program, 'rtx-4090', { forced: { matmul: 'register' } }).step0;
  expect(steps.map(({ operations }) => operations)).toEqual([
    2 * 8 * 8 * 40, // SSᵀ
    24 * 8 * (2 * 40 + 2 * 8 + 2), // XSᵀ, and its sweep
    2 * 8 * 8 * 24, // AᵀA
    8 * 40 * (2 * 24 + 2 * 8 + 2), // AᵀX, and its sweep
  ]);
});

test('a solve, counted by hand: cold, warm, and with its factors in scratch memory', () => {
  // k = 6, 9 columns, padded to 12; G is 6×6 in rows of 8.
  const solve = (warm: boolean) => (p: ReturnType<typeof programBuilder>) => {
    const [G, B] = [p.input('G', 6, 6), p.input('B', 6, 9)];
    p.nnls(G, B, p.state('S', 6, 9), { warm });
  };
  const moved = 4 * (6 * 8 + 2 * 6 * 12 + 12);
  const operations = 12 * (6 ** 3 / 3 + 4 * 6 ** 2); // K³/6 + 2K² FMA a column
  expect(workOfOne(solve(false))).toMatchObject([{ bytes: moved, requested: moved, operations }]);
  expect(workOfOne(solve(true))).toMatchObject([{ bytes: moved + 4 * 6 * 12, operations }]);
  const factors = 4 * 21 * 12;
  expect(workOfOne(solve(false), software, { spill: true })).toMatchObject([{ bytes: moved + 2 * factors, operations }]);
});

test('a multiplicative update reads F, numerator and denominator, writes F, and a power is one operation an entry more', () => {
  const update = (power: number) => (p: ReturnType<typeof programBuilder>) => {
    p.multiplicativeUpdate(p.state('F', 4, 8), p.input('numerator', 4, 8), p.input('denominator', 4, 8), { power });
  };
  const moved = 4 * 4 * 8 * 4;
  expect(workOfOne(update(1))).toMatchObject([{ bytes: moved, requested: moved, operations: 2 * 32 }]);
  expect(workOfOne(update(0.5))).toMatchObject([{ bytes: moved, requested: moved, operations: 3 * 32 }]);
});

test('a product with a CSR X reads the side that it needs, and a row of the dense factor for each entry', () => {
  // 9 entries in 5×7; a side is its lines and one more, and its entries, 8 bytes each. The factor has 3 columns, padded to 4.
  const product = (transposed: boolean) => (p: ReturnType<typeof programBuilder>) => {
    const X = p.input('X', 5, 7, { csrEntries: 9 });
    const D: Tensor = p.input('D', transposed ? 5 : 7, 3);
    p.matmul(transposed ? T(X) : X, D, { into: p.state('C', transposed ? 7 : 5, 3) });
  };
  const none = 16; // the smallest scratch buffer, where there are no tails
  expect(workOfOne(product(false))).toMatchObject([
    { bytes: 8 * 15 + 16 * 7 + 16 * 5 + none, requested: 8 * 15 + 16 * 9 + 16 * 5 + none, operations: 2 * 4 * 9 },
  ]);
  expect(workOfOne(product(true))).toMatchObject([{ bytes: 8 * 17 + 16 * 5 + 16 * 7 + none, operations: 2 * 4 * 9 }]);
});

test('a product with an X in coordinates reads the entries and one mode, and a row of every other factor for each entry', () => {
  // 9 entries of 4 words; mode 1 has 7 lines, one more, and the order of the entries. Factors have 3 columns, padded to 4; 2 restarts.
  const p = programBuilder('test', { restarts: 2 });
  const X = p.dataTensor('X', [5, 7, 2], { cooEntries: 9 });
  const F = [5, 7, 2].map((size, n) => p.input(`F${n}`, size, 3, { batched: n === 0 }));
  p.section('all', () => {
    p.mttkrp(X, F, 1, { into: p.state('M', 7, 3) });
    p.storedResidual(X, F, { into: p.state('out', 1, 1) });
  });
  const { steps } = costOf(p.build(), 'rtx-4090', { forced }).all;
  const none = 16; // the smallest scratch buffer, where there are no tails
  const [entries, mode] = [4 * 4 * 9, 4 * (2 * 8 + 9)];
  expect(steps[0]).toMatchObject({
    bytes: entries + mode + 2 * 16 * 5 + 16 * 2 + 2 * 16 * 7 + none,
    // X once for every restart and four columns; a row of F0 for each of 9 entries and restarts, of the shared F2 as often.
    requested: 2 * (entries + mode) + 2 * 16 * 9 + 2 * 16 * 9 + 2 * 16 * 7 + none,
    operations: 2 * 4 * 9 * 3,
  });
  expect(steps[1].operations).toBe(2 * 9 * (4 * 3 + 4) + 2); // and a fold of one partial sum each
});

test('where lines are longer than a segment, the entries beyond it are the work of the tails', () => {
  // 10 lines of 100 entries: 64 in their heads, 36 in their tails, of which there may be 1000 / 64.
  const works = workOfOne((p) => {
    const X = p.dataTensor('X', [10, 20, 30], { cooEntries: 1000 });
    const F = [10, 20, 30].map((size, n) => p.input(`F${n}`, size, 4));
    p.mttkrp(X, F, 0, { into: p.state('M', 10, 4, { shared: true }) });
  });
  const [entries, mode, factors, tails] = [4 * 4 * 1000, 4 * (2 * 11 + 1000 + 2 * 15), 16 * (20 + 30), 16 * 15];
  expect(works).toMatchObject([
    { bytes: 0.36 * (entries + mode) + factors + tails, operations: 360 * 4 * 3 },
    { bytes: 0.64 * (entries + mode) + factors + tails + 16 * 10, operations: 640 * 4 * 3 },
  ]);
  expect(works[0].requested).toBeCloseTo(0.36 * (entries + mode) + 2 * 16 * 360 + tails);
});

test('the bound is the roofline of the part that is filled, and a dispatch', () => {
  const profile: Profile = { ...profiles['rtx-4090'], bandwidth: 1e9, flops: 1e12, units: 2, lanesPerUnit: 64, dispatchSeconds: 1e-6 };
  const bound = (bytes: number, operations: number, invocations: number) => boundSeconds({ bytes, operations, invocations }, profile);
  expect(bound(1e6, 1e6, 128)).toBeCloseTo(1e-3 + 1e-6, 12);
  expect(bound(1e6, 1e6, 10_000)).toBeCloseTo(1e-3 + 1e-6, 12);
  expect(bound(1e6, 1e6, 32)).toBeCloseTo(4e-3 + 1e-6, 12);
  expect(bound(1e3, 1e9, 128)).toBeCloseTo(1e-3 + 1e-6, 12);
  expect(bound(0, 0, 1)).toBe(1e-6);
});

test('peaks agree with units, lanes and a clock of today, and every figure has a source', () => {
  for (const { name, label, bandwidth, flops, units, lanesPerUnit, sources } of Object.values(profiles)) {
    const clock = flops / (units * lanesPerUnit * 2);
    expect(clock, name).toBeGreaterThan(0.7e9);
    expect(clock, name).toBeLessThan(2.8e9);
    expect(flops / bandwidth, name).toBeGreaterThan(15);
    expect(flops / bandwidth, name).toBeLessThan(100);
    expect(Object.keys(sources), name).toEqual(['bandwidth', 'flops', 'units']);
    for (const source of [label, ...Object.values(sources)]) expect(source.length, name).toBeGreaterThan(5);
  }
});

test('the text has the operations of the plan, with figures of one width in front', () => {
  const program = programFor('neural', { rows: 30, cols: 20, ranks: [5, 2] });
  const plan = planText(program, factsOfProfiles).split('\n');
  const [title, peaks, , , heads, ...rows] = costText(program, 'radeon-780m').split('\n');
  expect(title).toBe(plan[0]);
  expect(peaks).toBe('on AMD Radeon 780M: 120 GB/s, 8.29 TFLOP/s, 12 units, 5 µs a dispatch');
  expect(heads).toMatch(/^ *bytes +requested +operations +bound$/);
  const texts = rows.map((line) => line.slice(heads.length).replace(/, [\d.]+ %$/, ''));
  expect(texts.map((text) => text.trim())).toEqual(plan.slice(1).flatMap((line) => line.trim().split('; ')));
  for (const line of rows) expect(line.slice(0, heads.length)).toMatch(/^ *$|^ *[\d.]+ k?B +[\d.]+ k?B +([\d.]+( k)?|–) +[\d.]+ µs$/);
});

test('16-bit inputs take half the bytes of X', () => {
  const program = programFor('nmf', { rows: 24, cols: 40, ranks: 8, solver: 'mu' });
  const bytes = (halfInputs: boolean) => costOf(program, 'iris-xe', { forced, halfInputs }).step0.bytes;
  expect(bytes(false) - bytes(true)).toBe(3840);
});

test('an unknown profile is an error that lists those there are', async () => {
  const program = programFor('nmf', { rows: 9, cols: 8, ranks: 2 });
  for (const name of ['gtx-480', 'constructor', undefined]) {
    const attempt = () => costText(program, name as string);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(`there are ${Object.keys(profiles).join(', ')}`);
  }
  expect(profileOf(profiles['m4-max'])).toBe(profiles['m4-max']);
  await expect(createReferenceEngine().plan(program, { profile: 'm4-max' })).rejects.toThrow(/has no kernels .*costText/);
});
