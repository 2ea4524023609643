/** Sweeps at a queue, with workers in this process: what comes back, what is left, what happens when something ends. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
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
import { entry, keysLeft, node, someMatrix, specOf } from './sweeps.js';

let folder: string; // each test has one, also where it is tried once more
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
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'orthant-queue-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(async () => {
  await server?.close();
  await redis?.stop();
});

/** A worker in this process, which `stop` ends as Ctrl-C does, and so does the end of the test. */
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
  const stop = () => {
    stopping.abort();
    return ended;
  };
  // The test after one that failed would meet a worker that nobody waits for.
  onTestFinished(async () => void (await stop()));
  return {
    events,
    ended,
    on: (type: WorkerEvent['type']) => new Promise<void>((resolve) => heard.push({ type, resolve })),
    stop,
  };
}

async function sweep(name: string, spec: SweepSpec, given: Partial<QueuedOptions> = {}) {
  await openSweep(at(name), spec);
  return runOnQueue(server, at(name), spec, jobsOf(spec), { shared: false, ...given });
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
    expect(await keysLeft(server), told).toEqual([]);
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
    expect(await keysLeft(server)).toEqual([]);
    await one.stop();
  });
});

/**
 * A sweep whose fits end at their last iteration, and no sooner. 20,000 iterations took 0.8 s on the machine that ran them fastest, and a fit
 * is heard of on its way only after a second: those that are to be heard of have ten times as many, and more where nothing waits for their end.
 */
async function longSweep(name: string, restarts: number, maxIterations: number) {
  someMatrix(at(`${name}.npy`), 41, 53, size(0, 1e6));
  const options = { solver: 'mu', maxIterations, tolerance: 0 };
  return specOf({ path: at(`${name}.npy`), ranks: [[4]], restarts, options });
}

/** The first progress of a fit of a sweep, and what the sweep comes to. */
function started(name: string, spec: SweepSpec, given: Partial<QueuedOptions> = {}) {
  let tell = () => {};
  const heard = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const onProgress = ({ progress }: SweepProgress) => progress && tell();
  const end = sweep(name, spec, { ...given, onProgress }).catch((error: Error) => error);
  const tooSoon = end.then((came) => {
    throw new Error(`The sweep came to ${JSON.stringify(came)} before a fit of it was heard of: its fits need more iterations.`);
  });
  tooSoon.catch(() => {});
  return { running: Promise.race([heard, tooSoon]), end };
}

describe('what ends early', () => {
  test('a sweep takes all of it out of the queue at Ctrl-C, and its workers let their jobs go', async () => {
    const spec = await longSweep('cancelled', 5, 1_000_000);
    const one = worker();
    const stopping = new AbortController();
    const letGo = one.on('let go');
    const { running, end } = started('cancelled', spec, { signal: stopping.signal });
    await running;
    stopping.abort();
    expect(await end).toMatchObject({ name: 'CancelledError' });
    await letGo;
    expect(await keysLeft(server)).toEqual([]);
    expect([...(await doneIn(at('cancelled')))]).toEqual([]);
    // The worker is free for others.
    const small = await specOf({ path: at('cancelled.npy'), options: { maxIterations: 3 }, restarts: 2 });
    expect(await sweep('after', small)).toEqual({ ran: 2, failed: 0 });
    await one.stop();
  });

  test('a worker gives its job back at Ctrl-C, at once', async () => {
    const spec = await longSweep('returned', 1, 200_000);
    const one = worker({ lockMs: 600_000 }); // so that nothing but giving it back lets another one have it
    const { running, end } = started('returned', spec);
    await running;
    expect(await one.stop()).toMatchObject({ name: 'CancelledError' });
    const other = worker();
    expect(await end).toEqual({ ran: 1, failed: 0 });
    expect(await keysLeft(server)).toEqual([]);
    await other.stop();
  });

  test('a sweep that was killed is taken over by the same command: results, and jobs that run', async () => {
    const spec = await longSweep('taken', 4, 20_000);
    await openSweep(at('taken'), spec);
    const script = at('sweeper.mjs');
    writeFileSync(
      script,
      `const [{ connectQueue }, { runOnQueue }, { jobsOf }] = await Promise.all(['redis', 'run-queued', 'plan'].map((name) => import(\`file://${path.resolve('dist/sweep')}/\${name}.js\`)));
       const spec = ${JSON.stringify(spec)};
       const server = await connectQueue('${redis.url}');
       await runOnQueue(server, '${at('taken')}', spec, jobsOf(spec), { shared: false, onProgress: ({ done }) => console.log(\`done \${done}\`) });`,
    );
    const killed = node(script);
    const one = worker();
    await killed.until('done 1');
    killed.process.kill('SIGKILL');
    await killed.ended;
    const had = (await doneIn(at('taken'))).size;
    expect(await sweep('taken', spec)).toEqual({ ran: 4 - had, failed: 0 });
    await one.stop();
    expect(readdirSync(at('taken')).sort()).toEqual(['failed', 'fits', 'sweep.json']);
    // Each was computed once: what ran went on, what was done came back.
    expect(one.events.filter(({ type }) => type === 'done')).toHaveLength(4);
    expect(await keysLeft(server)).toEqual([]);
  });

  test('two processes cannot collect one sweep', async () => {
    const spec = await longSweep('twice', 1, 1_000_000);
    const stopping = new AbortController();
    const one = worker();
    const { running, end } = started('twice', spec, { signal: stopping.signal });
    await running;
    await expect(sweep('twice', spec)).rejects.toThrow(
      new RegExp(`is being collected by .*, process ${process.pid}. Wait for that, or stop it`),
    );
    stopping.abort();
    await end;
    await one.stop();
  });

  test('a Redis that was started anew gets all again that is missing', async () => {
    const own = await startRedis();
    const there = await connectQueue(own.url);
    const spec = await longSweep('anew', 3, 20_000);
    await openSweep(at('anew'), spec);
    const notes: string[] = [];
    const events: WorkerEvent[] = [];
    const stopping = new AbortController();
    let restarted: Promise<void> | undefined;
    const onProgress = ({ done }: SweepProgress) => {
      if (done === 1) restarted ??= own.kill().then(() => own.restart());
    };
    const workersServer = await connectQueue(own.url);
    const ended = workAt(workersServer, {
      ...{ version, settings: { device: 'cpu' as const }, entry, lockMs: 1000, signal: stopping.signal },
      onEvent: (event) => events.push(event),
    }).catch((error: Error) => error);
    const onNote = (note: string) => notes.push(note);
    expect(await runOnQueue(there, at('anew'), spec, jobsOf(spec), { shared: false, onProgress, onNote })).toEqual({ ran: 3, failed: 0 });
    await restarted;
    const told = events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
    expect(told).toEqual([`${own.url} does not answer; the worker tries again until it does.`, `${own.url} answers again.`]);
    stopping.abort();
    await ended;
    await Promise.all([there.close(), workersServer.close()]);
    await own.stop();
  });
});

