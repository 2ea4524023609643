import { expect, test } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { planBuffers } from '../../src/graph/lifetimes.js';
import { printProgram } from '../../src/graph/print.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';

test('a program prints as the formulas it implements', () => {
  const { program } = nmfProgram(87, 90, 9, { restarts: 4, solver: 'mu', weighted: false });
  expect(printProgram(program).split('\n').slice(0, 16)).toEqual([
    'program nmf, 4 restarts',
    '  input  X          87×90',
    '  state  A0         87×9 ×4',
    '  state  S0         9×90 ×4',
    '  state  cost       1×1 ×4',
    '  state  kktS0      1×1 ×4',
    '  state  kktA0      1×1 ×4',
    '  start0:',
    '  step0:',
    '    t6 = X S0ᵀ          [87×9 ×4]',
    '    t7 = S0 S0ᵀ         [9×9 ×4]',
    '    t8 = A0 t7          [87×9 ×4]',
    '    A0 = A0 ∘ t6 / t8   [87×9 ×4] state',
    '    t9 = A0ᵀ X          [9×90 ×4]',
    '    t10 = A0ᵀ A0        [9×9 ×4]',
    '    t11 = t10 S0        [9×90 ×4]',
  ]);
});

test('the unweighted multiplicative update never forms AS', () => {
  const { program } = nmfProgram(87, 90, 9, { restarts: 1, solver: 'mu', weighted: false });
  const sizes = program.sections.step0.flatMap(({ outputs }) => outputs.map(({ rows, cols }) => rows * cols));
  expect(Math.max(...sizes)).toBe(9 * 90);
});

test('shapes that do not fit are refused while the method is written down', () => {
  const p = programBuilder('test');
  const X = p.input('X', 5, 7);
  const A = p.state('A', 5, 3);
  expect(() => p.section('bad', () => p.matmul(X, A))).toThrow(/X gives 5×7 and A 5×3; the inner sizes differ/);
  const q = programBuilder('test');
  const Y = q.input('Y', 5, 7);
  expect(() => q.section('bad', () => q.copy(Y, Y))).toThrow(/writes the input Y/);
  expect(() => q.input('Z', 0, 7)).toThrow(ShapeError);
});

test('a transient cannot be read before it is written, nor outlive its section', () => {
  const p = programBuilder('test');
  const X = p.input('X', 5, 7);
  const out = p.state('out', 7, 7);
  let leaked: Tensor | undefined;
  p.section('first', () => {
    leaked = p.gram(X);
  });
  p.section('second', () => p.copy(leaked!, out));
  expect(() => p.build()).toThrow(/section second: copy reads t2 before anything wrote it/);
});

test('what an operation changes in place must have been written, whichever of its outputs it is', () => {
  const rule = { rate: 0.1, momentum: 0.9 };
  interface Tensors {
    D: Tensor;
    A: Tensor;
    V: Tensor;
    control: Tensor;
  }
  const steps: Record<string, (p: ProgramBuilder, t: Tensors, fresh: Tensor) => void> = {
    normalizeColumns: (p, { D }, fresh) => p.normalizeColumns(fresh, D),
    'momentumStep A': (p, { D, V }, fresh) => p.momentumStep(fresh, V, D, rule),
    'momentumStep V': (p, { D, A }, fresh) => p.momentumStep(A, fresh, D, rule),
    'adamStep A': (p, { D, A, V, control }, fresh) => p.adamStep(fresh, [A, V], D, control, rule),
    'adamStep first': (p, { D, A, V, control }, fresh) => p.adamStep(A, [fresh, V], D, control, rule),
    'adamStep second': (p, { D, A, V, control }, fresh) => p.adamStep(A, [V, fresh], D, control, rule),
    countIteration: (p, { D }, fresh) => p.countIteration(p.reduce(D, 'sum'), fresh),
    'nnls S': (p, { D }, fresh) => p.nnls(D, D, fresh),
  };
  for (const [name, step] of Object.entries(steps)) {
    const p = programBuilder('test');
    const t: Tensors = { D: p.input('D', 4, 4), A: p.state('A', 4, 4), V: p.state('V', 4, 4), control: p.controlState() };
    let elsewhere: Tensor | undefined;
    p.section('elsewhere', () => {
      elsewhere = p.map('positive', [t.D], { name: 'fresh' });
    });
    p.section('step', () => step(p, t, elsewhere!));
    expect(() => p.build(), name).toThrow(`section step: ${name.split(' ')[0]} reads fresh before anything wrote it`);
    const q = programBuilder('test');
    const own: Tensors = { D: q.input('D', 4, 4), A: q.state('A', 4, 4), V: q.state('V', 4, 4), control: q.controlState() };
    q.section('step', () => step(q, own, q.map('positive', [own.D])));
    expect(() => q.build(), name).not.toThrow();
  }
});

