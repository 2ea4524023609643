/** The fits of a survey of ranks by workers at a queue. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledError } from '../errors.js';
import { removeAbandoned, temporaryName } from '../node/temporary.js';
import type { Batch, BatchData, BatchFits } from '../ranks/batches.js';
import type { Fitted } from '../ranks/fits.js';
import { type BatchJob, batchJob, encodeBatchData, readFitted } from './batch-job.js';
import { runQueued } from './queue.js';
import type { QueueServer } from './redis.js';
import { errorOf } from './run-here.js';
import { sourceOf } from './source.js';
import { fetchedPath, fetchStored } from './upload.js';

/** Restarts of one job. A device runs them together; a worker that dies loses so many. */
const restartsOfJob = 5;

interface Waiting {
  batch: Batch;
  resolve: (fitted: Fitted) => void;
  reject: (error: unknown) => void;
}

/**
 * Has workers compute batches, in parts. The result has the bits of `fitBatch` on the adapter of the workers. Batches that are asked for at
 * the same time are filed together.
 *
 * A batch is rejected with the error of a job that fails, and with CancelledError when `signal` is aborted. `settled` waits until nothing of
 * what was asked for is left at the queue.
 */
export function queuedFits(
  server: QueueServer,
  { version, onNote, signal }: { version: string; onNote?: (note: string) => void; signal?: AbortSignal },
): { fits: BatchFits; settled(): Promise<void> } {
  const running = new Set<Promise<void>>();
  const asked = new Map<BatchData, Waiting[]>();
  const fits: BatchFits = (data, batch) =>
    new Promise((resolve, reject) => {
      const waiting = asked.get(data) ?? [];
      waiting.push({ batch, resolve, reject });
      if (waiting.length > 1) return;
      asked.set(data, waiting);
      setImmediate(() => {
        asked.delete(data);
        const work: Promise<void> = fitAtQueue(server, data, waiting, { version, onNote, signal })
          .catch((error) => {
            for (const one of waiting) one.reject(error);
          })
          .finally(() => running.delete(work));
        running.add(work);
      });
    });
  return { fits, settled: async () => void (await Promise.all(running)) };
}

async function fitAtQueue(
  server: QueueServer,
  data: BatchData,
  waiting: readonly Waiting[],
  { version, onNote, signal }: { version: string; onNote?: (note: string) => void; signal?: AbortSignal },
): Promise<void> {
  await removeAbandoned(tmpdir());
  const folder = join(tmpdir(), temporaryName());
  await mkdir(folder);
  const failing = new AbortController();
  const stop = () => failing.abort();
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let failure: Error | undefined;
  try {
    const file = join(folder, 'survey.bin');
    await writeFile(file, encodeBatchData(data));
    const source = await sourceOf(file);
    const parts = new Map<string, { of: Waiting; job: BatchJob }>();
    for (const of of waiting)
      for (const batch of partsOf(of.batch)) {
        const job = batchJob(version, source, batch);
        parts.set(job.id, { of, job });
      }
    const found = new Map<string, Fitted>();
    await runQueued(server, {
      sweep: randomBytes(8).toString('hex'),
      version,
      tasks: [...parts].map(([id, { job }]) => ({ id, task: job })),
      sources: [source],
      shared: false,
      async onResult(id, stored) {
        const into = join(folder, id);
        await fetchStored(server.redis, stored, into);
        found.set(id, await readFitted(fetchedPath(stored, into)));
        await rm(into, { recursive: true });
        const { of } = parts.get(id)!;
        const own = [...parts.keys()].filter((other) => parts.get(other)!.of === of);
        if (own.every((other) => found.has(other))) of.resolve(joined(own.map((other) => found.get(other)!)));
      },
      async onFailure(_, why) {
        failure ??= errorOf(why);
        stop();
      },
      onNote,
      signal: failing.signal,
    });
  } catch (error) {
    throw error instanceof CancelledError && failure && !signal?.aborted ? failure : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await rm(folder, { recursive: true, force: true });
  }
}

function partsOf(batch: Batch): Batch[] {
  const parts: Batch[] = [];
  const end = batch.first + batch.restarts;
  for (let first = batch.first; first < end; first += restartsOfJob)
    parts.push({ ...batch, first, restarts: Math.min(restartsOfJob, end - first) });
  return parts;
}

function joined(parts: readonly Fitted[]): Fitted {
  return { A: parts.flatMap(({ A }) => A), S: parts.flatMap(({ S }) => S), errors: parts.flatMap(({ errors }) => errors) };
}
