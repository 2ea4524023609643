/**
 * Kernels with barriers, invocation by invocation in lockstep (the race detector of wgsl_reflect, which needs no device): between two
 * barriers no two invocations of a workgroup touch the same memory unless both read it. Writing a component of a vector counts as writing
 * the vector, as WGSL has it (compilers for HLSL store the whole of it).
 */
import { describe, expect, test } from 'vitest';
import { detectRaces } from 'wgsl_reflect/wgsl_reflect.module.js';
import { random } from '../../src/data/random.js';
import { programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { sizeBytes, specialise } from '../../src/webgpu/device/specialise.js';
import { byteLength, pad } from '../../src/webgpu/layout/layout.js';
import type { Dispatch } from '../../src/webgpu/lower/dispatch.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { simplexProblemOf } from '../cases/simplex.js';
import { problemOf, termsOf } from '../cases/solves.js';
import type { Entries } from '../cases/support.js';
import { adapters } from '../plans/dump.js';
import { codes } from '../support/codes.js';
import { lockstep } from '../support/lockstep.js';

/**
 * A product of one workgroup, staged more than once, so that barriers of one round meet those of the next: 64 or 32 invocations for 16×16
 * or 8×8 entries, of which four or eight share a block.
 */
function tiled(transposeA: boolean, transposeB: boolean, norm = false): Dispatch {
  const [rows, inner, cols] = [7, 140, 6];
  const p = programBuilder('tiled');
  if (norm) {
    const [X, A, Z] = [p.input('X', rows, cols), p.input('A', rows, inner), p.input('Z', inner, cols)];
    p.section('all', () => p.residualNorm(X, A, Z));
    return dispatchesOf(lowerProgram(p.build(), adapters.hardware, small).sections)[0];
  }
  const A = p.input('A', transposeA ? inner : rows, transposeA ? rows : inner);
  const B = p.input('B', transposeB ? cols : inner, transposeB ? inner : cols);
  p.section('all', () => p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B));
  const [dispatch] = dispatchesOf(lowerProgram(p.build(), adapters.hardware, small).sections);
  return dispatch;
}

const small = { matmul: 'tiled', blocks: [2, 2], splits: 1 } as const;

async function racesOf({ kernel, constants, bindings, workgroups }: Dispatch, change = (code: string) => code) {
  // The detector clamps no index: there is room for the whole tile of 64×64 that invocations read before they drop what lies outside.
  const buffers = bindings.map((bound) => new ArrayBuffer(64 * 64 * 4 + ('scratch' in bound ? bound.bytes : byteLength(bound))));
  const group = Object.fromEntries([...buffers, { uniform: sizeBytes(kernel, constants) }].map((buffer, i) => [i, buffer]));
  return detectRaces(change(await specialise(kernel, constants)), 'main', [...workgroups], { 0: group });
}

/** The race of a kernel with each of its barriers gone, by their numbers: a barrier without one is not needed. */
async function racesWithoutEach(dispatch: Dispatch): Promise<number[]> {
  const count = (await specialise(dispatch.kernel, dispatch.constants)).split('workgroupBarrier();').length - 1;
  const found: number[] = [];
  for (let number = 0; number < count; number++) {
    let seen = 0;
    const without = (code: string) => code.replaceAll('workgroupBarrier();', (barrier) => (seen++ === number ? '' : barrier));
    found.push((await racesOf(dispatch, without)).races.length);
  }
  return found;
}

