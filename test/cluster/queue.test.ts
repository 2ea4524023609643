/** Sweeps at a queue, with workers in this process: what comes back, what is left, what happens when something ends. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../src/cli/run-fit.js';
import { random } from '../../src/data/random.js';
import { createEngine, loadModel, nmf } from '../../src/node.js';
import { jobsOf, type SweepSpec } from '../../src/sweep/plan.js';
import { connectQueue, type QueueServer } from '../../src/sweep/redis.js';
import type { SweepProgress } from '../../src/sweep/run-here.js';
import { type QueuedOptions, runOnQueue } from '../../src/sweep/run-queued.js';
import { doneIn, failuresIn, fitFolder, openSweep } from '../../src/sweep/sweep-folder.js';
import { type WorkerEvent, type WorkerOptions, workAt } from '../../src/sweep/worker.js';
import { build } from '../support/build.js';
import { startRedis, type TestRedis } from './support.js';
import { entry, someMatrix, specOf } from './sweeps.js';

const folder = mkdtempSync(path.join(tmpdir(), 'orthant-queue-'));
const at = (...names: string[]) => path.join(folder, ...names);
const draw = random(Date.now() % 2 ** 32);
const size = (from: number, to: number) => from + draw.integer(to - from + 1);
let redis: TestRedis;
let server: QueueServer;

beforeAll(async () => {
  await build();
  redis = await startRedis();
  server = await connectQueue(redis.url);
});
afterAll(async () => {
  await server?.close();
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A worker in this process, which `stop` ends as Ctrl-C does. */
function worker(given: Partial<WorkerOptions> = {}) {
  const events: WorkerEvent[] = [];
  const heard: { type: WorkerEvent['type']; resolve: () => void }[] = [];
  const stopping = new AbortController();
  const onEvent = (event: WorkerEvent) => {
    events.push(event);
    for (const { type, resolve } of heard) if (type === event.type) resolve();
  };
  const options = { version, settings: { device: 'cpu' as const }, entry, lockMs: 1000, onEvent, signal: stopping.signal, ...given };
  const ended = connectQueue(redis.url).then(async (own) => {
    try {
      return await workAt(own, options);
    } catch (error) {
      return error as Error;
    } finally {
      await own.close();
    }
  });
  return {
    events,
    ended,
    on: (type: WorkerEvent['type']) => new Promise<void>((resolve) => heard.push({ type, resolve })),
    stop() {
      stopping.abort();
      return ended;
    },
  };
}

async function sweep(name: string, spec: SweepSpec, given: Partial<QueuedOptions> = {}) {
  await openSweep(at(name), spec);
  return runOnQueue(server, at(name), spec, jobsOf(spec), { shared: false, ...given });
}

/** The keys that are there, but for the marks of sweeps that are over and what BullMQ keeps of a queue itself. */
async function keysLeft(): Promise<string[]> {
  const keys = await server.redis.keys('*');
  const kept = new RegExp(`:over$|^orthant:(fits-${version}|fits-0\\.0\\.7):(meta|events|marker|id|stalled-check|completed|failed)$`);
  return keys.filter((key) => !kept.test(key));
}

describe('a sweep at a queue', () => {
  test.each([false, true])('gives the bits of one process, with shared data %s, and leaves nothing there', async (shared) => {
    const [rows, cols, seed, data] = [2 * size(4, 9) + 1, 2 * size(5, 12) + 1, size(0, 1000), size(0, 1e6)];
    const told = `${rows}×${cols}, data ${data}, seed ${seed}, shared ${shared}`;
    const name = `bits-${shared}`;
    const X = someMatrix(at(`${name}.npy`), rows, cols, data);
    const spec = await specOf({ path: at(`${name}.npy`), ranks: [[2], [3]], restarts: 4, seed, options: { maxIterations: 40 } });
    const one = worker();
    const heard: SweepProgress[] = [];
    expect(await sweep(name, spec, { shared, onProgress: (progress) => heard.push(progress) }), told).toEqual({ ran: 8, failed: 0 });
    expect(heard.at(-1), told).toMatchObject({ done: 8, failed: 0, of: 8 });
    expect(await keysLeft(), told).toEqual([]);
    const engine = await createEngine({ prefer: 'cpu' });
    for (const { id, ranks, seed } of jobsOf(spec)) {
      const alone = await nmf(engine, X, { ranks, seed, maxIterations: 40 });
      const { A, S, relativeError } = await loadModel(fitFolder(at(name), id));
      expect({ A, S, relativeError }, told).toEqual({ A: alone.A, S: alone.S, relativeError: alone.relativeError });
    }
    engine.dispose();
    expect(readdirSync(at(name, 'fits')).sort(), told).toEqual(
      jobsOf(spec)
        .map(({ id }) => id)
        .sort(),
    );
    expect(
      one.events.filter(({ type }) => type === 'done'),
      told,
    ).toHaveLength(8);
    await one.stop();
  });

  test('does what is missing, keeps why a job failed, and goes on with the others', async () => {
    someMatrix(at('some.npy'), 9, 11, size(0, 1e6));
    const spec = await specOf({ path: at('some.npy'), ranks: [[2], [100], [3]], restarts: 2, options: { maxIterations: 5 } });
    const one = worker();
    expect(await sweep('failed', spec)).toEqual({ ran: 6, failed: 2 });
    const failures = await failuresIn(at('failed'), await doneIn(at('failed')));
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatchObject({ ranks: [100], name: 'InputError', phase: 'fit', message: expect.stringContaining('100') });
    rmSync(fitFolder(at('failed'), jobsOf(spec)[0].id), { recursive: true });
    expect(await sweep('failed', spec)).toEqual({ ran: 3, failed: 2 });
    expect(await keysLeft()).toEqual([]);
    await one.stop();
  });
});
