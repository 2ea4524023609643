/** A folder of a model is one model: whoever writes, whoever reads, whenever a process ends. */
import { spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import type { Tuning } from '../../src/engine.js';
import { InputError, OrthantError } from '../../src/errors.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { cannotWrite, writeOutputs } from '../../src/node/files.js';
import { loadModel, saveModel } from '../../src/node/model-folder.js';
import { isAbandoned, temporaryName } from '../../src/node/temporary.js';
import { storeTuning } from '../../src/node/tuning-store.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { build } from '../support/build.js';

const r = random(11);
const X = matrix(
  7,
  9,
  Float32Array.from({ length: 63 }, () => r.uniform()),
);

function fitted(seed: number, ranks: number[]): Promise<Factorization> {
  return hierarchicalNmf(createReferenceEngine(), X, { ranks, seed, maxIterations: 5, svdBound: false });
}

let dir: string;
let one: Factorization;
let two: Factorization;
let flat: Factorization;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'orthant-folder-'));
  [one, two, flat] = [await fitted(1, [4, 3, 2]), await fitted(2, [4, 3, 2]), await fitted(3, [4])];
  for (const [name, model] of Object.entries({ one, two, flat })) await saveModel(join(dir, name), model);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs a script that has `loadModel` and `saveModel` in a process of its own. Returns the signal that ended it, if one did. */
