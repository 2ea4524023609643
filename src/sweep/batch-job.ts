/** A part of a batch of a survey of ranks as a job: see src/ranks/batches.ts. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { sha256 } from '../data/sha256.js';
import type { Engine } from '../engine.js';
import { OrthantError } from '../errors.js';
import { type Batch, type BatchData, fitBatch } from '../ranks/batches.js';
import type { Fitted } from '../ranks/fits.js';
import { canonical, type Source } from './plan.js';

/** It is plain JSON. */
export interface BatchJob {
  /** SHA-256 of version, data and batch. */
  id: string;
  version: string;
  /** One rank, and the seed of the survey: the name of the job. */
  ranks: number[];
  seed: number;
  /** A file of `encodeBatchData`. */
  data: Source;
  batch: Batch;
}

export function batchJob(version: string, data: Source, batch: Batch): BatchJob {
  const id = sha256(canonical({ version, data: data.hash, batch }));
  return { id, version, ranks: [batch.rank], seed: batch.seed, data, batch };
}

/** The bytes of the data of a survey. Only the same version of orthant reads them, whose jobs alone have them. */
export function encodeBatchData({ X, missing, masks, start }: BatchData): Uint8Array {
  return serialize({ X, missing, masks, start });
}

export async function readBatchData(path: string): Promise<BatchData> {
  return read<BatchData>(await readFile(path));
}

const resultFile = 'fitted.bin';

/** Computes the job, and writes its factors into a new folder. */
export async function runBatchJob(engine: Engine, { batch }: BatchJob, data: BatchData, into: string): Promise<void> {
  const fitted = await fitBatch(engine, data, batch);
  await mkdir(into, { recursive: true });
  await writeFile(join(into, resultFile), serialize(fitted), { flag: 'wx' });
}

/** The factors that `runBatchJob` has written into a folder. */
export async function readFitted(folder: string): Promise<Fitted> {
  return read<Fitted>(await readFile(join(folder, resultFile)));
}

function read<T>(bytes: Uint8Array): T {
  try {
    return deserialize(bytes) as T;
  } catch (cause) {
    throw new OrthantError(
      'The data of a survey cannot be read by this version of Node; use the same one on all machines, or newer ones for workers.',
      { cause },
    );
  }
}
