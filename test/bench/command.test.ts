/** What is asked of the benchmark wrongly. Nothing here measures. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseOptions } from '../../bench/options.js';
import { suiteNames } from '../../bench/suites/names.js';
import { results } from './fixture.js';

const command = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url));

/** Why `--against` can do nothing here, where there is no git or no checkout: the rest must pass there all the same. */
const inGit = spawnSync('git', ['rev-parse', '--git-dir'], { cwd: path.dirname(command) });
const cannot = inGit.error
  ? /--against needs git, which is not installed\./
  : inGit.status === 0
    ? undefined
    : /--against needs a git checkout/;

/** In a temp folder of its own, so that what stays behind is seen. */
async function bench(argv: string[], env: Record<string, string> = {}) {
  const temp = await mkdtemp(path.join(os.tmpdir(), 'orthant-bench-'));
  const outcome = await new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [command, ...argv], { env: { ...process.env, TMPDIR: temp, ...env } }, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
  const left = (await readdir(temp)).filter((name) => name.startsWith('orthant-'));
  return { ...outcome, left };
}

test('options', () => {
  expect(parseOptions([])).toMatchObject({ quick: false, node: false, complete: true });
  expect(parseOptions([]).suites).not.toContain('profile');
  expect(parseOptions(['--suite', 'mu,roofline'])).toMatchObject({ suites: ['roofline', 'mu'], complete: false });
  expect(parseOptions(['--against', 'main', '--node'])).toMatchObject({ against: 'main', node: true, complete: false });
  const together = suiteNames.filter((name) => name !== 'compile');
  expect(parseOptions(['--suite', together.join()]).suites).toEqual(together);
});

test.each([
  [['--fast'], /Unknown option '--fast'/],
  [['--suite', 'compile,mu'], /compile runs alone/],
  [['extra'], /Unexpected argument 'extra'/],
  [['--suite', 'mu,nope'], /--suite: there is no nope; there are end, roofline,/],
  [['--against', 'main', '--suite', 'mu'], /--against has cases of its own/],
  [['--plot', 'r.json', '--quick'], /--plot draws a file that is there/],
  [['--against'], /--against <value>' argument missing/],
])('%j is refused', (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});

test('--against a ref that does not exist: status 2, says so, leaves nothing', async () => {
  const { status, stderr, left } = await bench(['--against', 'no-such-ref']);
  expect(stderr).toMatch(cannot ?? /--against: "no-such-ref" is no commit, branch or tag of this repository\./);
  expect({ status, left }).toEqual({ status: cannot ? 1 : 2, left: [] });
});

test('--against without git or outside a checkout: status 1, says so', async () => {
  const nowhere = await mkdtemp(path.join(os.tmpdir(), 'orthant-nowhere-'));
  const withoutGit = await bench(['--against', 'main'], { PATH: nowhere });
  expect(withoutGit.stderr.trim()).toBe('--against needs git, which is not installed.');
  expect(withoutGit).toMatchObject({ status: 1, left: [] });
  const { status, stderr } = await bench(['--against', 'main'], { GIT_DIR: nowhere });
  expect(stderr).toMatch(inGit.error ? cannot! : /^--against needs a git checkout: .*$/m);
  expect(status).toBe(1);
});

test('--against a ref that does not build: status 1, says why, leaves nothing', async () => {
  // A commit with nothing in it, in a store of objects of its own beside the repository's.
  const objects = await mkdtemp(path.join(os.tmpdir(), 'orthant-objects-'));
  const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
  const author = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };
  const make = () =>
    execFileSync('git', ['commit-tree', emptyTree, '-m', 'nothing'], {
      encoding: 'utf8',
      env: { ...process.env, ...author, GIT_OBJECT_DIRECTORY: objects },
    }).trim();
  const ref = cannot ? 'nothing' : make();
  const { status, stderr, left } = await bench(['--against', ref], { GIT_ALTERNATE_OBJECT_DIRECTORIES: objects });
  expect(stderr).toMatch(cannot ?? /--against: [0-9a-f]{40} does not build: /);
  expect({ status, left }).toEqual({ status: 1, left: [] });
});

test('--plot draws a file again, and refuses one of another version', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'orthant-plot-'));
  const file = path.join(folder, 'r.json');
  await writeFile(file, JSON.stringify(results));
  expect((await bench(['--plot', file])).status).toBe(0);
  expect(await readFile(path.join(folder, 'r.html'), 'utf8')).toContain('SOFTWARE ADAPTER');
  await writeFile(file, JSON.stringify({ ...results, version: 0 }));
  const { status, stderr } = await bench(['--plot', file]);
  expect(stderr).toMatch(/r\.json is of version 0, but this benchmark reads version 1/);
  expect(status).toBe(2);
});
