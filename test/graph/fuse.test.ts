import { expect, test } from 'vitest';
import { fuse } from '../../src/graph/fuse.js';
import { operationText } from '../../src/graph/print.js';
import { programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/methods/neural.js';
import { nmfProgram } from '../../src/methods/nmf.js';

const texts = (program: Parameters<typeof fuse>[0], section: string) => fuse(program).sections[section].map(operationText);

test('a multiplicative step is three operations a factor: Gram matrix, denominator, and a product that updates', () => {
  const { program } = nmfProgram(9, 7, 3, { restarts: 2, solver: 'mu', weighted: false });
  const step = fuse(program).sections.step0;
  expect(step.map(({ kind }) => kind)).toEqual(['gram', 'matmul', 'matmul', 'gram', 'matmul', 'matmul']);
  expect(operationText(step[2])).toMatch(/^A0 = A0 ∘ \(X S0ᵀ\) \/ \(\S+ \+ ε\)$/);
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
  for (const section of Object.keys(program.sections))
    expect(texts(program, section)).toEqual(program.sections[section].map(operationText));
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
