import { expect, test } from 'vitest';
import { programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { dispatchCounts } from '../../src/webgpu/plan-text.js';
import { fuse, fuseSweeps } from '../../src/webgpu/steps/fuse.js';
import { stepText } from '../../src/webgpu/steps/step.js';
import { joinSums } from '../../src/webgpu/steps/sums.js';
import { adapters } from '../plans/dump.js';

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

test('a step of Neural NMF [9,4,2] has at most 30 dispatches on hardware', () => {
  const { program } = neuralProgram(87, 90, [9, 4, 2], { restarts: 1, start: 'random' });
  for (const facts of [adapters.hardware, adapters['default limits']]) expect(dispatchCounts(program, facts).step).toBeLessThanOrEqual(30);
});

const joined = (operations: Parameters<typeof joinSums>[0]) => joinSums(operations, () => true).map(stepText);

test('Sβᵀ + βSᵀ is one sum, and small products that do not depend on each other are done together', () => {
  const p = programBuilder('p');
  const [S, beta, A] = [p.input('S', 3, 8), p.input('beta', 3, 8), p.input('A', 5, 3)];
  const [D, U, G] = [p.state('D', 3, 3), p.state('U', 5, 8), p.state('G', 8, 8)];
  p.section('all', () => {
    const half = p.matmul(S, T(beta));
    p.matmul(beta, T(S), { add: half, into: D });
    p.matmul(A, beta, { scale: -2, into: U });
    p.gram(U, 'columns', { into: G });
  });
  expect(joined(p.build().sections.all)).toEqual(['D = beta Sᵀ + S betaᵀ; U = -2 A beta', 'G = Uᵀ U']);
});

test('a sum stays apart where another reads it, where its factors change in between, and where it would pass what it depends on', () => {
  const p = programBuilder('p');
  const [A, B] = [p.state('A', 4, 4), p.state('B', 4, 4)];
  const [C, D] = [p.state('C', 4, 4), p.state('D', 4, 4)];
  p.section('read twice', () => {
    const product = p.matmul(A, B, { name: 'product' });
    p.matmul(B, A, { add: product, into: C });
    p.copy(product, D);
  });
  p.section('changed', () => {
    const product = p.matmul(A, B, { name: 'other' });
    p.copy(C, A);
    p.matmul(B, C, { add: product, into: D });
  });
  p.section('read before', () => {
    p.matmul(A, B, { into: C });
    p.copy(D, B);
    p.matmul(D, D, { into: A });
  });
  const program = p.build();
  for (const operations of Object.values(program.sections)) expect(joined(operations)).toEqual(operations.map(stepText));
});

test('a dispatch takes at most eight tensors and four sums', () => {
  const p = programBuilder('p');
  const [A, B] = [p.input('A', 4, 4), p.input('B', 4, 4)];
  p.section('sums', () => {
    for (const i of [0, 1, 2, 3, 4]) p.matmul(A, B, { scale: i + 1, into: p.state(`C${i}`, 4, 4) });
  });
  p.section('tensors', () => {
    for (const i of [0, 1, 2]) p.matmul(p.input(`D${i}`, 4, 4), p.input(`F${i}`, 4, 4), { into: p.state(`G${i}`, 4, 4) });
  });
  const { sections } = p.build();
  expect(joinSums(sections.sums, () => true).map(({ outputs }) => outputs.length)).toEqual([4, 1]);
  expect(joinSums(sections.tensors, () => true).map(({ outputs }) => outputs.length)).toEqual([2, 1]);
});
