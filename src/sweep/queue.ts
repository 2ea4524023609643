/**
 * A sweep on a queue, seen from the process that files it. Every fit is a job of BullMQ, and all are children of one that collects. Workers
 * (worker.ts) take them; their results come back in chunks, whether or not anybody shares a folder.
 */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FlowJob, JobProgress as Told, Worker } from 'bullmq';
import { CancelledError, InputError } from '../errors.js';
import type { JobProgress } from './job.js';
import type { JobFailure } from './messages.js';
import type { Source } from './plan.js';
import { type Announced, collecting, fitsQueue, keysOf, type QueueServer, queueId, sweepQueue, sweepsKey, workersAt } from './redis.js';
import { type Stored, store } from './upload.js';

/** Where a worker finds a file: in Redis, or at its path on a folder that it shares. */
export type Place = { path: string } | { stored: Stored };

/** What a job of the queue holds. It is plain JSON. */
export interface Queued {
  sweep: string;
  id: string;
  /** What the process of the fit gets. */
  task: unknown;
}

/** What a job of the queue returns. */
export interface Returned {
  stored: Stored;
}

/** What is filed. */
export interface Filing {
  /** Hexadecimal digits, the same when the sweep is started again. */
  sweep: string;
  version: string;
  tasks: readonly { id: string; task: unknown }[];
  /** The files that tasks read. */
  sources: readonly Source[];
  /** Whether workers read them at their paths; else they are uploaded. */
  shared: boolean;
  /** Takes the result of a task. It is called once for each that has one. */
  onResult: (id: string, stored: Stored) => Promise<void>;
  /** Takes why a task has none. */
  onFailure: (id: string, failure: JobFailure) => Promise<void>;
  /** Called when nothing of the sweep is left in the Redis. */
  onClean?: () => Promise<void>;
  onProgress?: (id: string, progress: JobProgress) => void;
  /** A sentence for people, such as that no worker is there. */
  onNote?: (note: string) => void;
  /** Aborting takes the sweep out of the queue and rejects with CancelledError. */
  signal?: AbortSignal;
}

/** Milliseconds between two looks at the queue. Events tell sooner; a look finds what they have missed. */
const lookMs = 3000;

/** Milliseconds after which a sweep has nobody who collects it, once its process is gone. */
const ownerMs = 30_000;

/** Milliseconds that a worker has to let a job go before the job is taken from it. */
const letGoMs = 8000;

/** Milliseconds that cleaning may take where Redis does not answer. */
const longestCleanMs = 20_000;

/** Seconds for which a sweep is known to be over. */
const overSeconds = 86_400;

const here = () => `${hostname()}, process ${process.pid}`;

/**
 * Files the tasks and waits until each has a result or a failure; then nothing of the sweep is left in the Redis. What is there of the same
 * sweep, left by a process that was killed, is taken over: its results, and the jobs that run.
 *
 * @throws CancelledError when `signal` is aborted; InputError where another process collects the sweep; the first error of `onResult` or
 * `onFailure`.
 */
export async function runQueued(server: QueueServer, filing: Filing): Promise<void> {
  const { signal } = filing;
  if (signal?.aborted) throw new CancelledError('Interrupted.');
  const owned = await own(server, filing);
  const board = boardOf(server, filing.sweep, filing.version);
  let cancel = () => {};
  const aborted = new Promise<'aborted'>((resolve) => {
    cancel = () => resolve('aborted');
    signal?.addEventListener('abort', cancel, { once: true });
  });
  const collector = collectorOf(server, board, filing);
  const left = (why: string) =>
    filing.onNote?.(`${why}, so jobs of this sweep and their results are still at ${server.shown}; the same command goes on with them.`);
  try {
    const how = await Promise.race([collector.run().then(() => 'done' as const), aborted]);
    await collector.stop();
    const cleaned = await Promise.race([clean(server, board, filing).then(() => true), pause(longestCleanMs, false, { ref: false })]);
    if (cleaned) await filing.onClean?.();
    else left('Redis does not answer');
    if (how === 'aborted') throw new CancelledError('Interrupted.');
  } catch (error) {
    // What workers have computed outlasts a full disk here.
    if (!(error instanceof CancelledError)) left('The sweep has ended early');
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    await collector.stop();
    await owned.release();
    await board.close();
  }
}

/** Takes the sweep for this process. Throws InputError where another one has it. */
async function own({ redis }: QueueServer, { sweep }: Filing): Promise<{ release(): Promise<void> }> {
  const { owner } = keysOf(sweep);
  const name = here();
  const taken = await redis.set(owner, name, 'PX', ownerMs, 'NX');
  if (taken === null) {
    const other = await redis.get(owner);
    if (other !== null && !isGone(other))
      throw new InputError(
        `The sweep is being collected by ${other}. Wait for that, or stop it; if it was killed, start again in ${ownerMs / 1000} s.`,
      );
    await redis.set(owner, name, 'PX', ownerMs);
  }
  const timer = setInterval(() => void redis.set(owner, name, 'PX', ownerMs).catch(() => {}), ownerMs / 3);
  return {
    async release() {
      clearInterval(timer);
      await Promise.race([redis.del(owner), pause(1000, undefined, { ref: false })]).catch(() => {});
    },
  };
}

