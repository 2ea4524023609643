/** Residuals by Gram matrices: where they are planned, what a fit makes of them, what they cost. Their numbers: test/cases/gram-residual.ts. */
import { expect, test } from 'vitest';
import { tableOne } from '../../src/data/generate.js';
import { type Program, type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { programFor } from '../../src/methods/program-for.js';
import { createEngine } from '../../src/node/engine.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { columnNorms } from '../../src/webgpu/layout/column-norms.js';
import { pad } from '../../src/webgpu/layout/layout.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { planGramResidual } from '../../src/webgpu/plan/plan-hardware-products.js';
import { costOf } from '../../src/webgpu/plan-cost.js';
import { adapters } from '../plans/dump.js';

interface Pieces {
  X: Tensor;
  A: Tensor;
  Z: Tensor;
  other: Tensor;
  out: Tensor;
  into: Tensor;
}

/** The steps of a section that `write` writes, with Gram matrices wherever they can stand for a residual. */
function steps(write: (p: ProgramBuilder, t: Pieces) => void): string[] {
  const p = programBuilder('p', { restarts: 2 });
  const state = (label: string, rows: number, cols: number) => p.state(label, rows, cols);
  const X = p.data('X', 20, 30);
  const [A, Z, other] = [state('A', 20, 3), state('Z', 3, 30), state('other', 20, 3)];
  const [out, into] = [state('out', 1, 1), state('into', 3, 30)];
  p.section('all', () => write(p, { X, A, Z, other, out, into }));
  const { sections } = lowerProgram(p.build(), adapters.hardware, { gram: true, matmul: 'tiled' });
  return sections.get('all')!.map(({ step }) => step.kind);
}

const fall = 1e-5;

test('AᵀX, AᵀA and AᵀX − (AᵀA)Z at hand: the residual comes where the last of them is there', () => {
  const before = steps((p, { X, A, Z, out, into }) => {
    const [G, B] = [p.gram(A), p.matmul(T(A), X)];
    p.matmul(G, Z, { scale: -1, add: B, into });
    p.residualNorm(X, A, Z, { into: out, fall });
  });
  expect(before).toEqual(['gram', 'matmul', 'matmul', 'gramResidual']);
  const after = steps((p, { X, A, Z, other, out, into }) => {
    const [G, B] = [p.gram(A), p.matmul(T(A), X)];
    p.residualNorm(X, A, Z, { into: out, fall });
    p.gram(other);
    p.matmul(G, Z, { scale: -1, add: B, into });
    p.copy(into, Z);
  });
  expect(after).toEqual(['gram', 'matmul', 'gram', 'matmul', 'gramResidual', 'copy']);
});

test.each<[string, (p: ProgramBuilder, t: Pieces) => void]>([
  [
    'whose reader allows no rounding',
    (p, { X, A, Z, out, into }) => {
      const [G, B] = [p.gram(A), p.matmul(T(A), X)];
      p.matmul(G, Z, { scale: -1, add: B, into });
      p.residualNorm(X, A, Z, { into: out });
    },
  ],
  [
    'with weights',
    (p, { X, A, Z, out, into }) => {
      const [G, B] = [p.gram(A), p.matmul(T(A), X)];
      p.matmul(G, Z, { scale: -1, add: B, into });
      p.residualNorm(X, A, Z, { into: out, fall, W: p.input('W', 20, 30) });
    },
  ],
  [
    'of another factor',
    (p, { X, A, Z, other, out, into }) => {
      const [G, B] = [p.gram(other), p.matmul(T(other), X)];
      p.matmul(G, Z, { scale: -1, add: B, into });
      p.residualNorm(X, A, Z, { into: out, fall });
    },
  ],
  [
    'whose A changed after its products',
    (p, { X, A, Z, other, out, into }) => {
      const [G, B] = [p.gram(A), p.matmul(T(A), X)];
      p.matmul(G, Z, { scale: -1, add: B, into });
      p.copy(other, A);
      p.residualNorm(X, A, Z, { into: out, fall });
    },
  ],
  [
    'whose Z changes before H is there',
    (p, { X, A, Z, out, into }) => {
      const [G, B] = [p.gram(A), p.matmul(T(A), X)];
      p.residualNorm(X, A, Z, { into: out, fall });
      p.map('positive', [B], { into: Z });
      p.matmul(G, Z, { scale: -1, add: B, into });
    },
  ],
  [
    'that is read before H is there',
    (p, { X, A, Z, out, into }) => {
      const [G, B] = [p.gram(A), p.matmul(T(A), X)];
      p.residualNorm(X, A, Z, { into: out, fall });
      p.copy(out, p.state('copy', 1, 1));
      p.matmul(G, Z, { scale: -1, add: B, into });
    },
  ],
  ['without products', (p, { X, A, Z, out }) => p.residualNorm(X, A, Z, { into: out, fall })],
])('a residual %s reads X', (_what, write) => {
  const kinds = steps(write);
  expect(kinds).toContain('residualNorm');
  expect(kinds).not.toContain('gramResidual');
});

test('the threshold: two residuals, each rounded by 2⁻²² ‖X‖², must not differ by more than the fall that is to be seen', () => {
  const shape = { rows: 4096, cols: 1000, batch: 1 };
  const plan = (own: number, facts = adapters.hardware, forced = {}) => planGramResidual(shape, 16, own, facts, forced);
  expect(plan(1e-5)).toEqual({ groups: 16, from: 2 ** -21 / 1e-5 });
  expect(plan(2 ** -20)!.from).toBe(0.5);
  // No residual is larger than ‖X‖² for long.
  expect(plan(2 ** -21)).toBeUndefined();
  expect(plan(1e-5, adapters.software)).toBeUndefined();
  expect(plan(1e-5, adapters.hardware, { gram: false })).toBeUndefined();
  expect(plan(1e-5, adapters.hardware, { matmul: 'register' })).toBeUndefined();
  // X is small, or hardly larger than Z, B and H.
  expect(planGramResidual({ rows: 87, cols: 90, batch: 1 }, 9, 1e-5, adapters.hardware)).toBeUndefined();
  // Plans are made for one restart, whatever their number.
  expect(planGramResidual({ rows: 87, cols: 90, batch: 200 }, 9, 1e-5, adapters.hardware)).toBeUndefined();
  expect(planGramResidual({ rows: 95, cols: 65_536, batch: 1 }, 16, 1e-5, adapters.hardware)).toBeUndefined();
  expect(planGramResidual({ rows: 96, cols: 65_536, batch: 1 }, 16, 1e-5, adapters.hardware)).toBeDefined();
});

test('every input has norms of its own, which are no tensor of the program', () => {
  const p = programBuilder('two');
  const residualOf = (label: string) => {
    const X = p.data(label, 20, 30);
    const [A, Z, out, H] = [p.state('A', 20, 3), p.state('Z', 3, 30), p.state('out', 1, 1), p.state('H', 3, 30)];
    const [G, B] = [p.gram(A), p.matmul(T(A), X)];
    p.residualNorm(X, A, Z, { into: out, fall });
    p.matmul(G, Z, { scale: -1, add: B, into: H });
  };
  p.section('all', () => {
    residualOf('X');
    residualOf('Y');
  });
  const { program, norms } = lowerProgram(p.build(), adapters.hardware, { gram: true, matmul: 'tiled' });
  const ids = [...program.tensors, ...norms.values()].map(({ id }) => id);
  expect(norms.size).toBe(2);
  expect(new Set(ids).size).toBe(ids.length);
});

test('squared norms of columns, padding zero', () => {
  const p = programBuilder('p');
  const X = p.data('X', 3, 5);
  const norms = columnNorms(X, pad(X, [1, 0, 2, 3, 0.5, 2, 0, 0, 4, 0.5, 3, 0, 1, 0, 0.5]));
  expect([...norms]).toEqual([14, 0, 5, 25, 0.75, 0, 0, 0]);
});

test('an epoch of Neural NMF requests X twice on hardware, three times where every change is to be seen', () => {
  const shape = { rows: 4096, cols: 1024 };
  const bytes = 4 * shape.rows * shape.cols;
  const readings = (program: Program) => costOf(program, 'h100-sxm').step.steps.filter((step) => step.bytes >= bytes).length;
  expect(readings(programFor('neural', { ...shape, ranks: [16, 4], restarts: 1, start: 'random' }))).toBe(2);
  const all = neuralProgram(shape.rows, shape.cols, [16, 4], { restarts: 1, start: 'random', tolerance: 0 }).program;
  expect(readings(all)).toBe(3);
  const kernels = (program: Program) => dispatchesOf(lowerProgram(program, adapters.hardware).sections).map(({ kernel }) => kernel);
  expect(kernels(all)).not.toContain('residual/terms');
});

test('[9,4,2] of the published data: every step is kept or dropped as when X is read, and the fit ends where it ends then', async () => {
  const facts = { software: false, llvmpipe: false, maxWorkgroupStorage: 16_384, maxInvocationsPerWorkgroup: 256 };
  const { X } = tableOne(1);
  const fitted = async (gram: boolean) => {
    using engine = await createEngine({ forced: { gram, facts } });
    return await neuralNmf(engine, X, {
      ranks: [9, 4, 2],
      cost: 'reconstruction',
      restarts: 1,
      seed: 1,
      start: 'random',
      svdBound: false,
      tolerance: 1e-4,
    });
  };
  const [read, byGram] = [await fitted(false), await fitted(true)];
  // Objectives lie well above the threshold: 2⁻²¹ / 1e-5 is 0.048, a relative error of 0.22.
  expect(Math.min(...read.history.map(({ relativeError }) => relativeError))).toBeGreaterThan(0.25);
  const squares = ({ history }: typeof read) => history.map(({ relativeError }) => relativeError ** 2);
  expect(squares(byGram)).not.toEqual(squares(read));
  expect(byGram.iterations).toBe(read.iterations);
  expect(byGram.stopReason).toBe('tolerance');
  squares(byGram).forEach((square, i) => {
    expect(Math.abs(square - squares(read)[i])).toBeLessThan(2 ** -22);
  });
  expect(Math.abs(byGram.relativeError / read.relativeError - 1)).toBeLessThan(1e-5);
});
