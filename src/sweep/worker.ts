/** A worker at a queue: it takes the fits of sweeps one after the other, and runs each in a process of its own. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, utimes } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job as QueueJob, Worker } from 'bullmq';
import { CancelledError, InputError, OrthantError } from '../errors.js';
import { kindAt } from '../node/files.js';
import { removeAbandoned, temporaryName } from '../node/temporary.js';
import type { BatchJob } from './batch-job.js';
import { jobChild } from './child.js';
import type { JobProgress } from './job.js';
import type { ChildSettings, JobFailure, JobResult } from './messages.js';
import { type Job, nameOf } from './plan.js';
import type { Place, Queued, Returned } from './queue.js';
import { type Announced, fitsQueue, keysOf, type QueueServer, sweepsKey } from './redis.js';
import { fetchedPath, fetchStored, store } from './upload.js';

/** How often a worker begins a job whose process dies. */
const mostDeaths = 3;

/** How many workers may give a job back before it counts as failed. */
const mostReturns = 3;

/** How often a job may lose its worker before it counts as failed. */
const mostStalls = 5;

/** Milliseconds between two messages about the progress of a job, and between two looks at whether its sweep is over. */
const tellMs = 1000;

/** Milliseconds between two looks for sweeps of other versions. */
const lookMs = 5000;

export interface WorkerOptions {
  /** The version of orthant, whose jobs alone it takes. */
  version: string;
  settings: ChildSettings;
  /** The module of the process of fits: see `jobChild`. */
  entry: URL;
  /** The folder where files of sweeps with shared data lie on this machine, by their own names; else they are at the paths of the sweep. */
  dir?: string;
  /** Milliseconds after which a job goes to another worker once this one is gone. */
  lockMs: number;
  /** It ends when there was no job for so many milliseconds. */
  idleMs?: number;
  onEvent?: (event: WorkerEvent) => void;
  /** Aborting gives the job back and rejects with CancelledError. */
  signal?: AbortSignal;
}

/** What a worker tells people. */
export type WorkerEvent =
  | { type: 'ready' }
  | { type: 'begun' | 'done'; name: string; elapsedMs?: number }
  | { type: 'failed'; name: string; message: string }
  | { type: 'let go'; name: string }
  /** Sentences. */
  | { type: 'note'; message: string };

/** Thrown in a job that is to be neither done nor failed here. */
class LetGo extends Error {}

/**
 * Takes jobs until it is told to end.
 *
 * @returns how many it has done and how many have failed, where it ends by `idleMs`.
 * @throws CancelledError when `signal` is aborted; InputError where data are not at this machine, or not those of the sweep, and what else
 * keeps every fit from running here: the job goes back to the queue.
 */
