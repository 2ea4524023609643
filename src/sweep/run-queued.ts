/** A sweep on a queue: its folder is filled by the results of workers. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotWrite, kindAt } from '../node/files.js';
import { removeAbandoned, temporaryName } from '../node/temporary.js';
import type { Job, SweepSpec } from './plan.js';
import { runQueued } from './queue.js';
import type { QueueServer } from './redis.js';
import type { SweepProgress } from './run-here.js';
import { clearFailure, doneIn, fitFolder, toJson, writeFailure, writeNew } from './sweep-folder.js';
import { fetchedPath, fetchStored, type Stored } from './upload.js';

export interface QueuedOptions {
  /** Whether workers read the data at their paths, on a folder that all share; else they are uploaded. */
  shared: boolean;
  onProgress?: (progress: SweepProgress) => void;
  /** A sentence for people, such as that no worker is there. */
  onNote?: (note: string) => void;
  /** Aborting takes the sweep out of the queue and rejects with CancelledError. All models that came stay. */
  signal?: AbortSignal;
}

/**
 * Has workers at a queue run the jobs that have no model in the folder of the sweep, those that failed before too. A job that fails is kept as
 * failed, and the others go on.
 *
 * @throws as `runQueued`.
 */
export async function runOnQueue(
  server: QueueServer,
  dir: string,
  spec: SweepSpec,
  jobs: readonly Job[],
  { shared, onProgress, onNote, signal }: QueuedOptions,
): Promise<{ ran: number; failed: number }> {
  const before = await doneIn(dir);
  const waiting = jobs.filter(({ id }) => !before.has(id));
  const counts = { done: jobs.length - waiting.length, failed: 0, of: jobs.length };
  onProgress?.({ ...counts });
  // Where a killed process has left something at the queue, it is taken out also if nothing is missing.
  if (waiting.length === 0 && (await kindAt(join(dir, idFile))) === 'nothing') return { ran: 0, failed: 0 };
  const jobOf = new Map(jobs.map((job) => [job.id, job]));
  await runQueued(server, {
    sweep: await sweepIdOf(dir),
    version: spec.version,
    tasks: waiting.map((job) => ({ id: job.id, task: job })),
    sources: [spec.data, ...Object.values(spec.files)],
    shared,
    async onResult(id, stored) {
      await keep(server, dir, id, stored);
      counts.done++;
      await clearFailure(dir, id);
      onProgress?.({ ...counts, job: jobOf.get(id) });
    },
    async onFailure(id, failure) {
      counts.failed++;
      await writeFailure(dir, jobOf.get(id)!, failure);
      onProgress?.({ ...counts, job: jobOf.get(id) });
    },
    onClean: () => rm(join(dir, idFile), { force: true }),
    onProgress: (id, progress) => onProgress?.({ ...counts, job: jobOf.get(id), progress }),
    onNote,
    signal,
  });
  return { ran: waiting.length, failed: counts.failed };
}

/** Fetches a model beside its place, and puts it there whole. */
async function keep({ redis }: QueueServer, dir: string, id: string, stored: Stored): Promise<void> {
  const fits = join(dir, 'fits');
  const beside = join(fits, temporaryName());
  try {
    await mkdir(beside, { recursive: true });
    await fetchStored(redis, stored, beside);
    // The same fit may have come before: its bits are the same.
    if ((await kindAt(fitFolder(dir, id))) === 'nothing') await rename(fetchedPath(stored, beside), fitFolder(dir, id));
  } catch (error) {
    throw cannotWrite(dir, error);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

const idFile = 'queue.json';

/**
 * The name that a sweep has at a queue. It is in its folder until the sweep is out of the queue, so that the same command goes on with what a
 * killed one has left there.
 */
async function sweepIdOf(dir: string): Promise<string> {
  const path = join(dir, idFile);
  await removeAbandoned(dir);
  try {
    if ((await kindAt(path)) === 'nothing') await writeNew(path, toJson({ sweep: randomBytes(8).toString('hex') }), dir);
    const { sweep } = JSON.parse(await readFile(path, 'utf8')) as { sweep?: unknown };
    if (typeof sweep === 'string' && /^[0-9a-f]{16}$/.test(sweep)) return sweep;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw cannotWrite(dir, error);
  }
  await rm(path, { force: true });
  return sweepIdOf(dir);
}
