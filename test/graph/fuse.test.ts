import { expect, test } from 'vitest';
import { fuse } from '../../src/graph/fuse.js';
import { operationText } from '../../src/graph/print.js';
import { programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
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
