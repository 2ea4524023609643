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
import { codes } from '../../src/webgpu/shaders.generated.js';
import { adapters } from '../plans/dump.js';

/** A kernel of one workgroup and more than one slice of the inner dimension, so that barriers of one slice meet those of the next. */
function tiled(transposeA: boolean, transposeB: boolean): Dispatch {
  const [rows, inner, cols] = [9, 20, 7];
  const p = programBuilder('tiled');
  const A = p.input('A', transposeA ? inner : rows, transposeA ? rows : inner);
  const B = p.input('B', transposeB ? cols : inner, transposeB ? inner : cols);
  p.section('all', () => p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B));
  const [dispatch] = dispatchesOf(lowerProgram(p.build(), adapters.hardware, { matmul: 'tiled', splits: 1 }).sections);
  return dispatch;
}

function racesOf({ kernel, constants, bindings, workgroups }: Dispatch, change = (code: string) => code) {
  // The detector clamps no index: there is room for the whole tile of 64×64 that invocations read before they drop what lies outside.
  const buffers = bindings.map((bound) => new ArrayBuffer(64 * 64 * 4 + ('scratch' in bound ? bound.bytes : byteLength(bound))));
  const group = Object.fromEntries([...buffers, { uniform: sizeBytes(kernel, constants) }].map((buffer, i) => [i, buffer]));
  return detectRaces(change(specialise(kernel, constants)), 'main', [...workgroups], { 0: group });
}

test('the kernels with barriers are these', () => {
  const found = Object.entries(codes).filter(([, code]) => /Barrier\(|workgroupUniformLoad|var<workgroup>|atomic/.test(code));
  expect(found.map(([kernel]) => kernel)).toEqual(['matmul/tiled', 'reduce/fold-group']);
});

describe('matmul/tiled', () => {
  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('has no race, transposes %s and %s', (transposeA, transposeB) => {
    const dispatch = tiled(transposeA, transposeB);
    expect(dispatch.kernel).toBe('matmul/tiled');
    const { races, errors } = racesOf(dispatch);
    expect(errors).toEqual([]);
    expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
  });

  test.each([0, 1])('would have one without barrier %i', (number) => {
    let seen = 0;
    const without = (code: string) => code.replaceAll('workgroupBarrier();', (barrier) => (seen++ === number ? '' : barrier));
    expect(racesOf(tiled(true, false), without).races.length).toBeGreaterThan(0);
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

  test('has no race', () => {
    const { races, errors } = racesOf(fold());
    expect(errors).toEqual([]);
    expect(races.slice(0, 3).map(({ message }) => message)).toEqual([]);
  });

  test('would have one without its barriers', () => {
    expect(racesOf(fold(), (code) => code.replaceAll('workgroupBarrier();', '')).races.length).toBeGreaterThan(0);
  });
});