test('the kernels with barriers are these', () => {
  const found = Object.entries(codes).filter(([, code]) => /Barrier\(|workgroupUniformLoad|var<workgroup>|atomic/.test(code));
  expect(found.map(([kernel]) => kernel)).toEqual([
    'matmul/tiled',
    'nnls/log-det-group',
    'nnls/masked-solve-group',
    'nnls/simplex-group',
    'nnls/solve-group',
    'reduce/fold-group',
    'residual/choice',
    'residual/chosen',
    'residual/terms',
    'update/hals-group',
  ]);
});

/** The races of dispatches by lockstep.ts, and what a tensor holds after them, padded. */
async function run(dispatches: readonly Dispatch[], given: ReadonlyMap<Tensor, Entries>, change = (code: string) => code) {
  const buffers = new Map<Tensor, Float32Array>();
  for (const [tensor, entries] of given) buffers.set(tensor, Float32Array.from(pad(tensor, Float32Array.from(entries))));
  const races: string[] = [];
  for (const { kernel, constants, bindings, workgroups } of dispatches) {
    const bound = bindings.map((own) => {
      if ('scratch' in own) return new Float32Array(own.bytes / 4);
      const buffer = buffers.get(own as Tensor) ?? new Float32Array(byteLength(own as Tensor) / 4);
      buffers.set(own as Tensor, buffer);
      return buffer;
    });
    races.push(...lockstep(change(await specialise(kernel, constants)), constants, bound, workgroups));
  }
  return { races, held: (tensor: Tensor) => buffers.get(tensor)! };
}

/** That there is a race with each barrier gone, of a problem whose supports are large enough: in one of one unknown nobody waits for another. */
async function expectBarriersNeeded(dispatches: readonly Dispatch[], values: ReadonlyMap<Tensor, Entries>, spill: boolean) {
  const any = /workgroupBarrier\(\);|storageBarrier\(\);/g;
  const barriers = (await specialise(dispatches[0].kernel, dispatches[0].constants)).match(any)!;
  expect(barriers.length).toBeGreaterThan(2);
  for (const number of barriers.keys()) {
    if (barriers[number] === 'storageBarrier();' && !spill) continue;
    let seen = 0;
    const { races } = await run(dispatches, values, (text) => text.replaceAll(any, (one) => (seen++ === number ? '' : one)));
    expect(races.length, `barrier ${number}`).toBeGreaterThan(0);
  }
}

/**
 * The detector of wgsl_reflect keeps one result of a function for all invocations, and does not know workgroupUniformLoad. So it cannot
 * follow the solves, whose lanes get their places from functions; lockstep.ts can. Its results are those of the reference, and it also sees
 * invocations that do not meet at a barrier and entries outside of memory.
 */
describe.each([
  { name: 'four columns of a workgroup', k: 5, cols: 6, restarts: 2 },
  { name: 'a Gram matrix for every column, warm', k: 7, cols: 5, restarts: 1, perColumn: true, warm: true },
  { name: 'one column of a workgroup, its factor partly in scratch memory', k: 33, cols: 8, restarts: 2, spill: true },
  { name: 'the active set after one round', k: 6, cols: 4, restarts: 1, pivots: 1 },
])('solves by groups of lanes, $name', ({ k, cols, restarts, perColumn = false, warm = false, spill = false, pivots }) => {
  const seed = 1 + Math.floor(1e6 * Math.random());
  // Less room than the factor of 33 unknowns takes, 2.2 KiB, beside the arrays of 64 lanes.
  const facts = spill ? { ...adapters.hardware, maxWorkgroupStorage: 3000 } : adapters.hardware;
  const p = programBuilder('group', { restarts });
  const batched = { batched: true };
  const [G, B] = [p.input('G', perColumn ? k * k : k, perColumn ? cols : k, batched), p.input('B', k, cols, batched)];
  const [S, gradient, beta] = [p.state('S', k, cols), p.input('gradient', k, cols, batched), p.state('beta', k, cols)];
  p.section('solve', () => void p.nnls(G, B, S, { warm }));
  p.section('back', () => void p.maskedSolve(G, S, gradient, { into: beta }));
  const program = p.build();
  // Scratch memory for the rest of the factors of three columns of sixteen: the last dispatch has less to do than the others.
  const rest = 3 * 4 * 200;
  const { sections } = lowerProgram(program, facts, { group: true, ...(pivots && { pivots }), ...(spill && { spillBytes: rest }) });
  const [solve, back] = ['solve', 'back'].map((name) => sections.get(name)!.flatMap((step) => step.dispatches));
  const valuesOf = (own: number) => {
    const problem = problemOf(random(own), { k, cols, restarts, perColumn });
    return new Map<Tensor, Entries>([
      [G, problem.G],
      [B, problem.B],
      [S, problem.S.map((s, i) => (i % 3 === 0 ? 0 : s))],
      [gradient, problem.B],
    ]);
  };

  test('no race, and the results of the reference', async () => {
    expect(solve[0].kernel).toBe('nnls/solve-group');
    expect(back[0].kernel).toBe('nnls/masked-solve-group');
    expect(solve[0].constants.SPILL).toBe(spill);
    expect(spill && 16 % Number(back[0].constants.LANES) > 0).toBe(spill);
    const values = valuesOf(seed);
    const first = await run(solve, values);
    expect(first.races, `seed ${seed}`).toEqual([]);
    const engine = createReferenceEngine();
    using own = await engine.prepare(program);
    for (const [tensor, value] of values) own.write(tensor, value);
    own.execute('solve');
    own.execute('back');
    const [expected, expectedBack] = await own.sample([S, beta]);
    const off = Math.max(...pad(S, expected).map((one, i) => Math.abs(one - first.held(S)[i])));
    expect(off, `seed ${seed}`).toBeLessThan(termsOf(k) * 2 ** -24);
    const second = await run(back, new Map([...values, [S, expected]]));
    expect(second.races, `seed ${seed}`).toEqual([]);
    const offBack = Math.max(...pad(beta, expectedBack).map((one, i) => Math.abs(one - second.held(beta)[i])));
    expect(offBack, `seed ${seed}`).toBeLessThan(termsOf(k) * 2 ** -24 * 10);
  });

  // There are no rounds then, and so no barriers, between what lanes read before a solve and what they leave after it.
  test('no race where no column has a support, warm from one or not', async () => {
    const values = valuesOf(seed);
    values.set(
      B,
      values.get(B)!.map((b) => -1 - Math.abs(b)),
    );
    const none = values.get(S)!.map(() => 0);
    for (const start of [values.get(S)!, none]) {
      const { races, held } = await run(solve, new Map([...values, [S, start]]));
      expect(races, `seed ${seed}`).toEqual([]);
      expect(
        held(S).every((s) => s === 0),
        `seed ${seed}`,
      ).toBe(true);
    }
    const { races, held } = await run(back, new Map([...values, [S, none]]));
    expect(races, `seed ${seed}`).toEqual([]);
    expect(
      held(beta).every((b) => b === 0),
      `seed ${seed}`,
    ).toBe(true);
  });

  test('without any one of its barriers there would be a race', () => expectBarriersNeeded(solve, valuesOf(1), spill));
});

describe.each([
  { name: 'four columns of a workgroup, and padding', k: 5, cols: 6, restarts: 2 },
  { name: 'a Gram matrix for every column, warm', k: 7, cols: 5, restarts: 1, perColumn: true, warm: true },
  { name: 'one column of a workgroup, its factor partly in scratch memory', k: 33, cols: 2, restarts: 1, spill: true },
  { name: 'the active set after one round', k: 6, cols: 4, restarts: 1, pivots: 1 },
])('solves on the simplex by groups of lanes, $name', ({ k, cols, restarts, perColumn = false, warm = false, spill = false, pivots }) => {
  const seed = 1 + Math.floor(1e6 * Math.random());
  const facts = spill ? { ...adapters.hardware, maxWorkgroupStorage: 3500 } : adapters.hardware;
  const p = programBuilder('simplex', { restarts });
  const [G, B] = [p.input('G', perColumn ? k * k : k, perColumn ? cols : k, { batched: true }), p.input('B', k, cols, { batched: true })];
  const S = p.state('S', k, cols);
  p.section('solve', () => void p.simplex(G, B, S, { warm }));
  const program = p.build();
  const rest = 3 * 4 * 200;
  const { sections } = lowerProgram(program, facts, { group: true, ...(pivots && { pivots }), ...(spill && { spillBytes: rest }) });
  const solve = sections.get('solve')!.flatMap((step) => step.dispatches);
  const valuesOf = (own: number) => {
    const r = random(own);
    const problem = simplexProblemOf(r, { k, cols, restarts, perColumn });
    const start = Float32Array.from({ length: k * cols * restarts }, () => (r.uniform() < 0.5 ? 0 : r.uniform()));
    return new Map<Tensor, Entries>([
      [G, problem.G],
      [B, problem.B],
      [S, start],
    ]);
  };

  test('no race, and the results of the reference', async () => {
    expect(solve[0].kernel).toBe('nnls/simplex-group');
    expect(solve[0].constants.SPILL).toBe(spill);
    const values = valuesOf(seed);
    const { races, held } = await run(solve, values);
    expect(races, `seed ${seed}`).toEqual([]);
    using own = await createReferenceEngine().prepare(program);
    for (const [tensor, value] of values) own.write(tensor, value);
    own.execute('solve');
    const [expected] = await own.sample([S]);
    const off = Math.max(...pad(S, expected).map((one, i) => Math.abs(one - held(S)[i])));
    expect(off, `seed ${seed}`).toBeLessThan(1.1 * termsOf(k) * 2 ** -24);
  });

  test('without any one of its barriers there would be a race', () => expectBarriersNeeded(solve, valuesOf(1), spill));
});

test('nnls/log-det-group has no race, and each of its barriers is needed', async () => {
  const [k, restarts] = [7, 6];
  const p = programBuilder('log det', { restarts });
  const G = p.input('G', k, k, { batched: true });
  const out = p.state('out', 1, 1);
  p.section('all', () => void p.logDet(G, { into: out }));
  const program = p.build();
  const dispatches = dispatchesOf(lowerProgram(program, adapters.hardware, { group: true }).sections);
  expect(dispatches[0].kernel).toBe('nnls/log-det-group');
  const r = random(1);
  const dominant = Float32Array.from({ length: k * k * restarts }, (_, at) => ((at % (k * k)) % (k + 1) === 0 ? 2 + r.uniform() : 0));
  const values = new Map<Tensor, Entries>([[G, dominant]]);
  const { races, held } = await run(dispatches, values);
  expect(races).toEqual([]);
  for (let restart = 0; restart < restarts; restart++) {
    const own = dominant.subarray(restart * k * k, (restart + 1) * k * k).filter((g) => g > 0);
    const expected = own.reduce((sum, g) => sum + Math.log(g), 0);
    expect(Math.abs(held(out)[(restart * held(out).length) / restarts] - expected)).toBeLessThan(4 * k * 2 ** -24 * expected);
  }
  await expectBarriersNeeded(dispatches, values, false);
});

describe('update/hals-group', () => {
  test('has no race, and would have one without its barriers', async () => {
    const p = programBuilder('group');
    const [G, B, F] = [p.input('G', 5, 5), p.input('B', 5, 6), p.state('F', 5, 6)];
    p.section('all', () => p.halsUpdate(F, G, B, { of: 'columns', layer: 0 }));
    const [dispatch] = dispatchesOf(lowerProgram(p.build(), adapters.hardware, { group: true }).sections);
    expect(dispatch.kernel).toBe('update/hals-group');
    const { races, errors } = await racesOf(dispatch);
    expect(errors).toEqual([]);
    expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
    expect(await racesWithoutEach(dispatch)).toSatisfy((all: number[]) => all.length === 3 && all.every((races) => races > 0));
  });
});

describe('matmul/tiled', () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('has no race, transposes %s and %s', async (transposeA, transposeB) => {
    const dispatch = tiled(transposeA, transposeB);
    expect(dispatch.kernel).toBe('matmul/tiled');
    const { races, errors } = await racesOf(dispatch);
    expect(errors).toEqual([]);
    expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
  });

  test('has no race where it keeps only squares', async () => {
    const { races, errors } = await racesOf(tiled(false, false, true));
    expect(errors).toEqual([]);
    expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
  });

  test.each([0, 1, 2, 3, 4, 5])('would have one without barrier %i', async (number) => {
    let seen = 0;
    const without = (code: string) => code.replaceAll('workgroupBarrier();', (barrier) => (seen++ === number ? '' : barrier));
    expect((await racesOf(tiled(true, false, number > 3), without)).races.length).toBeGreaterThan(0);
  });
});

