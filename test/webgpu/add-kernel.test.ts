/** The kernel that CONTRIBUTING.md shows how to add is in the tree: what the guide quotes is what stands there. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { examplePieces, root } from '../support/examples.js';

test('the example of a kernel stands in the tree as it stands in the guide, in four places', async () => {
  const pieces = await examplePieces('Add a kernel');
  expect([...pieces.keys()]).toEqual([
    'shaders/update/hals-registers.wgsl',
    'src/webgpu/plan/planner.ts',
    'src/webgpu/lower/update.ts',
    'test/cases/hals.ts',
  ]);
  for (const [file, piece] of pieces) {
    const text = flush(await readFile(path.join(root, file), 'utf8'));
    for (const part of piece.split('…\n')) expect(text).toContain(flush(part));
  }
});

/** Lines without their indentation. */
function flush(text: string): string {
  return text.replace(/^ +/gm, '').trim();
}
