/** Puts the folders of shards together. */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { cannotWrite } from '../node/files.js';
import { temporaryName } from '../node/temporary.js';
import { jobsOf, type SweepSpec } from './plan.js';
import { type ShardRecord, shardsIn, writeShard } from './shard.js';
import { checkSame, doneIn, failuresIn, fitFolder, openSweep, readSpec, writeFailure } from './sweep-folder.js';

/** What came of it. */
export interface Gathered {
  spec: SweepSpec;
  /** Models that were copied. */
  copied: number;
  /** Shards that have worked in the folders. */
  shards: ShardRecord[];
  /** Shards that others name by their number, and that have not been there. */
  missingShards: { index: number; of: number }[];
}

/**
 * Copies the models of the folders `from` that `into` does not have. Nothing is removed, and nothing in `from` is changed. A folder that is
 * `into` is only checked.
 *
 * @throws InputError for folders of different sweeps, for a folder of none, and for models that are of no job of the sweep.
 */
export async function gather(from: readonly string[], into: string): Promise<Gathered> {
  const specs = await Promise.all(from.map(readSpec));
  for (const [at, spec] of specs.entries()) checkSame(from[at], spec, specs[0], `the sweep in '${from[0]}'`);
  const spec = specs[0];
  const known = new Map(jobsOf(spec).map((job) => [job.id, job]));
  for (const dir of from) {
    const strangers = [...(await doneIn(dir))].filter((id) => !known.has(id));
    if (strangers.length > 0)
      throw new InputError(
        `'${dir}' has ${strangers.length === 1 ? 'a fit' : `${strangers.length} fits`} of another sweep, such as fits/${strangers[0]}; move ${strangers.length === 1 ? 'it' : 'them'} to a folder of ${strangers.length === 1 ? 'its' : 'their'} own.`,
      );
  }
  await openSweep(into, spec);
  const shards = new Map<string, ShardRecord>();
  let copied = 0;
  for (const dir of from) {
    for (const record of await shardsIn(dir)) {
      const name = `${record.index}/${record.of}`;
      if (shards.get(name)?.ended) continue;
      shards.set(name, record);
      if (resolve(dir) !== resolve(into)) await writeShard(into, record);
    }
    if (resolve(dir) === resolve(into)) continue;
    copied += await copyFits(dir, into);
    const done = await doneIn(into);
    for (const failure of await failuresIn(dir, done)) {
      const job = known.get(failure.id);
      if (job) await writeFailure(into, job, { name: failure.name, message: failure.message, phase: failure.phase });
    }
  }
  const records = [...shards.values()];
  const numbers = new Set(records.map(({ of }) => of));
  const missingShards = [...numbers].flatMap((of) =>
    Array.from({ length: of }, (_, at) => ({ index: at + 1, of })).filter(({ index }) => !shards.has(`${index}/${of}`)),
  );
  return { spec, copied, shards: records, missingShards };
}

/** Copies models that are not there yet, each whole or not at all. Returns how many. */
async function copyFits(dir: string, into: string): Promise<number> {
  const there = await doneIn(into);
  const wanted = [...(await doneIn(dir))].filter((id) => !there.has(id));
  for (const id of wanted) {
    const written = join(into, 'fits', temporaryName());
    try {
      await mkdir(written);
      // What another process is about to write there has a name with a dot in front.
      for (const name of (await readdir(fitFolder(dir, id))).filter((one) => !one.startsWith('.')))
        await cp(join(fitFolder(dir, id), name), join(written, name));
      await rename(written, fitFolder(into, id)).catch(async (error) => {
        if (!(await doneIn(into)).has(id)) throw error; // another process has copied it meanwhile
      });
    } catch (error) {
      throw cannotWrite(into, error);
    } finally {
      await rm(written, { recursive: true, force: true });
    }
  }
  return wanted.length;
}