describe('reduce/fold-group', () => {
  const fold = () => {
    const p = programBuilder('fold');
    const X = p.input('X', 33, 12);
    p.section('all', () => p.reduce(X, 'sum'));
    const [dispatch] = dispatchesOf(lowerProgram(p.build(), adapters.hardware).sections);
    expect(dispatch.kernel).toBe('reduce/fold-group');
    return dispatch;
  };

  test('has no race', async () => {
    const { races, errors } = await racesOf(fold());
    expect(errors).toEqual([]);
    expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
  });

  test('would have one without its barriers', async () => {
    expect(await racesWithoutEach(fold())).toSatisfy((all: number[]) => all.length > 0 && all.every((races) => races > 0));
  });
});

describe('residuals by Gram matrices', () => {
  const dispatches = () => {
    const [N, M, k, restarts] = [12, 140, 5, 2];
    const p = programBuilder('gram', { restarts });
    const X = p.input('X', N, M);
    const [A, Z, cost, H] = [p.state('A', N, k), p.state('Z', k, M), p.state('cost', 1, 1), p.state('H', k, M)];
    p.section('all', () => {
      const [G, B] = [p.gram(A), p.matmul(T(A), X)];
      p.matmul(G, Z, { scale: -1, add: B, into: H });
      p.residualNorm(X, A, Z, { into: cost, fall: 1e-5 });
    });
    return dispatchesOf(lowerProgram(p.build(), adapters.hardware, { gram: true }).sections);
  };

  test.each(['residual/terms', 'residual/choice', 'residual/chosen'])(
    '%s has no race, and would have one without its barriers',
    async (kernel) => {
      const dispatch = dispatches().find((one) => one.kernel === kernel)!;
      const { races, errors } = await racesOf(dispatch);
      expect(errors).toEqual([]);
      expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
      expect(await racesWithoutEach(dispatch)).toSatisfy((all: number[]) => all.length > 0 && all.every((races) => races > 0));
    },
  );
});
