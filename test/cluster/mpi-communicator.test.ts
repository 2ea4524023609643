/** The communicator over a real mpirun on the loopback: against plain loops, and where a rank ends. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { build } from '../support/build.js';
import { workFolder } from '../support/cli.js';
import { broadcastOf, gatheredOf, numbersOf, textOf } from './rank-values.mjs';
import { findProgram } from './support.js';

const script = fileURLToPath(new URL('./communicator-rank.mjs', import.meta.url));
const { at } = workFolder();
beforeAll(async () => {
  findProgram('mpirun');
  await build();
});

interface Ended {
  status: number | null;
  stderr: string;
}

/** The script on so many ranks; 0 is without mpirun. */
async function onRanks(ranks: number, given: object, { env = {}, node = [] as string[] } = {}): Promise<Ended> {
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  const mpirun = ranks === 0 ? [] : [findProgram('mpirun'), ...root, '--oversubscribe', '-np', `${ranks}`];
  const [program, ...words] = [...mpirun, process.execPath, ...node, script, JSON.stringify(given)];
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  const ended: Ended = { status: null, stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ended.stderr += text;
  });
  ended.status = await new Promise((resolve) => child.on('close', resolve));
  return ended;
}

let runs = 0;
/** What every rank has found, in their order. */
async function found<T>(ranks: number, given: object): Promise<T[]> {
  const out = at(`found-${runs++}`);
  const { status, stderr } = await onRanks(ranks, { ...given, out });
  expect(status, stderr).toBe(0);
  const each = ofRanks<T & { size: number }>(ranks, out);
  for (const { size } of each) expect(size).toBe(ranks);
  return each;
}

function ofRanks<T>(ranks: number, out: string): T[] {
  return Array.from({ length: ranks }, (_, r) => JSON.parse(readFileSync(`${out}.${r}`, 'utf8')) as T);
}

const hashOf = (values: NodeJS.ArrayBufferView) => createHash('sha256').update(values).digest('hex');

/** The tree of ranks `from` up to `to`: the half with the greatest power of two below, then the others. */
function along(values: readonly Float64Array[], from: number, to: number, join: (a: number, b: number) => number): Float64Array {
  if (to - from === 1) return values[from];
  const middle = from + 2 ** Math.floor(Math.log2(to - from - 1));
  const [a, b] = [along(values, from, middle, join), along(values, middle, to, join)];
  return a.map((x, i) => join(x, b[i]));
}

const joins = { sum: (a: number, b: number) => a + b, max: (a: number, b: number) => (a > b ? a : b) };

describe('sums and maxima', () => {
  const seed = Math.floor(Math.random() * 1e6);
  // Below and above the length from which numbers are summed in parts, and the one from which they go in several calls.
  const about = (length: number) => length + Math.floor(Math.random() * 100);
  const reductions = [
    ...[0, 1, about(300), 4095, 4096, about(5000), about(50_000)].map((length) => ({ length, by: 'sum' as const })),
    ...[3, about(6000)].map((length) => ({ length, by: 'max' as const })),
  ];
  const long = [{ length: about(2 ** 22), by: 'sum' as const }];

  test.each([
    { ranks: 1, reductions, times: 1 },
    { ranks: 2, reductions, times: 20 },
    { ranks: 2, reductions: long, times: 1 },
    { ranks: 3, reductions, times: 2 },
    { ranks: 4, reductions, times: 20 },
    { ranks: 5, reductions, times: 2 },
  ])('$ranks ranks: the bits of a plain loop along the tree, $times times, whoever is late', async ({ ranks, ...given }) => {
    const pauses = Array.from({ length: 11 }, () => (Math.random() < 0.7 ? 0 : Math.floor(15 * Math.random())));
    const of = `seed ${seed}, ${JSON.stringify(given.reductions)}`;
    const ofAll = await found<{ hashes: string[]; reducedBytes: number }>(ranks, { task: 'reductions', seed, pauses, ...given });
    const expected = given.reductions.flatMap(({ length, by }, number) => {
      const values = Array.from({ length: ranks }, (_, r) => numbersOf(seed + number, r, length));
      return new Array<string>(given.times).fill(hashOf(along(values, 0, ranks, joins[by])));
    });
    const bytes = given.reductions.reduce((sum, { length }) => sum + 8 * length * given.times, 0);
    for (const { hashes, reducedBytes } of ofAll) {
      expect(hashes, of).toEqual(expected);
      expect(reducedBytes, of).toBe(bytes);
    }
  });

  test('the numbers of the test tell one order from another', () => {
    const values = [0, 1, 2, 3].map((r) => numbersOf(seed, r, 1000));
    const inARow = values.slice(1).reduce((sum, next) => sum.map((x, i) => x + next[i]), values[0]);
    expect(hashOf(along(values, 0, 4, joins.sum))).not.toBe(hashOf(inARow));
  });
});

