/** What a queue adds to a job: the same small fits by a child of this process, and by one worker at a Redis of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { version } from '../../src/cli/run-fit.js';
import { jobsOf } from '../../src/sweep/plan.js';
import { connectQueue } from '../../src/sweep/redis.js';
import { runHere, type SweepProgress } from '../../src/sweep/run-here.js';
import { runOnQueue } from '../../src/sweep/run-queued.js';
import { openSweep } from '../../src/sweep/sweep-folder.js';
import { workAt } from '../../src/sweep/worker.js';
import { startRedis } from '../../test/cluster/support.js';
import { entry, someMatrix, specOf } from '../../test/cluster/sweeps.js';
import { build } from '../../test/support/build.js';

const fits = 60;
const repeats = 7;
const limitMs = 50;
const results = new URL('../results/queue.json', import.meta.url);

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds a job from the end of the first, before which processes start and read the data. */
async function perJob(run: (onProgress: (progress: SweepProgress) => void) => Promise<unknown>): Promise<number> {
  const ends: number[] = [];
  await run(({ job, progress }) => {
    if (job && progress === undefined) ends.push(performance.now());
  });
  return (ends[ends.length - 1] - ends[0]) / (ends.length - 1);
}

export async function main(): Promise<void> {
  await build();
  const folder = mkdtempSync(path.join(tmpdir(), 'orthant-bench-queue-'));
  const redis = await startRedis();
  const server = await connectQueue(redis.url);
  const own = await connectQueue(redis.url);
  const stopping = new AbortController();
  const settings = { device: 'cpu' as const };
  const ended = workAt(own, { version, settings, entry, lockMs: 30_000, signal: stopping.signal }).catch(() => {});
  try {
    const file = path.join(folder, 'X.npy');
    someMatrix(file, 21, 31, 1);
    const spec = await specOf({ path: file, ranks: [[2]], restarts: fits, options: { maxIterations: 20 } });
    const jobs = jobsOf(spec);
    const here: number[] = [];
    const queued: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const dirs = ['here', 'queued'].map((name) => path.join(folder, `${name}-${repeat}`));
      for (const dir of dirs) {
        mkdirSync(dir);
        await openSweep(dir, spec);
      }
      here.push(await perJob((onProgress) => runHere(dirs[0], jobs, { children: [settings], entry, onProgress })));
      queued.push(await perJob((onProgress) => runOnQueue(server, dirs[1], spec, jobs, { shared: false, onProgress })));
    }
    const added = median(queued) - median(here);
    const round = (x: number) => Number(x.toFixed(2));
    const machine = `${availableParallelism()} × ${cpus()[0].model.trim()}`;
    const redisVersion = /redis_version:(\S+)/.exec(await server.redis.info('server'))?.[1];
    const result = {
      date: new Date().toISOString().slice(0, 10),
      machine,
      // Other work on the machine is in every figure.
      loadOfAMinute: round(loadavg()[0]),
      redis: redisVersion,
      fits,
      repeats,
      msAJobHere: here.map(round),
      msAJobQueued: queued.map(round),
      msAdded: round(added),
      limitMs,
    };
    writeFileSync(results, `${JSON.stringify(result, null, 2)}\n`);
    console.log(
      `${fits} fits, median of ${repeats}: ${median(here).toFixed(1)} ms a job by a child, ${median(queued).toFixed(1)} ms by a worker at a queue: the queue adds ${added.toFixed(1)} ms (limit ${limitMs} ms). ${machine}, Redis ${redisVersion}.`,
    );
    if (added > limitMs) process.exitCode = 1;
  } finally {
    stopping.abort();
    await ended;
    await Promise.all([own.close(), server.close()]);
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
