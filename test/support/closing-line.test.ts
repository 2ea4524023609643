/** The last line of a run of tests, which others read to know whether it passed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const closingLine = fileURLToPath(new URL('./closing-line.ts', import.meta.url));
const root = mkdtempSync(path.join(tmpdir(), 'orthant-closing-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const files = {
  good: "test('a', () => {}); test('b', () => {});",
  bad: "test('a', () => {}); test('b', () => { throw new Error('no'); });",
  hook: "beforeAll(() => { throw new Error('no'); }); test('a', () => {});",
  torn: "import './nowhere.js'; test('a', () => {});",
  stray: "test('a', () => { Promise.reject(new Error('no')); });",
  endless: "test('a', () => {}); test('b', () => { console.log('begun'); return new Promise(() => {}); });",
};
for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, `${name}.test.js`), text);

/** The last line and the status of a run of these files, which a signal may stop once a test that never ends has begun. */
async function run(names: string[], signal?: NodeJS.Signals): Promise<{ last: string | undefined; status: number | null }> {
  const wanted = names.map((name) => path.join(root, `${name}.test.js`));
  const argv = [vitest, 'run', '--root', root, '--globals', '--testTimeout', '0', '--reporter', 'default', '--reporter', closingLine];
  const child = spawn(process.execPath, [...argv, ...wanted], { stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    const begun = stdout.includes('begun');
    stdout += chunk;
    if (signal && !begun && stdout.includes('begun')) child.kill(signal);
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { last: stdout.trimEnd().split('\n').at(-1), status };
}

test.each([
  [['good'], '2 passed, 0 failed'],
  [['good', 'bad', 'hook', 'torn', 'stray'], '4 passed, 4 failed'], // each of four fails once in a way of its own
  [['missing'], '0 passed, 1 failed'],
])('%j: %s', async (names, line) => {
  const { last, status } = await run(names);
  expect(last).toBe(line);
  expect(status === 0).toBe(line.endsWith(' 0 failed'));
});

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('cut short by %s it does not read as passed', async (signal) => {
  const { last, status } = await run(['good', 'endless'], signal);
  expect(last).not.toMatch(/ 0 failed$/);
  if (signal !== 'SIGKILL') expect(last).toMatch(/^\d+ passed, [1-9]\d* failed$/);
  expect(status).not.toBe(0);
});
