/** Parts of a sweep for machines that know nothing of each other. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { cannotWrite } from '../node/files.js';
import { temporaryName } from '../node/temporary.js';
import type { Job } from './plan.js';

/** Part `index` of `of`, counted from 1. */
export interface Shard {
  index: number;
  of: number;
}

/** What shards/<i>-of-<n>.json holds. */
export interface ShardRecord extends Shard {
  jobs: number;
  /** Whether the shard came to its end; false from its start on. */
  ended: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The shard that a text names.
 *
 * - '3/10': the third of ten.
 * - 'slurm': by SLURM_ARRAY_TASK_ID, SLURM_ARRAY_TASK_COUNT and SLURM_ARRAY_TASK_MIN (default 0) of the task of an array.
 * - 'kubernetes/10': by JOB_COMPLETION_INDEX, counted from 0, of ten completions. Kubernetes does not tell how many there are.
 *
 * @throws InputError for another text, for variables that are not set, for a shard out of range.
 */
export function shardOf(text: string, env: Environment): Shard {
  const numbers = /^(\d+)\/(\d+)$/.exec(text);
  if (numbers) return inRange({ index: Number(numbers[1]), of: Number(numbers[2]) }, `'${text}'`);
  const completions = /^kubernetes\/(\d+)$/.exec(text);
  if (completions) {
    const index = variable(env, 'JOB_COMPLETION_INDEX', 'an indexed job of Kubernetes');
    return inRange({ index: index + 1, of: Number(completions[1]) }, `'${text}' with JOB_COMPLETION_INDEX ${index}`);
  }
  if (text === 'slurm') {
    const [id, of] = ['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT'].map((name) => variable(env, name, 'a task of a Slurm array'));
    const least = env.SLURM_ARRAY_TASK_MIN === undefined ? 0 : variable(env, 'SLURM_ARRAY_TASK_MIN', 'a task of a Slurm array');
    const told = `'slurm' with SLURM_ARRAY_TASK_ID ${id}, SLURM_ARRAY_TASK_MIN ${least} and SLURM_ARRAY_TASK_COUNT ${of}`;
    return inRange({ index: id - least + 1, of }, told);
  }
  throw new InputError(`The option 'shard' is '${text}'; it must be a part such as 3/10, slurm, or kubernetes/10 for ten completions.`, {
    option: 'shard',
  });
}

function variable(env: Environment, name: string, where: string): number {
  const text = env[name];
  if (text !== undefined && /^\d+$/.test(text)) return Number(text);
  const found = text === undefined ? 'is not set' : `is '${text}'`;
  throw new InputError(`The variable ${name} ${found}, but in ${where} it is a number; run it there, or give a part such as 3/10.`, {
    option: 'shard',
  });
}

function inRange(shard: Shard, told: string): Shard {
  const { index, of } = shard;
  if (of >= 1 && index >= 1 && index <= of) return shard;
  const hint = told.startsWith("'slurm'") ? ' Let the array have consecutive numbers, such as 0-9.' : '';
  throw new InputError(`The option 'shard' is ${told}, which is part ${index} of ${of}; parts go from 1 to their number.${hint}`, {
    option: 'shard',
  });
}

/** The jobs of a shard: every n-th, so that each gets its share of every ranks. */
export function jobsOfShard(jobs: readonly Job[], { index, of }: Shard): Job[] {
  return jobs.filter((_, at) => at % of === index - 1);
}

/** Keeps that a shard works in the folder, or has ended. */
export async function writeShard(dir: string, record: ShardRecord): Promise<void> {
  const folder = join(dir, 'shards');
  const written = join(folder, temporaryName());
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(written, `${JSON.stringify(record, null, 2)}\n`, { flag: 'wx' });
    await rename(written, join(folder, `${record.index}-of-${record.of}.json`));
  } catch (error) {
    await rm(written, { force: true });
    throw cannotWrite(dir, error);
  }
}

/** The shards that have worked in a folder. */
export async function shardsIn(dir: string): Promise<ShardRecord[]> {
  const names = (await readdir(join(dir, 'shards')).catch(() => [])).filter((name) => /^\d+-of-\d+\.json$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(dir, 'shards', name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as ShardRecord);
}