export async function workAt(server: QueueServer, options: WorkerOptions): Promise<{ done: number; failed: number }> {
  const { bullmq, redis } = server;
  const { version, lockMs, idleMs, onEvent, signal } = options;
  if (signal?.aborted) throw new CancelledError('Interrupted.');
  // A worker that was killed could not remove its own.
  await removeAbandoned(tmpdir());
  const folder = join(tmpdir(), temporaryName());
  await mkdir(folder);
  const child = jobChild(options.entry, options.settings);
  const data = dataIn(join(folder, 'data'), server, options.dir);
  const counts = { done: 0, failed: 0 };
  const lost = new Set<string>();
  let ending: { error?: unknown } | undefined;
  let ended = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const endWith = (how: { error?: unknown }) => {
    ending ??= how;
    void child.kill();
    ended();
  };
  let latest = performance.now();
  let busy = false;

  const run = async (job: QueueJob<Queued, Returned>, token = ''): Promise<Returned> => {
    const name = nameOf(job.data.task as Job | BatchJob);
    busy = true;
    const from = performance.now();
    onEvent?.({ type: 'begun', name });
    try {
      const returned = await fitOf(server, job, { child, data, folder, ending: () => ending !== undefined, lost: (id) => lost.has(id) });
      counts.done++;
      onEvent?.({ type: 'done', name, elapsedMs: performance.now() - from });
      return returned;
    } catch (error) {
      if (ending !== undefined) return await giveBack(job, token);
      if (error instanceof LetGo) {
        onEvent?.({ type: 'let go', name });
        lost.delete(job.id!);
        throw new bullmq.UnrecoverableError('Its sweep is over, or another worker has it.');
      }
      if (error instanceof Refused && (await isMine(server, job, error))) {
        endWith({ error: errorOf(error.failure, job.data) });
        return await giveBack(job, token);
      }
      const failure = error instanceof Failed ? error.failure : { name: (error as Error).name, message: (error as Error).message };
      counts.failed++;
      onEvent?.({ type: 'failed', name, message: failure.message });
      throw new bullmq.UnrecoverableError(`${failure.name}: ${failure.message}`);
    } finally {
      busy = false;
      latest = performance.now();
    }
  };
  const giveBack = async (job: QueueJob<Queued, Returned>, token: string): Promise<never> => {
    await job.moveToWait(token);
    throw new bullmq.WaitingError();
  };

  const worker: Worker<Queued, Returned> = new bullmq.Worker<Queued, Returned>(fitsQueue(version), run, {
    ...server.options,
    name: `${hostname()}-${process.pid}`,
    concurrency: 1,
    lockDuration: lockMs,
    stalledInterval: Math.max(lockMs / 2, 500),
    maxStalledCount: mostStalls,
  });
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) lost.add(id);
  });
  const connection = connectionNotes(server, worker, onEvent);
  const stop = () => endWith({ error: new CancelledError('Interrupted.') });
  signal?.addEventListener('abort', stop, { once: true });
  const others = otherVersions(server, version, onEvent);
  const timer = setInterval(() => void others().catch(() => {}), lookMs);
  const idle = setInterval(() => {
    if (idleMs !== undefined && !busy && performance.now() - latest > idleMs) endWith({});
  }, 100);
  try {
    await Promise.race([worker.waitUntilReady(), end]);
    onEvent?.({ type: 'ready' });
    await others();
    await end;
  } finally {
    clearInterval(timer);
    clearInterval(idle);
    signal?.removeEventListener('abort', stop);
    connection.silence();
    const answers = redis.status === 'ready';
    await Promise.race([worker.close(!answers).catch(() => {}), pause(5000, undefined, { ref: false })]);
    await child.close();
    await rm(folder, { recursive: true, force: true });
  }
  if (ending?.error !== undefined) throw ending.error;
  return counts;
}