interface Queued {
  again: string;
  gathered: string[];
  doubles: string[];
  kept: boolean;
  texts: string[];
  sums: number[];
  first: string[];
}

test.each([2, 3, 4])('%d ranks: gathered and told values, in calls that follow each other unawaited', async (ranks) => {
  const seed = Math.floor(Math.random() * 1e6);
  // 2²³ entries are the bytes that one call moves.
  const broadcasts = ranks === 2 ? [0, 1, 2 ** 23 + 3] : [5];
  const of = (value: (rank: number) => unknown) => Array.from({ length: ranks }, (_, r) => value(r));
  const all = (ranks * (ranks + 1)) / 2;
  for (const rank of await found<Queued>(ranks, { task: 'queued', seed, broadcasts })) {
    expect(rank.gathered, `seed ${seed}`).toEqual(of((r) => hashOf(gatheredOf(seed, r))));
    expect(rank.doubles, `seed ${seed}`).toEqual(of((r) => hashOf(numbersOf(seed, r, 3 + r))));
    expect(rank.again).toBe('MPI has been started in this process before, and can be started once; keep the communicator that it gave.');
    expect(rank.kept).toBe(true);
    expect(rank.texts).toEqual(of(textOf));
    expect(rank.sums).toEqual([all, 10 * all, 100 * all]);
    expect(rank.first, `seed ${seed}`).toEqual(broadcasts.map((length) => hashOf(broadcastOf(seed, length))));
  }
});

test('a rank that waits does other things meanwhile', async () => {
  for (const { sum } of await found<{ sum: number }>(2, { task: 'meanwhile', seen: at('seen') })) expect(sum).toBe(2);
});

describe('a rank ends', () => {
  test.each([
    { how: 'kill', length: 10 },
    { how: 'kill', length: 100_000 },
    { how: 'throw', length: 10 },
  ])('by $how, while others wait for $length numbers: they hear of it, and nothing is left', async ({ how, length }) => {
    const out = at(`${how}-${length}`);
    const { status, stderr } = await onRanks(3, { task: 'death', how, length, out });
    expect(status).not.toBe(0);
    if (how === 'kill') expect(stderr).toMatch(/signal 9/);
    else expect(stderr.match(/Error: Rank 1 has found a fault\./g)).toHaveLength(1);
    const each = ofRanks<{ pid: number; heard?: string }>(3, out);
    expect(each.map(({ heard }) => heard)).toEqual(['SIGTERM', undefined, 'SIGTERM']);
    expect(each.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)![0] : 'gone';
  return state !== 'gone' && state !== 'Z';
}

describe('refused in one sentence', () => {
  const given = { task: 'reductions', seed: 1, reductions: [], times: 1, pauses: [0] };
  const hidden = `data:text/javascript,${encodeURIComponent(
    "import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(\"export const resolve = (name, context, next) => { if (name === 'koffi') throw new Error('hidden'); return next(name, context); };\"));",
  )}`;

  test('a process that mpirun did not start', async () => {
    const { status, stderr } = await onRanks(0, given);
    expect(status).toBe(1);
    expect(stderr).toBe(
      'InputError: mpirun of Open MPI did not start this process; start it as mpirun -np 4 orthant fit … --distributed mpi.\n',
    );
  });

  test('a process that another MPI started', async () => {
    const { stderr } = await onRanks(0, given, { env: { PMI_SIZE: '2', PMI_RANK: '0' } });
    expect(stderr).toMatch(/did not start this process; .* Another MPI did, which has another interface\.\n$/);
  });

  test.each([
    {
      what: 'a library that is missing',
      env: { ORTHANT_MPI: 'libnone.so' },
      says: /^OrthantError: The library of Open MPI, "libnone\.so", cannot be loaded; run: apt-get install openmpi-bin libopenmpi3, and npm install koffi, or let ORTHANT_MPI name the library\.$/m,
    },
    {
      what: 'a library of something else',
      env: { ORTHANT_MPI: 'libm.so.6' },
      says: /^OrthantError: libm\.so\.6 is no library of Open MPI, and another MPI has another interface; let ORTHANT_MPI name Open MPI's\.$/m,
    },
    {
      what: 'no koffi',
      node: ['--import', hidden],
      says: /^OrthantError: Computing on several processes needs the package koffi; run: apt-get install openmpi-bin libopenmpi3, and npm install koffi\.$/m,
    },
  ])('$what', async ({ env, node, says }) => {
    // As a process that mpirun started; it is refused before it looks for the others.
    const { status, stderr } = await onRanks(0, given, { env: { OMPI_COMM_WORLD_SIZE: '2', ...env }, node });
    expect(status).toBe(1);
    expect(stderr).toMatch(says);
  });
});