describe('a worker', () => {
  test('of another version sees no job, and says of which version they are', async () => {
    const spec = { ...(await longSweep('version', 2, 5)), version: '0.0.7' };
    const stopping = new AbortController();
    const notes: string[] = [];
    const one = worker();
    await one.on('ready');
    const told = new Promise<void>((resolve) => {
      const onNote = (note: string) => {
        notes.push(note);
        resolve();
      };
      void sweep('version', spec, { signal: stopping.signal, onNote }).catch(() => {});
    });
    await Promise.all([told, one.on('note')]);
    expect(notes).toEqual([
      `No worker of orthant 0.0.7 is at ${redis.url}. Start one: orthant work --queue ${redis.url}. Those that are there are of orthant ${version}.`,
    ]);
    expect(one.events.map((event) => event.type)).toEqual(['ready', 'note']);
    expect(one.events[1]).toMatchObject({
      message: expect.stringContaining(`is of orthant 0.0.7, and this worker is of orthant ${version}`),
    });
    stopping.abort();
    await one.stop();
  });

  test('gives a job back whose data are not at its machine, or are others, and the next one does it', async () => {
    const spec = await longSweep('shared', 2, 5);
    mkdirSync(at('none'));
    mkdirSync(at('other'));
    someMatrix(at('other', 'shared.npy'), 3, 4, 1);
    mkdirSync(at('right'));
    copyFileSync(at('shared.npy'), at('right', 'shared.npy'));
    const notes: string[] = [];
    const end = sweep('shared', spec, { shared: true, onNote: (note) => notes.push(note) });
    const none = await worker({ dir: at('none') }).ended;
    expect(none).toMatchObject({
      name: 'InputError',
      message: expect.stringContaining(
        `there is no '${at('none', 'shared.npy')}'. Name another folder by --dir, or file the sweep without --shared.`,
      ),
    });
    const other = await worker({ dir: at('other') }).ended;
    expect(other).toMatchObject({
      name: 'InputError',
      message: expect.stringContaining('is not the data of this sweep: its SHA-256 begins with'),
    });
    const right = worker({ dir: at('right') });
    expect(await end).toEqual({ ran: 2, failed: 0 });
    await right.stop();
    expect(await keysLeft(server)).toEqual([]);
  });

  test('that cannot run a job ends; a job that three have refused counts as failed', async () => {
    const spec = await longSweep('refused', 1, 5);
    const end = sweep('refused', spec, { shared: true });
    mkdirSync(at('empty'));
    for (let refused = 0; refused < 2; refused++) expect(await worker({ dir: at('empty') }).ended).toBeInstanceOf(Error);
    const third = worker({ dir: at('empty') });
    expect(await end).toEqual({ ran: 1, failed: 1 });
    await third.stop();
    expect(await failuresIn(at('refused'), new Set())).toMatchObject([{ message: expect.stringContaining("there is no '") }]);
  });

  test('ends by itself when there is no job', async () => {
    const one = worker({ idleMs: 300 });
    expect(await one.ended).toEqual({ done: 0, failed: 0 });
  });
});
