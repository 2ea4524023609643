import { expect, test } from 'vitest';
import { programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { fuse, fuseSweeps } from '../../src/webgpu/steps/fuse.js';
import { stepText } from '../../src/webgpu/steps/step.js';

const texts = (program: Parameters<typeof fuse>[0], section: string) => fuse(program).sections[section].map(stepText);

test('a multiplicative step is three operations a factor: Gram matrix, denominator, and a product that updates', () => {
  const { program } = nmfProgram(9, 7, 3, { restarts: 2, solver: 'mu', weighted: false });
  const step = fuse(program).sections.step0;
  expect(step.map(({ kind }) => kind)).toEqual(['gram', 'matmul', 'fusedProduct', 'gram', 'matmul', 'fusedProduct']);
  expect(stepText(step[2])).toMatch(/^A0 = A0 ∘ \(X S0ᵀ\) \/ \S+$/);
  expect(program.sections.step0).toHaveLength(8); // the program itself is as it was
});

test('a numerator that someone else reads, or whose factors change in between, stays a product of its own', () => {
  const p = programBuilder('p');
  const [X, D] = [p.input('X', 4, 5), p.input('D', 4, 3)];
  const [A, S, other] = [p.state('A', 4, 3), p.state('S', 3, 5), p.state('other', 4, 3)];
  p.section('read twice', () => {
    const numerator = p.matmul(X, T(S));
    p.multiplicativeUpdate(A, numerator, D);
    p.copy(numerator, other);
  });
  p.section('changed', () => {
    const numerator = p.matmul(X, T(S));
    p.copy(p.matmul(T(A), X), S);
    p.multiplicativeUpdate(A, numerator, D);
  });
  p.section('root', () => p.multiplicativeUpdate(A, p.matmul(X, T(S)), D, { power: 0.5 }));
  p.section('itself', () => p.multiplicativeUpdate(A, p.matmul(A, p.gram(A)), D));
  const program = p.build();
  for (const section of Object.keys(program.sections)) expect(texts(program, section)).toEqual(program.sections[section].map(stepText));
});

test('a step of hals is two operations a factor: Gram matrix, and a product that ends in a sweep, where that runs', () => {
  const { program } = nmfProgram(9, 7, 3, { restarts: 2, solver: 'hals', weighted: false });
  const step = fuseSweeps(fuse(program), () => true).sections.step0;
  expect(step.map(({ kind }) => kind)).toEqual(['gram', 'fusedProduct', 'gram', 'fusedProduct']);
  expect([step[1], step[3]].map(stepText)).toEqual([
    expect.stringMatching(/^A0 = hals of rows\(\S+, X S0ᵀ, A0\)$/),
    expect.stringMatching(/^S0 = hals of columns\(\S+, A0ᵀ X, S0\)$/),
  ]);
  expect(fuseSweeps(program, () => false)).toEqual(program);
  const rowsOnly = fuseSweeps(
    program,
    ({ attributes: { ending } }, section) => section === 'step0' && ending !== 'update' && ending.of === 'rows',
  );
  expect(rowsOnly.sections.step0.map(({ kind }) => kind)).toEqual(['gram', 'fusedProduct', 'gram', 'matmul', 'halsUpdate']);
});

test('a sweep stays apart from a B that someone else reads, whose factors change in between, or that is not AᵀX or XSᵀ', () => {
  const p = programBuilder('p');
  const [X, G, Gs] = [p.input('X', 4, 5), p.input('G', 3, 3), p.input('Gs', 9, 5)];
  const [A, S, other] = [p.state('A', 4, 3), p.state('S', 3, 5), p.state('other', 3, 5)];
  p.section('read twice', () => {
    const B = p.matmul(T(A), X);
    p.halsUpdate(S, G, B, { of: 'columns' });
    p.copy(B, other);
  });
  p.section('changed', () => {
    const B = p.matmul(T(A), X);
    p.halsUpdate(A, G, p.input('B', 4, 3), { of: 'rows' });
    p.halsUpdate(S, G, B, { of: 'columns' });
  });
  p.section('a Gram matrix each', () => p.halsUpdate(S, Gs, p.matmul(T(A), X), { of: 'columns' }));
  p.section('scaled', () => p.halsUpdate(S, G, p.matmul(T(A), X, { scale: 2 }), { of: 'columns' }));
  p.section('the other way', () => p.halsUpdate(S, G, p.matmul(G, other), { of: 'columns' }));
  p.section('itself', () => p.halsUpdate(S, G, p.matmul(G, S), { of: 'columns' }));
  p.section('both operands', () => {
    const square = p.matmul(T(A), A);
    p.halsUpdate(p.state('F', 3, 3), square, square, { of: 'columns' });
  });
  const program = p.build();
  expect(fuseSweeps(program, () => true)).toEqual(program);
});

test('what a transient already holds is read there; after a write to what it came from it is computed again', () => {
  const p = programBuilder('p');
  const Z = p.state('Z', 3, 8);
  const [first, second, third] = [p.state('first', 3, 3), p.state('second', 3, 3), p.state('third', 3, 3)];
  p.section('all', () => {
    p.combine(1, p.gram(Z, 'rows'), 1, first, { into: second });
    p.combine(2, p.gram(Z, 'rows'), 1, first, { into: third });
    p.copy(p.map('positive', [Z]), Z);
    p.copy(p.gram(Z, 'rows'), first);
    p.copy(p.gram(Z, 'columns', {}), p.state('other', 8, 8));
  });
  const operations = fuse(p.build()).sections.all;
  expect(operations.map(({ kind }) => kind)).toEqual(['gram', 'combine', 'combine', 'map', 'copy', 'gram', 'copy', 'gram', 'copy']);
  expect(operations[2].inputs[0]).toBe(operations[0].outputs[0]);
});

test('a step of Neural NMF forms no product twice', () => {
  const { program } = neuralProgram(87, 90, [9, 4, 2], { restarts: 1, start: 'random' });
  const products = fuse(program).sections.step.filter(({ kind }) => kind === 'gram' || kind === 'matmul');
  const signatures = products.map(({ inputs, attributes }) => JSON.stringify([inputs.map(({ id }) => id), attributes]));
  expect(new Set(signatures).size).toBe(signatures.length);
  expect(program.sections.step.length - fuse(program).sections.step.length).toBe(1);
});