/** Whether a process of this machine has ended; false for those of others. */
function isGone(name: string): boolean {
  const [, host, pid] = /^(.*), process (\d+)$/.exec(name) ?? [];
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** The queues of a sweep. */
function boardOf({ bullmq, options }: QueueServer, sweep: string, version: string) {
  const fits = new bullmq.Queue(fitsQueue(version), options);
  const own = new bullmq.Queue(sweepQueue(sweep), options);
  const flow = new bullmq.FlowProducer(options);
  const events = new bullmq.QueueEvents(fitsQueue(version), options);
  const all = [fits, own, flow, events];
  // Connections come back by themselves, and commands wait for that.
  const ignored = () => {};
  fits.on('error', ignored);
  own.on('error', ignored);
  flow.on('error', ignored);
  events.on('error', ignored);
  return {
    fits,
    own,
    flow,
    events,
    close: async () => {
      await Promise.race([Promise.all(all.map((one) => one.close().catch(() => {}))), pause(2000, undefined, { ref: false })]);
    },
  };
}

type Board = ReturnType<typeof boardOf>;

function collectorOf(server: QueueServer, board: Board, filing: Filing) {
  const { redis, bullmq, options } = server;
  const { sweep, tasks, onResult, onFailure, onProgress } = filing;
  const idOf = new Map(tasks.map(({ id }) => [queueId(sweep, id), id]));
  const missing = new Set(tasks.map(({ id }) => id));
  const taking = new Map<string, Promise<void>>();
  const tellNotes = notesOf(server, filing);
  const inTurn = inTurns(4);
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const fail = (error: unknown) => settle?.reject(error);
  const check = () => {
    if (missing.size === 0) settle?.resolve();
  };

  /** Once for each id, whoever says it: an event, a look, or the job that collects. */
  const take = (id: string | undefined, what: () => Promise<void>) => {
    if (stopped || id === undefined || !missing.has(id) || taking.has(id)) return;
    const work = inTurn(what)
      .then(() => {
        missing.delete(id);
        check();
      })
      .catch(fail)
      .finally(() => taking.delete(id));
    taking.set(id, work);
  };
  const completed = (id: string | undefined, value: unknown) =>
    take(id, async () => {
      const { stored } = (typeof value === 'string' ? JSON.parse(value) : value) as Returned;
      await onResult(id!, stored);
      await redis.del(stored.key);
    });
  const failed = (id: string | undefined, reason: string) => take(id, () => onFailure(id!, failureOf(reason)));

  /** What has settled so far, by the job that collects. False where it is not there. */
  const look = async (): Promise<boolean> => {
    const parent = await board.own.getJob(collecting);
    if (!parent) return false;
    const short = (key: string) => idOf.get(key.slice(key.lastIndexOf(':') + 1));
    const [values, failures] = await Promise.all([parent.getChildrenValues(), parent.getIgnoredChildrenFailures()]);
    for (const [key, value] of Object.entries(values)) completed(short(key), value);
    for (const [key, reason] of Object.entries(failures)) failed(short(key), reason);
    return true;
  };
  const lookAgain = async () => {
    if (await look()) await tellNotes();
    // A Redis that was started anew, without what it held.
    else if (missing.size > 0 && !stopped) await file(server, board, filing, missing);
  };

  return {
    async run() {
      const done = new Promise<void>((resolve, reject) => {
        settle = { resolve, reject };
      });
      done.catch(() => {});
      board.events.on('completed', ({ jobId, returnvalue }) => completed(idOf.get(jobId), returnvalue));
      board.events.on('failed', ({ jobId, failedReason }) => failed(idOf.get(jobId), failedReason));
      board.events.on('progress', ({ jobId, data }: { jobId: string; data: Told }) => {
        const id = idOf.get(jobId);
        if (id !== undefined && missing.has(id)) onProgress?.(id, data as unknown as JobProgress);
      });
      await board.events.waitUntilReady();
      await takeOver(board, filing, { completed });
      await Promise.all(taking.values());
      if (missing.size > 0) await file(server, board, filing, missing);
      check();
      worker = new bullmq.Worker(sweepQueue(sweep), async () => void (await look()), options);
      worker.on('error', () => {});
      const again = () => {
        timer = setTimeout(() => {
          lookAgain()
            .catch(fail)
            .finally(() => !stopped && again());
        }, lookMs);
      };
      again();
      await done;
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      clearTimeout(timer);
      await Promise.race([Promise.all([...taking.values(), worker?.close(true)]), pause(letGoMs, undefined, { ref: false })]);
    },
  };
}

/** What a process that was killed has left of the same sweep: results are taken, failed jobs leave, those that wait or run stay. */
async function takeOver(
  { fits, own }: Board,
  { sweep, tasks }: Filing,
  { completed }: { completed: (id: string, value: unknown) => void },
): Promise<void> {
  const parent = await own.getJob(collecting);
  if (!parent) return;
  for (const { id } of tasks) {
    const job = await fits.getJob(queueId(sweep, id));
    if (!job) continue;
    if (await job.isCompleted()) completed(id, job.returnvalue);
    else if (await job.isFailed()) await job.remove();
  }
  // One that no longer waits for children would not wait for new ones either.
  if (!(await parent.isWaitingChildren())) await own.obliterate({ force: true });
}

/** Files what is missing; jobs that are there stay as they are. */
async function file(server: QueueServer, { flow }: Board, filing: Filing, missing: ReadonlySet<string>): Promise<void> {
  const { redis } = server;
  const { sweep, version, tasks } = filing;
  const { over, jobs } = keysOf(sweep);
  await redis.del(over);
  await placeSources(server, filing);
  await redis.hset(sweepsKey, sweep, JSON.stringify({ version, by: here() } satisfies Announced));
  const children: FlowJob[] = tasks
    .filter(({ id }) => missing.has(id))
    .map(({ id, task }) => ({
      name: 'fit',
      queueName: fitsQueue(version),
      data: { sweep, id, task } satisfies Queued,
      opts: { jobId: queueId(sweep, id), ignoreDependencyOnFailure: true, attempts: 1, stackTraceLimit: 0 },
    }));
  await redis.sadd(jobs, ...children.map(({ opts }) => opts!.jobId!));
  await flow.add({ name: collecting, queueName: sweepQueue(sweep), data: {}, opts: { jobId: collecting }, children });
}

/** Uploads the files that tasks read, or says at which path they are. Throws where one has changed since it was hashed: workers see that. */
async function placeSources({ redis }: QueueServer, { sweep, sources, shared }: Filing): Promise<void> {
  const keys = keysOf(sweep);
  const before = JSON.parse((await redis.get(keys.sources)) ?? '{}') as Record<string, Place>;
  const places: Record<string, Place> = {};
  for (const { hash, path } of sources) {
    const there = before[hash];
    if (shared) places[hash] = { path: resolve(path) };
    else if (there && 'stored' in there && (await redis.exists(there.stored.key)) === 1) places[hash] = there;
    else {
      const key = keys.data(hash);
      await redis.sadd(keys.contents, key);
      places[hash] = { stored: await store(redis, key, path) };
    }
  }
  await redis.set(keys.sources, JSON.stringify(places));
}

/** Takes all of a sweep out of the Redis. Workers that run one of its jobs let it go; of those that are gone it is taken. */
async function clean({ redis }: QueueServer, { fits, own }: Board, { sweep }: Filing): Promise<void> {
  const keys = keysOf(sweep);
  await redis.set(keys.over, '1', 'EX', overSeconds);
  await redis.hdel(sweepsKey, sweep);
  const inTurn = inTurns(50);
  let left = await redis.smembers(keys.jobs);
  for (const from = Date.now(); left.length > 0; left.length > 0 && (await pause(100))) {
    const late = Date.now() - from > letGoMs;
    const locked: string[] = [];
    const removed = async (id: string) => {
      if (late) await redis.del(`${fits.toKey(id)}:lock`);
      const job = await fits.getJob(id);
      await job?.remove().catch(() => locked.push(id));
    };
    await Promise.all(left.map((id) => inTurn(() => removed(id))));
    left = locked;
  }
  await own.obliterate({ force: true });
  const contents = await redis.smembers(keys.contents);
  for (const key of contents) await redis.unlink(key);
  await redis.unlink(keys.contents, keys.jobs, keys.sources, keys.owner, keys.returned, keys.refusals);
}

/** The failure in the words that a worker gave to its job. */
export function failureOf(reason: string): JobFailure {
  const [, name, message] = /^(\w+Error): (.*)$/s.exec(reason) ?? [];
  if (name !== undefined) return { name, message, phase: 'fit' };
  if (/stalled/.test(reason))
    return { name: 'OrthantError', message: 'Every worker that took it has ended, or lost Redis, before the fit.', phase: 'death' };
  return { name: 'Error', message: reason, phase: 'fit' };
}

/** What people at the queue should know, each once: that nobody works there, and why workers gave jobs back. */
function notesOf({ redis, shown }: QueueServer, { version, sweep, onNote }: Filing) {
  const told = new Set<string>();
  const tell = (note: string) => {
    if (!told.has(note)) onNote?.(note);
    told.add(note);
  };
  return async () => {
    if (!onNote) return;
    const versions = await workersAt(redis);
    const others = [...new Set(versions)].filter((one) => one !== version);
    if (!versions.includes(version)) {
      const also = others.length > 0 ? ` Those that are there are of orthant ${others.join(', ')}.` : '';
      tell(`No worker of orthant ${version} is at ${shown}. Start one: orthant work --queue ${shown}.${also}`);
    }
    for (const refusal of await redis.lrange(keysOf(sweep).refusals, 0, -1)) tell(refusal);
  };
}

/** Runs work, so many at a time. */
function inTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running === atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
