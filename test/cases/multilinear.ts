/** Operations of tensors of several modes. Those of tensors in coordinates also against the reference run densely on the same entries. */
import { random } from '../../src/data/random.js';
import type { SparseTensor } from '../../src/data/tensors.js';
import type { Engine } from '../../src/engine.js';
import { programBuilder } from '../../src/graph/program.js';
import { eachMode, squaredError } from '../../src/programs/mttkrp.js';
import { type NcpSolver, ncpProgram, ncpSolvers } from '../../src/programs/ncp.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { denseEntries, drawnTensor } from '../support/tensors.js';
import { type Case, differential, expectAtMost, expectClose, kernelsOf, seedOf, signedEntries, spoil, unit } from './support.js';

/** Tensors of three restarts whose modes have odd sizes; R is below, at and above a multiple of four. */
const shapes = [
  { I: 1, J: 7, R: 1 },
  { I: 13, J: 5, R: 7 },
  { I: 3, J: 257, R: 4 },
];

const dense: Case[] = shapes.flatMap(({ I, J, R }) => [
  differential(
    `Khatri–Rao product ${I}×${R}, ${J}×${R}`,
    (p, r) => {
      const A = p.input('A', I, R, { batched: true });
      const B = p.input('B', J, R);
      const out = p.state('out', I * J, R);
      p.section('all', () => p.khatriRao(A, B, { into: out }));
      const values = new Map([
        [A, signedEntries(r, 3 * I * R)],
        [B, signedEntries(r, J * R)],
      ]);
      return { values, compare: [{ tensor: out, terms: 1 }] };
    },
    { restarts: 3 },
  ),
  ...(['first', 'last'] as const).map((mode) =>
    differential(
      `contraction of the ${mode} mode of ${I}·${J}×${R}`,
      (p, r) => {
        const X = p.input('X', I * J, R, { batched: true });
        const F = p.input('F', mode === 'first' ? I : J, R, { batched: true });
        const out = p.state('out', mode === 'first' ? J : I, R);
        p.section('all', () => p.contract(X, F, mode, { into: out }));
        const values = new Map([
          [X, signedEntries(r, 3 * I * J * R)],
          [F, signedEntries(r, 3 * F.rows * R)],
        ]);
        return { values, compare: [{ tensor: out, terms: F.rows }] };
      },
      { restarts: 3 },
    ),
  ),
]);

type Pattern = Parameters<typeof drawnTensor>[1];

const patterns: (Pattern & { R: number; shared?: number[] })[] = [
  { shape: [5, 7], entries: 20, R: 1 },
  { shape: [3, 4, 2], entries: 0, R: 4 },
  { shape: [13, 1, 9], entries: 60, R: 4, shared: [0] },
  { shape: [6, 11, 4, 3], entries: 130, R: 7, shared: [1, 3] },
  { shape: [3, 4, 2, 5, 3], entries: 200, R: 7, shared: [2] },
  { shape: [2, 3, 2, 3, 2, 4], entries: 150, R: 5 },
  // One line has all entries of a mode of size 1, or nearly all of a longer one. It goes on in about 70 tails.
  { shape: [1, 71, 83], entries: 5000, R: 4 },
  { shape: [91, 63, 3], entries: 5100, heavy: { mode: 2, index: 1 }, R: 3 },
  { shape: [67, 5, 1009], entries: 5200, heavy: { mode: 0, index: 66 }, R: 1 },
];

/** M_n of all modes and the squared error, in coordinates on the device and on the reference, and dense on the reference. */
function inCoordinates({ R, shared = [], ...pattern }: (typeof patterns)[number]): Case {
  const restarts = 3;
  const { shape } = pattern;
  const title = `products of ${shape.join('×')} with ${pattern.entries} entries in coordinates, R = ${R}`;
  const seed = seedOf(title);
  const written = (isDense: boolean) => {
    const r = random(seed);
    const content = drawnTensor(r, pattern);
    const p = programBuilder(title, { restarts });
    const X = p.dataTensor('X', shape, isDense ? {} : { cooEntries: content.values.length });
    const F = shape.map((size, n) => p.input(`F${n}`, size, R, { batched: !shared.includes(n) }));
    const out = shape.map((size, n) => p.state(`M${n}`, size, R));
    const error = p.state('error', 1, 1);
    p.section('all', () => {
      eachMode(p, X, F, (n, M) => p.copy(M, out[n]));
      squaredError(p, X, F, { into: error });
    });
    const factors = F.map((f) => signedEntries(r, f.rows * R * f.batch));
    return { program: p.build(), X, F, factors, read: [...out, error], content };
  };
  const result = async (on: Engine, isDense: boolean) => {
    const { program, X, F, factors, read, content } = written(isDense);
    using run = await on.prepare(program);
    spoil(run, program);
    run.write(X, isDense ? denseEntries(content) : content);
    for (const [n, f] of F.entries()) run.write(f, factors[n]);
    run.execute('all');
    return await run.sample(read);
  };
  return {
    name: title,
    kernels: (facts) => kernelsOf(written(false).program, facts),
    async run({ guarded }) {
      const engine = await guarded();
      const before = engine.liveBuffers;
      using reference = createReferenceEngine();
      const expected = await result(reference, true);
      const onDevice = await result(engine, false);
      const onReference = await result(reference, false);
      await engine.inspected();
      const places = shape.reduce((product, size) => product * size, 1);
      expected.forEach((values, n) => {
        const what = `${n < shape.length ? `M${n}` : 'error'} (seed ${seed})`;
        // Σx² and Σy² are about as large as the error: X and [[F]] have nothing to do with each other.
        const terms = n < shape.length ? pattern.entries / shape[n] + shape.length : places / Math.min(...shape) + shape.length;
        expectClose(what, onDevice[n], values, { terms: Math.max(...shape, terms) });
        expectClose(`${what} of the reference in coordinates`, onReference[n], values, { terms: 1e-12 });
      });
      if (engine.liveBuffers !== before) throw new Error(`${engine.liveBuffers - before} buffers were left behind.`);
    },
  };
}