/** A failure of the fit itself, which any worker would meet. */
class Failed extends Error {
  readonly failure: JobFailure;
  constructor(failure: JobFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** A failure before the fit, of which another worker may be free. */
class Refused extends Failed {}

interface Means {
  child: ReturnType<typeof jobChild>;
  data: ReturnType<typeof dataIn>;
  folder: string;
  /** Whether the worker is about to end. */
  ending: () => boolean;
  /** Whether the queue takes a job for that of another worker. */
  lost: (queueId: string) => boolean;
}

/** Runs a job in the child, and stores its result. Throws LetGo, Refused or Failed. */
async function fitOf(
  server: QueueServer,
  job: QueueJob<Queued, Returned>,
  { child, data, folder, ending, lost }: Means,
): Promise<Returned> {
  const { redis } = server;
  const { sweep, id, task } = job.data;
  const keys = keysOf(sweep);
  const isOver = async () => (await redis.exists(keys.over)) === 1;
  const out = join(folder, 'out');
  const into = join(out, id);
  const cleared = rm(out, { recursive: true, force: true }).then(() => mkdir(out, { recursive: true }));
  // Asked at once: a job should wait for as few answers as can be.
  const [gone, found] = await Promise.all([isOver(), data(sweep).catch((error: Error) => error), cleared]);
  if (gone) throw new LetGo();
  if (found instanceof Error) throw new Refused({ name: found.name, message: found.message, phase: 'setup' });
  const places = found as Record<string, string>;

  let over = false;
  const watch = setInterval(async () => {
    over ||= lost(job.id!) || (await isOver().catch(() => false));
    if (over) await child.kill();
    // A folder that nobody touches for a day counts as abandoned.
    const now = new Date();
    await utimes(folder, now, now).catch(() => {});
  }, tellMs);
  // A fit that takes less than that says nothing on the way.
  let told = performance.now();
  const tell = (progress: JobProgress) => {
    if (performance.now() - told < tellMs) return;
    told = performance.now();
    job.updateProgress({ ...progress }).catch(() => {});
  };
  try {
    for (let attempt = 1; ; attempt++) {
      if (ending() || over) throw new LetGo();
      const result: JobResult = await child.run({ job: task as Job | BatchJob, into, places }, tell);
      if (over) throw new LetGo();
      if ('outcome' in result) break;
      const { failure } = result;
      if (failure.phase === 'setup') throw new Refused(failure);
      if (failure.phase === 'fit' || ending()) throw new Failed(failure);
      if (attempt === mostDeaths) throw new Failed({ ...failure, message: `${failure.message} It was begun ${mostDeaths} times.` });
    }
  } finally {
    clearInterval(watch);
  }
  const key = keys.result(id, randomBytes(4).toString('hex'));
  const [, stored] = await Promise.all([redis.sadd(keys.contents, key), store(redis, key, into)]);
  if (await isOver()) {
    await Promise.all([redis.unlink(key), redis.srem(keys.contents, key)]);
    throw new LetGo();
  }
  return { stored };
}

/** Whether a refusal is to end this worker; false where so many have refused the job that it counts as failed. */
async function isMine({ redis }: QueueServer, { data: { sweep, id } }: QueueJob<Queued>, { failure }: Refused): Promise<boolean> {
  const keys = keysOf(sweep);
  const returns = await redis.hincrby(keys.returned, id, 1);
  await redis.rpush(keys.refusals, `A worker at ${hostname()} gave its job back and ended: ${failure.message}`);
  return returns < mostReturns;
}

function errorOf({ name, message }: JobFailure, { task }: Queued): Error {
  const words = `The job of ${nameOf(task as Job | BatchJob)} went back to the queue, for it cannot run here: ${message}`;
  return name === 'InputError' || name === 'ShapeError' ? new InputError(words) : new OrthantError(words);
}

/** Files of the sweep that has had the last job, each at a path of this machine, by its hash. The process of the fit verifies them. */
function dataIn(folder: string, { redis }: QueueServer, dir: string | undefined) {
  let latest: { json: string; paths: Promise<Record<string, string>> } | undefined;
  const pathsOf = async (json: string) => {
    await rm(folder, { recursive: true, force: true });
    const paths: Record<string, string> = {};
    for (const [hash, place] of Object.entries(JSON.parse(json) as Record<string, Place>)) {
      if ('stored' in place) {
        const into = join(folder, hash);
        await fetchStored(redis, place.stored, into);
        paths[hash] = fetchedPath(place.stored, into);
        continue;
      }
      const path = dir === undefined ? place.path : join(dir, basename(place.path));
      if ((await kindAt(path)) === 'nothing')
        throw new InputError(
          `The data of the sweep are not on this machine: there is no '${path}'. ${dir === undefined ? 'Name the folder that holds them by --dir' : 'Name another folder by --dir'}, or file the sweep without --shared.`,
        );
      paths[hash] = path;
    }
    return paths;
  };
  return async (sweep: string): Promise<Record<string, string>> => {
    const json = await redis.get(keysOf(sweep).sources);
    if (json === null) throw new OrthantError('Redis no longer has the data of the sweep.');
    if (latest?.json !== json) latest = { json, paths: pathsOf(json) };
    try {
      return await latest.paths;
    } catch (error) {
      latest = undefined;
      throw error;
    }
  };
}

/** Tells once of each sweep whose jobs are of another version of orthant. */
function otherVersions({ redis, shown }: QueueServer, version: string, onEvent: WorkerOptions['onEvent']) {
  const told = new Set<string>();
  return async () => {
    for (const [sweep, json] of Object.entries(await redis.hgetall(sweepsKey))) {
      const { version: other, by } = JSON.parse(json) as Announced;
      if (other === version || told.has(sweep)) continue;
      told.add(sweep);
      const message = `The sweep of ${by} at ${shown} is of orthant ${other}, and this worker is of orthant ${version}, which may give other bits: it takes none of its jobs. Start a worker of orthant ${other} for them.`;
      onEvent?.({ type: 'note', message });
    }
  };
}

/** Tells when Redis goes away and when it is back. */
function connectionNotes({ redis, shown }: QueueServer, worker: Worker, onEvent: WorkerOptions['onEvent']) {
  let [lost, silent] = [false, false];
  const note = (message: string) => silent || onEvent?.({ type: 'note', message });
  // Its own words for what the queue has told already, or a connection that comes back by itself.
  worker.on('error', () => {});
  const close = () => {
    if (!lost) note(`${shown} does not answer; the worker tries again until it does.`);
    lost = true;
  };
  const ready = () => {
    if (lost) note(`${shown} answers again.`);
    lost = false;
  };
  redis.on('close', close).on('ready', ready);
  return {
    silence() {
      silent = true;
      redis.off('close', close).off('ready', ready);
    },
  };
}
