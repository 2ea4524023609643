/** What the programs of q hold. Their numbers: test/cases/nnls.ts and test/reference/gradients.test.ts. */
import { expect, test } from 'vitest';
import { qProgram } from '../../src/programs/q.js';

test('one Gram matrix where all columns share it, none where each has its own', () => {
  const squares = (options: Parameters<typeof qProgram>[3]) =>
    qProgram(30, 40, 5, options).program.tensors.filter(({ role, rows, cols }) => role === 'state' && rows === 5 && cols === 5).length;
  expect(squares({})).toBe(1);
  expect(squares({ weighted: true })).toBe(0);
  expect(squares({ missing: true, csrEntries: 100 })).toBe(0);
});
