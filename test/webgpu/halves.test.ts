import { afterAll, describe, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { InputError } from '../../src/errors.js';
import { programBuilder } from '../../src/graph/program.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { programFor } from '../../src/methods/program-for.js';
import { nnls } from '../../src/methods/q.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { transform } from '../../src/models/apply.js';
import { createEngine } from '../../src/node/engine.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { fromHalf, toHalf } from '../../src/webgpu/layout/halves.js';
import { lendDevice } from '../support/devices.js';

describe('16-bit floats', () => {
  test('every pattern of a finite one comes back as it was', () => {
    for (let half = 0; half < 0x10000; half++) {
      if ((half & 0x7c00) === 0x7c00) continue;
      expect(toHalf(fromHalf(half))).toBe(half);
    }
  });

  test('others go to the nearest, ties to even', () => {
    const r = random(3);
    for (let i = 0; i < 20_000; i++) {
      const value = Math.fround((r.uniform() - 0.5) * 10 ** (10 * r.uniform() - 6));
      const half = toHalf(value);
      const [below, at, above] = [half - 1, half, half + 1].map((near) => Math.abs(fromHalf(near) - value));
      const isEdge = (half & 0x7fff) === 0 || (half & 0x7fff) >= 0x7bff;
      if (isEdge) continue;
      expect(at).toBeLessThanOrEqual(Math.min(below, above));
      if (at === below || at === above) expect(half & 1).toBe(0);
    }
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, -(2 ** -25), 65_519].map((value) => fromHalf(toHalf(value)))).toEqual([
      1,
      1 + 2 ** -9,
      -0,
      65_504,
    ]);
  });

  test('what they cannot hold is refused with the way out', () => {
    for (const value of [65_520, -1e6, Number.POSITIVE_INFINITY, Number.NaN]) expect(() => toHalf(value)).toThrow(InputError);
    expect(() => toHalf(1e6)).toThrow(/65504.*1000000.*halfInputs/);
  });
});

