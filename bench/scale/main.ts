/**
 * The all-reduce by bytes, iterations by columns of a panel and by ranks, on this machine: bench/results/scale.json. From them and from
 * published figures the model of docs/scale.md.
 *
 * --part sums,panels,ranks measures only these, and keeps the others of the file. --draw measures nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeWhole } from '../results-file.js';
import { draw } from './draw.js';
import type { Task } from './rank.js';
import { type IterationRow, type Results, readResults, resultsFile, type SumRow } from './results.js';

const sizes = [8, 64, 512, 4096, 32_768, 262_144, 2 ** 21, 2 ** 24, 2 ** 26];
const fit = { N: 500, layers: [20, 6], restarts: 1, iterations: 8 };

/** What the first of so many ranks has found; 0 is without mpirun. */
async function measured<Row>(ranks: number, task: Omit<Task, 'out'>): Promise<Row[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-scale-'));
  const out = path.join(folder, 'found.json');
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  const mpirun = ranks === 0 ? [] : ['mpirun', ...root, '--oversubscribe', '-np', `${ranks}`];
  const words = [...mpirun, process.execPath, 'bench/scale/run.mjs', 'rank', JSON.stringify({ ...task, out })];
  try {
    execFileSync(words[0], words.slice(1), { stdio: ['ignore', 'inherit', 'inherit'] });
    return JSON.parse(await readFile(out, 'utf8')) as Row[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const parts = {
  async sums() {
    const rows: SumRow[] = [];
    for (const ranks of [2, 3, 4]) {
      say(`all-reduces on ${ranks} ranks`);
      rows.push(...(await measured<SumRow>(ranks, { sums: sizes })));
    }
    return rows;
  },
  async panels() {
    say('iterations by columns of a panel, software adapter');
    const fits = [1250, 2500, 5000, 10_000, 20_000, 40_000].map((M) => ({ ...fit, M, prefer: 'auto' as const }));
    return measured<IterationRow>(0, { fits });
  },
  async ranks() {
    const rows: IterationRow[] = [];
    for (const ranks of [1, 2, 3, 4]) {
      say(`iterations on ${ranks} ranks, f64 reference`);
      rows.push(...(await measured<IterationRow>(ranks, { fits: [{ ...fit, M: 4000, prefer: 'cpu' }] })));
    }
    return rows;
  },
};

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { part: { type: 'string' }, draw: { type: 'boolean' } } });
  if (!values.draw) {
    const chosen = (values.part?.split(',') ?? Object.keys(parts)) as (keyof typeof parts)[];
    const known = await readResults().catch(() => ({}) as Partial<Results>);
    const results = { ...known, load: { ...known.load } } as Results;
    for (const part of chosen) {
      results.load[part] = Number(loadavg()[0].toFixed(1));
      Object.assign(results, { [part]: await parts[part]() });
    }
    const [{ model }] = cpus();
    results.machine = {
      cpu: model,
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      mpi: execFileSync('mpirun', ['--version'], { encoding: 'utf8' }).split('\n')[0],
      network: 'none: ranks on one machine, through shared memory',
    };
    results.date = new Date().toISOString().slice(0, 10);
    results.commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
    await writeWhole(resultsFile, `${JSON.stringify(results, null, 1)}\n`);
    say(`${resultsFile} is written`);
  }
  await draw(await readResults());
  return 0;
}
