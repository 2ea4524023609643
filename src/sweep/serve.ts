/** The inside of a process that runs jobs: see child.ts. */
import type { Engine } from '../engine.js';
import { createEngine } from '../node/engine.js';
import { findTuning } from '../node/tuning-store.js';
import type { BatchData } from '../ranks/batches.js';
import { checkVersion, fitJob, type JobInputs, type JobProgress, type JobReader, saveJob } from './job.js';
import type { ChildSettings, FromChild, JobFailure, JobResult, Task, ToChild } from './messages.js';
import { canonical, type Job, type Source } from './plan.js';
import { checkSource } from './source.js';

/** Milliseconds between two messages about progress. */
const progressMs = 200;

/** Runs the jobs that come over the channel of this process, with the data that `read` gives, until the channel is closed. */
export function serveJobs({ version, read }: { version: string; read: JobReader }): void {
  const settings = JSON.parse(process.argv[2]) as ChildSettings;
  const device = deviceOf(settings);
  const inputs = inputsOf(read);
  const batchData = batchDataOf();
  const say = (message: FromChild) => process.send?.(message);
  // Ctrl-C of a terminal comes to this process, too; the one that started it says what is to happen.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (message: ToChild) => {
    if (message.type === 'end') process.exit(0);
    const throttled = throttle((progress) => say({ type: 'progress', progress }));
    say({ type: 'result', result: await resultOf(message.task, throttled) });
  });

  async function resultOf({ job, into, places }: Task, onProgress: (progress: JobProgress) => void): Promise<JobResult> {
    let phase: JobFailure['phase'] = 'setup';
    try {
      checkVersion(job, version);
      if ('batch' in job) {
        const data = await batchData(job.data, places);
        const engine = await device(false);
        phase = 'fit';
        await (await import('./batch-job.js')).runBatchJob(engine, job, data, into);
        return { outcome: 'batch' };
      }
      const found = await inputs(placed(job, places));
      const engine = await device(job.options.halfInputs === true);
      phase = 'fit';
      const model = await fitJob(engine, job, found, { onProgress });
      return { outcome: await saveJob(into, job, model, engine) };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
      return { failure: { name, message: message.replaceAll(/\s*\n\s*/g, ' '), phase } };
    }
  }
}

/** A job whose files are at the places where they lie here. */
function placed(job: Job, places: Task['places'] = {}): Job {
  const at = <S extends Source>(source: S): S => ({ ...source, path: places[source.hash] ?? source.path });
  const files = Object.fromEntries(Object.entries(job.files).map(([option, source]) => [option, at(source)]));
  return { ...job, data: at(job.data), files };
}

/** The engine, made when it is asked for, and anew for another precision of X. */
function deviceOf({ device: prefer, powerPreference }: ChildSettings): (halfInputs: boolean) => Promise<Engine> {
  let made: { halfInputs: boolean; engine: Engine } | undefined;
  return async (halfInputs) => {
    if (made?.halfInputs === halfInputs) return made.engine;
    made?.engine.dispose();
    made = undefined;
    const tuning = async (adapter: string) => (await findTuning(adapter))?.tuning;
    const engine = await createEngine({ prefer, powerPreference, halfInputs, tuning });
    made = { halfInputs, engine };
    return engine;
  };
}

/** The files of a job, checked by their hashes, read once for all jobs that follow with the same. */
function inputsOf(read: JobReader): (job: Job) => Promise<JobInputs> {
  let latest: { key: string; inputs: JobInputs } | undefined;
  return async (job) => {
    const { method, data, files, options } = job;
    const key = canonical({ method, data, files, options });
    if (latest?.key === key) return latest.inputs;
    latest = undefined; // two large matrices may be more than there is room for
    for (const source of [data, ...Object.values(files)]) await checkSource(source);
    latest = { key, inputs: await read(job) };
    return latest.inputs;
  };
}

/** The data of a survey, read once for all of its jobs. */
function batchDataOf(): (source: Source, places: Task['places']) => Promise<BatchData> {
  let latest: { hash: string; data: BatchData } | undefined;
  return async ({ hash, path }, places) => {
    if (latest?.hash === hash) return latest.data;
    latest = undefined;
    const here = places?.[hash] ?? path;
    await checkSource({ hash, path: here });
    latest = { hash, data: await (await import('./batch-job.js')).readBatchData(here) };
    return latest.data;
  };
}

function throttle(tell: (progress: JobProgress) => void): (progress: JobProgress) => void {
  let told = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (now - told < progressMs) return;
    told = now;
    tell(progress);
  };
}
