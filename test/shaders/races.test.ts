/**
 * Kernels with barriers, invocation by invocation in lockstep (the race detector of wgsl_reflect, which needs no device): between two
 * barriers no two invocations of a workgroup touch the same memory unless both read it. Writing a component of a vector counts as writing
 * the vector, as WGSL has it (compilers for HLSL store the whole of it).
 */
import { describe, expect, test } from 'vitest';
import { detectRaces } from 'wgsl_reflect/wgsl_reflect.module.js';
import { programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
import { sizeBytes, specialise } from '../../src/webgpu/device/specialise.js';
import { byteLength } from '../../src/webgpu/layout/layout.js';
import type { Dispatch } from '../../src/webgpu/lower/dispatch.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { adapters } from '../plans/dump.js';
import { codes } from '../support/codes.js';

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

test('the kernels with barriers are these', () => {
  const found = Object.entries(codes).filter(([, code]) => /Barrier\(|workgroupUniformLoad|var<workgroup>|atomic/.test(code));
  expect(found.map(([kernel]) => kernel)).toEqual([
    'matmul/tiled',
    'nnls/masked-solve-group',
    'nnls/solve-group',
    'reduce/fold-group',
    'residual/choice',
    'residual/chosen',
    'residual/terms',
    'update/hals-group',
  ]);
});

/**
 * The detector keeps one result of a function for all invocations, and does not know workgroupUniformLoad. So it cannot follow the solves,
 * whose lanes get their places from functions; the sweep it can.
 */
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
    expect((await racesOf(dispatch, (code) => code.replaceAll('workgroupBarrier();', ''))).races.length).toBeGreaterThan(0);
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
    expect((await racesOf(fold(), (code) => code.replaceAll('workgroupBarrier();', ''))).races.length).toBeGreaterThan(0);
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
      expect((await racesOf(dispatch, (code) => code.replaceAll('workgroupBarrier();', ''))).races.length).toBeGreaterThan(0);
    },
  );
});
