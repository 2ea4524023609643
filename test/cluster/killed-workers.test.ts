/**
 * 60 fits on two workers, of which one is killed at a random moment: 60 results, none twice, with the bits of one process. Two rounds;
 * ORTHANT_ROUNDS=20 for more.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { createEngine, loadModel, nmf } from '../../src/node.js';
import { jobsOf, type SweepSpec } from '../../src/sweep/plan.js';
import { connectQueue, type QueueServer } from '../../src/sweep/redis.js';
import { runOnQueue } from '../../src/sweep/run-queued.js';
import { doneIn, fitFolder, openSweep } from '../../src/sweep/sweep-folder.js';
import { build } from '../support/build.js';
import { startRedis, type TestRedis } from './support.js';
import { orthant, type Started, someMatrix, specOf } from './sweeps.js';

const rounds = Number(process.env.ORTHANT_ROUNDS ?? 2);
const folder = mkdtempSync(path.join(tmpdir(), 'orthant-killed-'));
const at = (...names: string[]) => path.join(folder, ...names);
const seed = Date.now() % 2 ** 32;
const draw = random(seed);
const size = (from: number, to: number) => from + draw.integer(to - from + 1);
const told = `seed ${seed}`;
let redis: TestRedis;
let server: QueueServer;
let workers: Started[] = [];

const start = () => orthant(['work', '--queue', redis.url, '--device', 'cpu', '--lock', '1']);

beforeAll(async () => {
  await build();
  redis = await startRedis();
  server = await connectQueue(redis.url);
  workers = [start(), start()];
  await Promise.all(workers.map((worker) => worker.until('waits for fits')));
});
afterAll(async () => {
  for (const { process } of workers) process.kill('SIGKILL');
  await Promise.all(workers.map(({ ended }) => ended));
  await server?.close();
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The factors of a fit in this process, by seed and rank. */
async function inOneProcess(X: Matrix, spec: SweepSpec): Promise<Map<string, { A: Matrix[]; S: Matrix[] }>> {
  const engine = await createEngine({ prefer: 'cpu' });
  const alone = new Map<string, { A: Matrix[]; S: Matrix[] }>();
  for (const { id, ranks, seed } of jobsOf(spec)) {
    const { A, S } = await nmf(engine, X, { ...spec.options, ranks, seed });
    alone.set(id, { A, S });
  }
  engine.dispose();
  return alone;
}

test(`${rounds} rounds of 60 fits with a worker killed in each`, async () => {
  const X = someMatrix(at('X.npy'), 2 * size(5, 10) + 1, 2 * size(10, 20) + 1, size(0, 1e6));
  const options = { solver: 'mu', maxIterations: 100, tolerance: 0 };
  const spec = await specOf({ path: at('X.npy'), ranks: [[2], [3], [5]], restarts: 20, seed: size(0, 1000), options });
  const jobs = jobsOf(spec);
  const alone = await inOneProcess(X, spec);
  let midway = 0;
  for (let round = 0; round < rounds; round++) {
    const dir = at(`round-${round}`);
    await openSweep(dir, spec);
    const results = new Map<string, number>();
    const which = draw.integer(2);
    const victim = workers[which];
    const after = size(1, 50);
    let reached = () => {};
    const far = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const kill = async () => {
      await far;
      await pause(20 * draw.uniform());
      victim.process.kill('SIGKILL');
      await victim.ended;
      const last = victim.said().trimEnd().split('\n').at(-1)!;
      if (last.endsWith('begun.')) midway++;
    };
    const onProgress = ({ job, progress }: { job?: { id: string }; progress?: unknown }) => {
      if (job && progress === undefined) results.set(job.id, (results.get(job.id) ?? 0) + 1);
      if (results.size >= after) reached();
    };
    const [came] = await Promise.all([runOnQueue(server, dir, spec, jobs, { shared: false, onProgress }), kill()]);
    const where = `${told}, round ${round}`;
    expect(came, where).toEqual({ ran: 60, failed: 0 });
    expect([...results.values()], where).toEqual(Array(60).fill(1));
    expect(await doneIn(dir), where).toEqual(new Set(jobs.map(({ id }) => id)));
    for (const { id } of jobs) {
      const { A, S } = await loadModel(fitFolder(dir, id));
      expect({ A, S }, where).toEqual(alone.get(id));
    }
    workers[which] = start();
    await workers[which].until('waits for fits');
  }
  console.log(`${rounds} rounds; the worker was killed in the middle of a fit in ${midway} of them.`);
});
