/** The built package in throw-away projects: under jest, and where packages that it may need are missing. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from '../support/build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(path.join(os.tmpdir(), 'orthant-consumer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(build);

/** A project with these files, with a copy of the package and links to the named packages of this repository. */
function project(name: string, files: Record<string, string>, packages: readonly string[]): string {
  const at = path.join(folder, name);
  const own = path.join(at, 'node_modules/orthant');
  mkdirSync(own, { recursive: true });
  for (const part of ['dist', 'bin', 'package.json']) cpSync(path.join(root, part), path.join(own, part), { recursive: true });
  for (const one of packages) {
    mkdirSync(path.dirname(path.join(at, 'node_modules', one)), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', one), path.join(at, 'node_modules', one));
  }
  for (const [file, content] of Object.entries(files)) writeFileSync(path.join(at, file), content);
  return at;
}

function node(cwd: string, argv: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, argv, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

const own = ['cli-progress', 'commander', 'csv-parse', 'stopword'];

test('under jest the software adapter is found and computes', async () => {
  const at = project(
    'jest',
    {
      'package.json': '{ "type": "module" }',
      'jest.config.json': '{ "testEnvironment": "node", "transform": {}, "testTimeout": 170000 }',
      'fit.test.js': `import { createEngine, nmf, matrix } from 'orthant/node';
test('fits', async () => {
  const engine = await createEngine({ prefer: 'software' });
  expect(engine.software).toBe(true);
  const X = matrix(3, 3, new Float32Array([1, 2, 3, 2, 4, 6, 3, 6, 9]));
  expect((await nmf(engine, X, { ranks: 1 })).relativeError).toBeLessThan(1e-3);
  engine.dispose();
});
`,
    },
    [...own, 'webgpu', '@sparticuz/chromium', 'jest'],
  );
  const jest = path.join(root, 'node_modules/jest/bin/jest.js');
  const { status, stderr } = await node(at, ['--experimental-vm-modules', jest, '--runInBand']);
  expect(stderr).toMatch(/1 passed/);
  expect(status).toBe(0);
});

const command = 'node_modules/orthant/bin/orthant.mjs';

test('the command without webgpu says in one line what to install', async () => {
  const at = project('no-dawn', { 'm.csv': '1,2\n3,4\n' }, own);
  expect(await node(at, [command, 'fit', 'm.csv', '--ranks', '1'])).toEqual({
    status: 1,
    stdout: '',
    stderr: 'orthant: The package webgpu (Dawn for Node) is not installed; run: npm install webgpu @sparticuz/chromium@147.0.0\n',
  });
});

test('without @sparticuz/chromium its name is in the message', async () => {
  const script = `import { softwareAdapter } from './node_modules/orthant/dist/node/software-adapter.js';
await softwareAdapter().catch((e) => console.log(e.name, e.message));
`;
  const { stdout, stderr } = await node(project('no-software', { 'a.mjs': script }, own), ['a.mjs']);
  expect(stderr).toBe('');
  expect(stdout).toBe(
    'AdapterError The package @sparticuz/chromium, which carries the software adapter, is not installed; run: npm install webgpu @sparticuz/chromium@147.0.0\n',
  );
});

test('orthant, not orthant/node, in Node names the other', async () => {
  const at = project(
    'bare',
    { 'a.mjs': "import { createEngine } from 'orthant';\nawait createEngine().catch((e) => console.log(e.name, e.message));\n" },
    [],
  );
  const { stdout, stderr } = await node(at, ['a.mjs']);
  expect({ stdout, stderr }).toEqual({
    stdout: "AdapterError This environment has no WebGPU (navigator.gpu is missing). In Node import createEngine from 'orthant/node'.\n",
    stderr: '',
  });
});
