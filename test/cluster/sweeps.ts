/** Sweeps and workers for the tests of the queue. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { version } from '../../src/cli/run-fit.js';
import type { Matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { type SweepSpec, sweepOf } from '../../src/sweep/plan.js';
import type { QueueServer } from '../../src/sweep/redis.js';
import { sourceOf } from '../../src/sweep/source.js';

export const entry = pathToFileURL(path.resolve('dist/cli/sweep-child.js'));
const bin = path.resolve('bin/orthant.mjs');

/** A matrix in a .npy, features × samples. */
export function someMatrix(file: string, rows: number, cols: number, seed: number): Matrix {
  const { uniform } = random(seed);
  const X = { rows, cols, data: Float32Array.from({ length: rows * cols }, () => uniform()) };
  writeFileSync(file, encodeNpy(X));
  return X;
}

type Given = Partial<Omit<SweepSpec, 'data'>> & { path: string };

export async function specOf({ path, ...given }: Given): Promise<SweepSpec> {
  const data = { ...(await sourceOf(path)), samples: 'columns' as const, table: {} };
  const plain = { version, method: 'nmf' as const, options: {}, files: {}, ranks: [[2]], seed: 0, svdBound: false };
  return sweepOf({ ...plain, ...given, data });
}

/** The keys that are there, but for the marks of sweeps that are over and what BullMQ keeps of a queue itself. */
export async function keysLeft({ redis }: QueueServer): Promise<string[]> {
  return (await redis.keys('*')).filter((key) => !/:over$|^orthant:fits-[\d.]+:(meta|events|marker|id|stalled-check)$/.test(key));
}

export interface Started {
  process: ChildProcess;
  /** Standard output and standard error so far. */
  said(): string;
  /** Waits until it has printed something. */
  until(what: string | ((text: string) => boolean)): Promise<void>;
  /** Its exit status, or the signal that has ended it. */
  ended: Promise<number | NodeJS.Signals | null>;
}

/** The command line in a process of its own. One process, so that a signal meets the one that works. */
export function orthant(argv: readonly string[], more: NodeJS.ProcessEnv = {}): Started {
  return node(bin, argv, more);
}

/** A script of Node in a process of its own. */
export function node(script: string, argv: readonly string[] = [], more: NodeJS.ProcessEnv = {}): Started {
  const env = { ...process.env, ORTHANT_DEBUG: '1', ...more };
  const child = spawn(process.execPath, [script, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (words: string) => {
      text += words;
      for (const hear of heard) hear();
    });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (status, signal) => resolve(signal ?? status)),
  );
  return {
    process: child,
    said: () => text,
    ended,
    until: (what) =>
      new Promise((resolve, reject) => {
        const hear = () => {
          if (!(typeof what === 'string' ? text.includes(what) : what(text))) return;
          heard.delete(hear);
          resolve();
        };
        heard.add(hear);
        hear();
        void ended.then((status) => reject(new Error(`It ended with ${status} before it said ${what}: ${text}`)));
      }),
  };
}