/** X = [[F]]: what is left is rounding, which must not be negative, for its root is taken. */
const exactFit: Case = {
  name: 'squared errors of exact fits in coordinates are not negative',
  async run({ engine }) {
    const restarts = 16;
    const r = random(5);
    const shape = [11, 7, 5];
    const F = shape.map((size) => signedEntries(r, size));
    const X = drawnTensor(r, { shape, entries: 11 * 7 * 5 });
    X.values.forEach((_, e) => {
      X.values[e] = F.reduce((product, f, n) => product * f[X.coordinates[3 * e + n]], 1);
    });
    const p = programBuilder('exact', { restarts });
    const x = p.dataTensor('X', shape, { cooEntries: X.values.length });
    const tensors = shape.map((size, n) => p.input(`F${n}`, size, 1, { batched: n === 1 }));
    const out = p.state('out', 1, 1);
    p.section('all', () => squaredError(p, x, tensors, { into: out }));
    using run = await engine.prepare(p.build());
    run.write(x, X);
    // Within a rounding of the exact fit, on both sides of it.
    const near = Array.from({ length: restarts }, (_, i) => Array.from(F[1], (value) => value * (1 + (i - 8) * 2 ** -23))).flat();
    for (const n of [0, 1, 2]) run.write(tensors[n], n === 1 ? near : F[n]);
    run.execute('all');
    const norm = X.values.reduce((sum, value) => sum + value * value, 0);
    for (const value of await run.read(out)) {
      if (!(value >= 0)) throw new Error(`A squared norm is ${value}.`);
      expectClose('the norm of an exact fit', [value], [0], { terms: 11 * 7 * 5, scale: norm });
    }
  },
};

/** Some iterations of nonnegative CP from one start: in coordinates on the device, dense on the reference. */
function fit(solver: NcpSolver): Case {
  const [rank, restarts, iterations] = [3, 2, 4];
  const seed = 11;
  const result = async (on: Engine, isDense: boolean) => {
    const r = random(seed);
    const X: SparseTensor = drawnTensor(r, { shape: [9, 7, 5, 3], entries: 240 });
    X.values.forEach((x, e) => {
      X.values[e] = Math.abs(x);
    });
    const t = ncpProgram(X.shape, rank, { restarts, solver, tolerance: 1e-6, ...(isDense ? {} : { cooEntries: X.values.length }) });
    using run = await on.prepare(t.program);
    run.write(t.X, isDense ? denseEntries(X) : X);
    for (const f of t.F)
      run.write(
        f,
        Float32Array.from({ length: f.rows * f.cols * restarts }, () => 0.1 + r.uniform()),
      );
    run.execute('step', iterations);
    run.execute('measure');
    run.execute('finish');
    return await run.sample([...t.F, t.cost, ...t.kkt]);
  };
  return {
    name: `${iterations} iterations of ncp by ${solver} in coordinates`,
    async run({ engine }) {
      using reference = createReferenceEngine();
      const [onDevice, expected, inF64] = [await result(engine, false), await result(reference, true), await result(reference, false)];
      for (const [n, values] of expected.entries()) {
        // A step solves systems of condition below 1000; rounding of one is carried through the others.
        expectClose(`result ${n} (seed ${seed})`, onDevice[n], values, {
          terms: 240 * iterations * rank ** 2,
          scale: n > 4 ? 1 : undefined,
        });
        const scale = Math.max(...values.map(Math.abs));
        for (const [i, value] of values.entries())
          expectAtMost(
            `|difference| of result ${n} in f64 (seed ${seed})`,
            Math.abs(inF64[n][i] - value),
            unit * 1e-3 * Math.max(scale, n > 4 ? 1 : 0),
          );
      }
    },
  };
}

export const multilinear: Case[] = [...dense, ...patterns.map(inCoordinates), exactFit, ...ncpSolvers.map(fit)];