describe('on this adapter', () => {
  const engines = new Map<boolean, Promise<Engine>>();
  const engineWith = (halfInputs: boolean) => {
    const engine = engines.get(halfInputs) ?? createEngine({ halfInputs });
    engines.set(halfInputs, engine);
    return engine;
  };
  afterAll(async () => {
    for (const engine of await Promise.all(engines.values())) engine.dispose();
  });

  test('with entries that halves hold exactly nothing changes, bit for bit', async () => {
    const [full, half] = await Promise.all([engineWith(false), engineWith(true)]);
    const r = random(5);
    // Widths of all remainders: pairs of vec4 straddle rows where a row has an odd number of them.
    for (const [N, M] of [
      [61, 53],
      [33, 90],
      [40, 3],
    ]) {
      const X = matrix(
        N,
        M,
        Float32Array.from({ length: N * M }, () => Math.floor(r.uniform() * 1024) / 512),
      );
      for (const solver of ['mu', 'hals', 'anls'] as const) {
        const options = { ranks: 3, solver, restarts: 2, maxIterations: 7, tolerance: 0, seed: 1, svdBound: false };
        const [a, b] = [await nmf(full, X, options), await nmf(half, X, options)];
        expect(b.A).toEqual(a.A);
        expect(b.S).toEqual(a.S);
        expect(b.relativeError).toBe(a.relativeError);
      }
    }
    const X = matrix(
      61,
      53,
      Float32Array.from({ length: 61 * 53 }, () => Math.floor(r.uniform() * 1024) / 512),
    );
    const options = { ranks: [6, 3], restarts: 2, maxIterations: 10, seed: 2, svdBound: false };
    expect((await neuralNmf(half, X, options)).S).toEqual((await neuralNmf(full, X, options)).S);
  });

  test('other entries are rounded, which moves the relative error by no more than that; too large ones are refused', async () => {
    const [full, half] = await Promise.all([engineWith(false), engineWith(true)]);
    const r = random(6);
    const X = matrix(
      30,
      21,
      Float32Array.from({ length: 630 }, () => r.uniform() * 1e4),
    );
    const options = { ranks: 4, solver: 'mu', maxIterations: 20, tolerance: 0, seed: 1, svdBound: false } as const;
    const [a, b] = [await nmf(half, X, options), await nmf(full, X, options)];
    expect(a.S).not.toEqual(b.S);
    expect(Math.abs(a.relativeError - b.relativeError)).toBeLessThan(2 ** -11);
    // The unit of X does not matter, but an entry 65,504 times the others does.
    const small = await nmf(half, matrix(2, 2, [1, 2, 3, 7e4]), { ranks: 1 });
    expect(small.relativeError).toBeLessThan(1e-3);
    const outlier = Float32Array.from({ length: 90_000 }, (_, at) => (at === 7 ? 1e9 : 1));
    await expect(nmf(half, matrix(300, 300, outlier), { ranks: 1 })).rejects.toThrow(InputError);
  });

  test('X takes half the bytes; sparse X is left alone; the plan says what is stored so', async () => {
    const [full, half] = await Promise.all([engineWith(false), engineWith(true)]);
    const program = programFor('nmf', { rows: 400, cols: 320, ranks: [4] });
    const bytes = async (engine: Engine) => {
      const before = engine.liveBytes;
      const run = await engine.prepare(program);
      const taken = engine.liveBytes - before;
      run.dispose();
      return taken;
    };
    expect((await bytes(full)) - (await bytes(half))).toBe(400 * 320 * 2);
    expect(half.plan(program)).toMatch(/X as 16-bit floats/);
    expect(full.plan(program)).not.toMatch(/16-bit/);
    const r = random(7);
    const dense = matrix(
      30,
      20,
      Float32Array.from({ length: 600 }, () => (r.uniform() < 0.2 ? r.uniform() : 0)),
    );
    const options = { ranks: 3, maxIterations: 5, seed: 1, svdBound: false };
    const sparse = sparseFromDense(dense);
    const [a, b] = [await nmf(half, sparse, options), await nmf(full, sparse, options)];
    expect(a.S).toEqual(b.S);
    expect((await transform(half, a, sparse))[0]).toEqual((await transform(full, b, sparse))[0]);
    expect(await nnls(half, dense, a.A[0])).toEqual(await nnls(full, dense, b.A[0]));
    const codes = { ranks: [4], maxIterations: 3, seed: 1, svdBound: false };
    expect((await sparseCoding(half, sparse, codes)).S).toEqual((await sparseCoding(full, sparse, codes)).S);
  });

  test.each(['mu', 'anls'] as const)('in panels X stays f32, and where squares are summed in parts it need not: %s', async (solver) => {
    const r = random(8);
    const options = { ranks: 4, solver, restarts: 3, maxIterations: 4, tolerance: 0, seed: 1, svdBound: false };
    for (const [N, M, bindingBytes] of [
      [150, 40, 4096],
      [80, 17, 4096],
      [81, 23, 8192],
    ]) {
      const X = matrix(
        N,
        M,
        Float32Array.from({ length: N * M }, () => Math.floor(r.uniform() * 1024) / 512),
      );
      const forced = { bindingBytes, matmul: 'register' } as const;
      const fits = [];
      for (const halfInputs of [false, true]) {
        using engine = await createEngine({ halfInputs, forced });
        fits.push(await nmf(engine, X, options));
      }
      // Which tensor is in panels may differ, and with it the order of sums.
      const [a, b] = fits;
      expect(Math.abs(a.relativeError - b.relativeError)).toBeLessThan(1e-4);
    }
  });

  test('a tuning is of f32 whatever the engine stores', async () => {
    using engine = await createEngine({ halfInputs: true });
    const { entries } = await engine.tune({ problems: [{ rows: 40, cols: 24, rank: 3 }], repeats: 1 });
    using plain = await createEngine();
    expect(entries.length).toBe((await plain.tune({ problems: [{ rows: 40, cols: 24, rank: 3 }], repeats: 1 })).entries.length);
  });

  test('decoded by integers every finite half is itself, the smallest too', async () => {
    using engine = await createEngine({ halfInputs: true, forced: { halfDecoding: 'integers' } });
    const finite = Array.from({ length: 0x10000 }, (_, half) => half).filter((half) => (half & 0x7c00) !== 0x7c00);
    const p = programBuilder('decoded');
    const X = p.data('X', 1, finite.length);
    // A device may take small results for 0: those of subnormal halves times 2^10 are not small.
    const A = p.input('A', 1, 1);
    const B = p.state('B', 1, finite.length);
    p.section('all', () => p.matmul(A, X, { into: B }));
    const run = await engine.prepare(p.build());
    run.write(X, finite.map(fromHalf));
    run.write(A, [1024]);
    run.execute('all');
    const decoded = await run.read(B);
    finite.forEach((half, i) => {
      if (decoded[i] !== 1024 * fromHalf(half)) throw new Error(`${half} is ${decoded[i] / 1024}, not ${fromHalf(half)}`);
    });
  });

  test('a device that refuses unpack2x16float decodes by integers, and never sees the name', async () => {
    const r = random(9);
    const X = matrix(
      61,
      53,
      Float32Array.from({ length: 61 * 53 }, () => Math.floor(r.uniform() * 1024) / 512),
    );
    const options = { ranks: 3, maxIterations: 7, tolerance: 0, seed: 1, svdBound: false };
    const device = await lendDevice();
    const { createShaderModule } = device;
    const modules: string[] = [];
    device.createShaderModule = (descriptor) => {
      modules.push(descriptor.code);
      const code = descriptor.code.includes('unpack2x16float(') ? 'refused' : descriptor.code;
      return createShaderModule.call(device, { ...descriptor, code });
    };
    const names = () => modules.filter((code) => code.includes('unpack2x16float(')).length;
    const engine = await createWebGpuEngine({ device, halfInputs: true });
    expect(names()).toBe(1); // the probe
    const byIntegers = await nmf(engine, X, options);
    expect(names()).toBe(1);
    const plain = await createWebGpuEngine({ device });
    expect((await nmf(plain, X, options)).S).toEqual(byIntegers.S);
    expect(names()).toBe(1);
    engine.dispose();
    plain.dispose();
    device.createShaderModule = (descriptor) => {
      modules.push(descriptor.code);
      return createShaderModule.call(device, descriptor);
    };
    const builtIn = await createWebGpuEngine({ device, halfInputs: true });
    expect((await nmf(builtIn, X, options)).S).toEqual(byIntegers.S);
    expect(names()).toBeGreaterThan(2);
    builtIn.dispose();
  });

  test('the f64 reference has no such storage and says so', async () => {
    await expect(createEngine({ prefer: 'cpu', halfInputs: true })).rejects.toThrow(InputError);
  });
});
