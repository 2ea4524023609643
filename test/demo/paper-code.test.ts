/** "Copy as code" in the paper's room: the program and the command lines give the figures of the screen. No browser is needed for that. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { codeOf } from '../../demo/rooms/paper/code.js';
import type { PaperPlace } from '../../demo/work/paper.js';
import { loadModel } from '../../src/node/model-folder.js';
import { runCli, workFolder } from '../support/cli.js';

const { at } = workFolder();
const place: PaperPlace = { method: 'neural', seed: 7, layers: 2, supervision: 'semi', judged: 'levels', restarts: 2 };

test('three methods, and Neural NMF that went on: both forms give the same factors', async () => {
  const fits: PaperPlace[] = [
    place,
    { ...place, judged: 'last', supervision: 'none', goOn: true },
    { ...place, method: 'hierarchical', supervision: 'full' },
    { ...place, method: 'deep' },
  ];
  const { typescript, command } = codeOf(fits);

  // The command lines, as a person pastes them into a shell.
  const errors: Record<string, number[]> = {};
  const lines = command.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  for (const line of lines) {
    const words = line.replace(/^npx orthant |\s+#.*/g, '').split(' ');
    const own = words.map((word, i) => (/^table1\/seed/.test(word) || ['--out', '--start'].includes(words[i - 1]) ? at(word) : word));
    const { status, stderr } = await runCli(words[0] === 'fit' ? [...own, '--device', 'software'] : own);
    expect(stderr.split('\n').filter((said) => /error|warning/i.test(said))).toEqual([]);
    expect(status, `${line}: ${stderr}`).toBe(0);
    if (words[0] === 'fit') {
      const { method, layers } = await loadModel(at(words[words.indexOf('--out') + 1]));
      errors[method] = layers.map(({ relativeError }) => relativeError);
    }
  }

  // The program.
  const file = at('program.ts');
  writeFileSync(file, typescript.replace("'orthant/node'", JSON.stringify(fileURLToPath(new URL('../../src/node.ts', import.meta.url)))));
  const said = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(file);
  const told = said.mock.calls.map(([method, rank, error, bound]) => ({ method, rank, error, bound }));
  said.mockRestore();
  expect(told.map(({ method, rank }) => [method, rank])).toEqual(
    ['neural', 'hierarchical', 'deep'].flatMap((method) => [9, 4].map((rank) => [method, rank])),
  );
  expect(told.map(({ error }) => error)).toEqual(['neural', 'hierarchical', 'deep'].flatMap((method) => errors[method]));
  for (const { error, bound } of told) expect(error).toBeGreaterThan(0.999 * bound);
});