test('a CSR input is a tensor kind that products take and others refuse', () => {
  const p = programBuilder('test');
  const X = p.input('X', 5, 7, { csrEntries: 11 });
  const A = p.state('A', 5, 3);
  expect(X).toMatchObject({ form: 'csr', entries: 11 });
  p.section('all', () => {
    expect(p.matmul(T(A), X)).toMatchObject({ rows: 3, cols: 7 });
    expect(() => p.transpose(X)).toThrow(/no rule for the CSR tensor X/);
  });
  expect(printProgram(p.build())).toContain('csr, 11 entries');
});

test('a tensor in coordinates is a kind that its own operations take and others refuse', () => {
  const p = programBuilder('test');
  const X = p.dataTensor('X', [5, 2, 7], { cooEntries: 11 });
  const F = [5, 2, 7].map((size, n) => p.state(`F${n}`, size, 3));
  expect(X).toMatchObject({ form: 'coo', shape: [5, 2, 7], rows: 10, cols: 7, entries: 11 });
  p.section('all', () => {
    expect(p.mttkrp(X, F, 1)).toMatchObject({ rows: 2, cols: 3 });
    expect(p.storedResidual(X, F)).toMatchObject({ rows: 1, cols: 1 });
    expect(() => p.matmul(X, F[2])).toThrow(/matmul has no rule for the tensor in coordinates X/);
    expect(() => p.mttkrp(X, F.slice(1), 0)).toThrow(/mttkrp in program test: X has 3 modes, but 2 factors were given/);
    expect(() => p.mttkrp(X, [F[0], F[2], F[1]], 0)).toThrow(/F2 is 7×3, but 2×3 is needed/);
    expect(() => p.mttkrp(p.dataTensor('Y', [5, 2, 7]), F, 0)).toThrow(
      /mttkrp in program test takes a tensor in coordinates, but Y is not/,
    );
    expect(() => p.dataTensor('Y', [5, 2.5, 4])).toThrow(/Tensor Y of program test is 5×2\.5×4; all sizes must be positive integers/);
    for (const order of [1, 7])
      expect(() => p.dataTensor('Y', new Array(order).fill(2), { cooEntries: 1 })).toThrow(new RegExp(`of order ${order}; in coordinates`));
  });
  const text = printProgram(p.build());
  expect(text).toContain('X          5×2×7 coo, 11 entries');
  expect(text).toContain('= X₍₁₎ (F0 ⊙ F2)');
  expect(text).toContain('‖X − [[F0, F1, F2]]‖² − ‖[[F0, F1, F2]]‖² over stored entries');
});

test('transients share memory only when their lifetimes do not overlap', () => {
  for (const { program } of [
    neuralProgram(87, 90, [9, 4, 2], { restarts: 2, start: 'hierarchical' }),
    nmfProgram(8, 9, 3, { restarts: 1, solver: 'mu', weighted: true }),
  ]) {
    const size = (tensor: Tensor) => tensor.rows * tensor.cols * tensor.batch;
    const plan = planBuffers(program, size);
    for (const operations of Object.values(program.sections)) {
      const lastUse = new Map<Tensor, number>();
      operations.forEach(({ inputs, outputs }, i) => {
        for (const tensor of [...inputs, ...outputs]) lastUse.set(tensor, i);
      });
      const holder = new Map<number, Tensor>();
      operations.forEach(({ inputs, outputs }, i) => {
        for (const tensor of outputs) {
          const slot = plan.slotOf.get(tensor);
          if (slot === undefined) continue;
          const before = holder.get(slot);
          if (before !== undefined && before !== tensor) expect(lastUse.get(before)!).toBeLessThan(i);
          expect(plan.slots[slot]).toBeGreaterThanOrEqual(size(tensor));
          holder.set(slot, tensor);
        }
        for (const tensor of inputs) if (plan.slotOf.has(tensor)) expect(holder.get(plan.slotOf.get(tensor)!)).toBe(tensor);
      });
    }
    const transients = program.tensors.filter(({ role }) => role === 'transient');
    expect(plan.slots.length).toBeLessThan(transients.length / 2);
  }
});

test('a transient takes the free slot that fits best: none larger, and none grown, where one fits', () => {
  const p = programBuilder('slots');
  const X = p.input('X', 2, 2);
  const Y = p.input('Y', 4, 4);
  const [small, large] = [p.state('small', 2, 2, { shared: true }), p.state('large', 4, 4, { shared: true })];
  p.section('all', () => {
    // Two at once, then two others of the same sizes.
    for (const scale of [1, 2]) {
      const [a, b] = [p.combine(scale, X, 1, X), p.combine(scale, Y, 1, Y)];
      p.combine(1, a, 1, X, { into: small });
      p.combine(1, b, 1, Y, { into: large });
    }
  });
  const { slots } = planBuffers(p.build(), ({ rows, cols }) => rows * cols);
  expect([...slots].sort((a, b) => a - b)).toEqual([4, 16]);
});
