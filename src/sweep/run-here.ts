/** A sweep on this machine: children that take its jobs one after the other. */
import { CancelledError, InputError, OrthantError } from '../errors.js';
import { type JobChild, jobChild } from './child.js';
import type { JobProgress } from './job.js';
import type { ChildSettings, JobFailure } from './messages.js';
import type { Job } from './plan.js';
import { clearFailure, doneIn, fitFolder, writeFailure } from './sweep-folder.js';

/** How often a job is begun whose process dies. */
const mostAttempts = 3;

export interface HereOptions {
  /** One child each. */
  children: readonly ChildSettings[];
  /** The module of a child: see `jobChild`. */
  entry: URL;
  /** Called when a job has ended, and while one runs. */
  onProgress?: (progress: SweepProgress) => void;
  /** Aborting kills the children and rejects with CancelledError. All models that were written stay. */
  signal?: AbortSignal;
}

export interface SweepProgress {
  /** Jobs with a model, jobs that failed, and all of them. */
  done: number;
  failed: number;
  of: number;
  /** The job that was heard of last, and how far it is; without progress it has ended. */
  job?: Job;
  progress?: JobProgress;
  /** The process of the job. */
  pid?: number;
}

/**
 * Runs the jobs that have no model in the folder of the sweep, those that failed before too. A job whose process dies is begun again, three
 * times at most; a job that fails is kept as failed, and the others go on, but for those of ranks that do not fit the data or the options.
 *
 * @throws CancelledError when `signal` is aborted; the error of a job where it comes before the fit, since every other would meet it.
 */
export async function runHere(dir: string, jobs: readonly Job[], options: HereOptions): Promise<{ ran: number; failed: number }> {
  const { children: settings, entry, onProgress, signal } = options;
  const before = await doneIn(dir);
  const waiting = jobs.filter(({ id }) => !before.has(id));
  const counts = { done: jobs.length - waiting.length, failed: 0, of: jobs.length };
  const todo = waiting.values();
  const children = settings.slice(0, waiting.length).map((one) => jobChild(entry, one));
  let broken: unknown;
  const stop = () => void Promise.all(children.map((child) => child.kill()));
  signal?.addEventListener('abort', stop, { once: true });
  onProgress?.({ ...counts });

  const over = () => signal?.aborted === true || broken !== undefined;
  // No seed changes whether data and options fit the ranks: what one fit refuses, the others would.
  const refused = new Map<string, JobFailure>();
  const work = async (child: JobChild) => {
    for (const job of todo) {
      if (over()) return;
      const tell = (progress: JobProgress) => onProgress?.({ ...counts, job, progress, pid: child.pid });
      const failure = refused.get(job.ranks.join()) ?? (await runJob(child, dir, job, { over, onProgress: tell }));
      if (over()) return;
      if (failure?.phase === 'setup') throw errorOf(failure);
      if (failure) {
        if (isInput(failure)) refused.set(job.ranks.join(), failure);
        counts.failed++;
        await writeFailure(dir, job, failure);
      } else {
        counts.done++;
        await clearFailure(dir, job.id);
      }
      onProgress?.({ ...counts, job });
    }
  };
  try {
    await Promise.all(
      children.map((child) =>
        work(child).catch((error) => {
          broken ??= error;
          stop();
        }),
      ),
    );
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all(children.map((child) => (signal?.aborted ? child.kill() : child.close())));
  }
  if (signal?.aborted) throw new CancelledError('Interrupted.');
  if (broken !== undefined) throw broken;
  return { ran: waiting.length, failed: counts.failed };
}

/** Why a job has no model; undefined where it has one. */
async function runJob(
  child: JobChild,
  dir: string,
  job: Job,
  { over, onProgress }: { over: () => boolean; onProgress: (progress: JobProgress) => void },
): Promise<JobFailure | undefined> {
  for (let attempt = 1; ; attempt++) {
    const result = await child.run({ job, into: fitFolder(dir, job.id) }, onProgress);
    if ('outcome' in result) return undefined;
    const { failure } = result;
    if (failure.phase !== 'death' || over()) return failure;
    if (attempt === mostAttempts) return { ...failure, message: `${failure.message} It was begun ${mostAttempts} times.` };
  }
}

/** A failure as an error again: the class tells the exit status. */
export function errorOf({ name, message }: JobFailure): Error {
  return isInput({ name }) ? new InputError(message) : new OrthantError(message);
}

const isInput = ({ name }: Pick<JobFailure, 'name'>) => ['InputError', 'ShapeError'].includes(name);