async function runScript(script: string, env: Record<string, string> = {}): Promise<NodeJS.Signals | null> {
  await build();
  const library = new URL('../../dist/node/model-folder.js', import.meta.url).href;
  const code = `import { loadModel, saveModel } from ${JSON.stringify(library)};\n${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { env: { ...process.env, ...env }, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => (code ? reject(new Error(`the script ended with ${code}`)) : resolve(signal)));
  });
}

/** Which of the models the folder holds; anything else is an error. */
async function held(folder: string): Promise<'one' | 'two' | 'flat'> {
  const model = await loadModel(folder);
  const [name, whole] = Object.entries({ one, two, flat }).find(([, { seed }]) => seed === model.seed)!;
  expect({ A: model.A, S: model.S }).toEqual({ A: whole.A, S: whole.S });
  return name as 'one' | 'two' | 'flat';
}

const plain = (names: string[]) => names.filter((name) => !name.startsWith('.')).sort();

test.each([
  ['two', 'one', ['A0.npy', 'A1.npy', 'A2.npy', 'S0.npy', 'S1.npy', 'S2.npy', 'factors.safetensors', 'model.json']],
  ['flat', 'one', ['A0.npy', 'S0.npy', 'factors.safetensors', 'model.json']],
])('a process killed at any call of the file system while it saves %s over %s leaves one of them', async (next, before, names) => {
  // The call number KILL_AT that changes a file is the last: the process is killed right after it.
  const script = `
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const model = await loadModel(process.env.FROM);
    let calls = 0;
    const last = Number(process.env.KILL_AT);
    for (const name of ['rename', 'writeFile', 'rm', 'rmdir', 'mkdir']) {
      const real = fs[name];
      fs[name] = async (...given) => {
        const result = await real(...given);
        if (++calls === last) { process.kill(process.pid, 'SIGKILL'); await new Promise(() => setInterval(() => {}, 1000)); }
        return result;
      };
    }
    syncBuiltinESMExports();
    await saveModel(process.env.TO, model);`;
  const seen = new Set<string>();
  /** Whether the process ended before the call. */
  const killAt = async (at: number) => {
    const folder = join(dir, `killed-${next}-${at}`);
    await cp(join(dir, before), folder, { recursive: true });
    const signal = await runScript(script, { FROM: join(dir, next), TO: folder, KILL_AT: String(at) });
    const found = await held(folder);
    seen.add(found);
    expect(signal === null ? [next] : [before, next], `killed at call ${at}`).toContain(found);
    // The next run completes or drops what it finds, and leaves nothing of it.
    if (signal) await saveModel(folder, next === 'flat' ? flat : two);
    expect(await held(folder)).toBe(next);
    expect((await readdir(folder)).sort()).toEqual(names);
    return signal === null;
  };
  let at = 0;
  for (let ended = false; !ended; at += 4) {
    const killed = await Promise.all([1, 2, 3, 4].map((more) => killAt(at + more)));
    ended = killed.includes(true);
  }
  expect(at).toBeGreaterThan(8);
  expect([...seen].sort()).toEqual([before, next].sort());
});

test('two writers and a reader: the reader gets one of the models every time', async () => {
  const folder = join(dir, 'shared');
  await saveModel(folder, one);
  const script = `
    const model = await loadModel(process.env.FROM);
    for (let i = 0; i < 30; i++) await saveModel(process.env.TO, model);`;
  let writing = true;
  const writers = Promise.all(['one', 'flat'].map((name) => runScript(script, { FROM: join(dir, name), TO: folder })));
  const ended = writers.finally(() => {
    writing = false;
  });
  const seen = { one: 0, two: 0, flat: 0 };
  while (writing) seen[await held(folder)]++;
  await ended;
  expect(seen.two).toBe(0);
  const names = await readdir(folder);
  expect(names.sort()).toEqual((await readdir(join(dir, await held(folder)))).sort());
});

test('files of two models are refused by name, with advice', async () => {
  for (const name of ['factors.safetensors', 'model.json']) {
    const folder = join(dir, `mixed-${name}`);
    await cp(join(dir, 'one'), folder, { recursive: true });
    await cp(join(dir, 'two', name), join(folder, name));
    await expect(loadModel(folder)).rejects.toThrow(InputError);
    await expect(loadModel(folder)).rejects.toThrow(/not of one whole model: .* Copy all files of the model again, or fit it again/);
  }
  const changed = join(dir, 'changed');
  await cp(join(dir, 'one'), changed, { recursive: true });
  const json = JSON.parse(await readFile(join(changed, 'model.json'), 'utf8'));
  await writeFile(join(changed, 'model.json'), JSON.stringify({ ...json, note: 'mine', times: { elapsedMs: 1 } }));
  expect((await loadModel(changed)).seed).toBe(1);
  await writeFile(join(changed, 'model.json'), JSON.stringify({ ...json, relativeError: 0 }));
  await expect(loadModel(changed)).rejects.toThrow(/its id does not fit the rest of model\.json/);
});

test('equal fits are equal files, but for the times', async () => {
  const [first, second] = [join(dir, 'equal-1'), join(dir, 'equal-2')];
  await saveModel(first, one, { orthant: '9.9' });
  await saveModel(second, { ...(await fitted(1, [4, 3, 2])), elapsedMs: one.elapsedMs + 1000 }, { orthant: '9.9' });
  for (const name of await readdir(first)) {
    const [a, b] = [await readFile(join(first, name), 'latin1'), await readFile(join(second, name), 'latin1')];
    const timeless = (text: string) => text.replace(/"times": \{[^}]*\}/, '');
    if (name === 'model.json') expect(a).not.toBe(b);
    expect(timeless(b)).toBe(timeless(a));
  }
});

test('only files that the former model listed are removed', async () => {
  const folder = join(dir, 'guest');
  await mkdir(folder);
  for (const name of ['A5.npy', 'S.npy', 'B.npy', 'notes.txt']) await writeFile(join(folder, name), `my ${name}`);
  await saveModel(folder, one);
  await writeFile(join(folder, 'S2.npy'), 'mine, too: no longer that of the model');
  await saveModel(folder, flat);
  expect((await readdir(folder)).sort()).toEqual([
    'A0.npy',
    'A5.npy',
    'B.npy',
    'S.npy',
    'S0.npy',
    'S2.npy',
    'factors.safetensors',
    'model.json',
    'notes.txt',
  ]);
  expect(await readFile(join(folder, 'A5.npy'), 'utf8')).toBe('my A5.npy');
});

test('what killed runs left is removed, what others are at work on is not', async () => {
  const folder = join(dir, 'leftovers');
  await saveModel(folder, one);
  const ended = temporaryName().replace(`-${process.pid}-`, `-${spawnSync(process.execPath, ['--version']).pid}-`);
  const atWork = temporaryName().replace(`-${process.pid}-`, `-${process.ppid}-`);
  const elsewhere = `.orthant-0123abc-1-${'0'.repeat(8)}`;
  const old = `.orthant-0123abc-2-${'0'.repeat(8)}`;
  for (const name of [ended, atWork, elsewhere, old]) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'A0.npy'), '');
  }
  await utimes(join(folder, old), new Date(0), new Date(0));
  expect(isAbandoned('A0.npy', 0)).toBe(false);
  await saveModel(folder, two);
  expect((await readdir(folder)).filter((name) => name.startsWith('.')).sort()).toEqual([atWork, elsewhere].sort());
  expect(plain(await readdir(folder))).toHaveLength(8);
});

test('a process that was killed and not yet reaped has ended', async () => {
  if (process.platform !== 'linux') return;
  // The shell is replaced by one that never waits for its child.
  const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<string>((resolve) => parent.stdout.once('data', (text) => resolve(String(text).trim())));
  const name = temporaryName().replace(`-${process.pid}-`, `-${pid}-`);
  await expect.poll(() => isAbandoned(name, Date.now()), { timeout: 10_000 }).toBe(true);
  process.kill(Number(pid), 0); // it is there still: this does not throw
  parent.kill();
});

test('so is what they left in the cache', async () => {
  const cache = join(dir, 'cache');
  const left = [spawnSync(process.execPath, ['--version']).pid, process.ppid].map((pid) =>
    temporaryName().replace(`-${process.pid}-`, `-${pid}-`),
  );
  for (const name of left) await mkdir(join(cache, name), { recursive: true });
  const tuning = { adapter: 'made up', version: 1, clock: 'wall', entries: [] } as unknown as Tuning;
  const file = await storeTuning(tuning, { ORTHANT_CACHE: cache });
  expect((await readdir(cache)).sort()).toEqual([left[1], basename(file)].sort());
});

test('a full disk, and a place without files, are one sentence', async () => {
  const failure = (code: string, text: string) => Object.assign(new Error(`${code}: ${text}, write`), { code, syscall: 'write' });
  const full = cannotWrite('here', failure('ENOSPC', 'no space left on device')) as Error;
  expect(full).toBeInstanceOf(OrthantError);
  expect(full).not.toBeInstanceOf(InputError);
  expect(full.message).toBe("Cannot write to the folder 'here': the disk is full; free some space there, or choose another folder.");
  const bug = new TypeError('a fault of ours');
  expect(cannotWrite('here', bug)).toBe(bug);
  await expect(writeOutputs(join(fileURLToPath(new URL('.', import.meta.url)), 'model-folder.test.ts', 'x'), { a: '' })).rejects.toThrow(
    /a part of that path is a file/,
  );
});
