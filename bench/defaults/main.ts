/** `npm run defaults`: the measurements behind the defaults of Neural NMF; see docs/defaults.md. */
import { mkdir, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/node/engine.js';
import { insertTables, rounded, writeWhole } from '../pages.js';
import { studyCommand } from '../study.js';
import { byDefault, type DefaultFit } from './by-default.js';
import { dataSets } from './data.js';
import { type Cell, study } from './study.js';
import { mean, tables } from './tables.js';

interface Measured {
  device: string;
  date: string;
  seconds: number;
}

export interface Results {
  /** Of each data set. */
  candidates: Record<string, Measured & { cells: Cell[] }>;
  /** Fits without any option. */
  byDefault?: Measured & { fits: DefaultFit[] };
}

const folder = fileURLToPath(new URL('../../docs/defaults/', import.meta.url));
const document = fileURLToPath(new URL('../../docs/defaults.md', import.meta.url));
const results = path.join(folder, 'results.json');
const names = [...dataSets.map(({ name }) => name), 'by-default'];
const adapters = ['software', 'gpu', 'auto', 'cpu'] as const;

const usage = `npm run defaults -- [--only NAME] [--adapter KIND] [--draw]
  --only NAME     ${names.join(', ')}; may be repeated. The others keep the results they have
  --adapter KIND  software (default), gpu, auto, or cpu for the f64 reference
  --draw          fits nothing, writes the tables anew from docs/defaults/results.json
`;

/** Returns the exit status: 0, 1 for a failure, 2 for a wrong option. */
export function main(argv: string[]): Promise<number> {
  return studyCommand(argv, {
    usage,
    parse,
    run: async (options) => {
      if (options.draw) await write(await earlier());
      else await run(options);
    },
  });
}

function parse(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string', multiple: true },
      adapter: { type: 'string', default: 'software' },
      draw: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = values.only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`There is no data set '${unknown}'; there are ${names.join(', ')}.`);
  const adapter = adapters.find((kind) => kind === values.adapter);
  if (!adapter) throw new Error(`--adapter must be one of ${adapters.join(', ')}, not '${values.adapter}'.`);
  return { ...values, only: values.only ?? names, adapter };
}

/** After each data set the results are written, so that an interrupted study keeps them. */
async function run({ only, adapter }: { only: string[]; adapter: (typeof adapters)[number] }): Promise<void> {
  const engine = await createEngine({ prefer: adapter });
  try {
    const measured = async <T>(measure: () => Promise<T>): Promise<Measured & T> => {
      const started = performance.now();
      const found = await measure();
      const device = `${engine.description}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'unknown CPU'}`;
      return { device, date: new Date().toISOString().slice(0, 10), seconds: Math.round((performance.now() - started) / 1000), ...found };
    };
    for (const set of dataSets.filter(({ name }) => only.includes(name))) {
      const found = await measured(async () => ({ cells: await study(engine, set, (cell) => say(set.name, cell)) }));
      const { candidates, ...others } = await earlier();
      await write({ ...others, candidates: { ...candidates, [set.name]: found } });
    }
    if (!only.includes('by-default')) return;
    const found = await measured(async () => ({
      fits: await byDefault(engine, (fit) => process.stdout.write(`${JSON.stringify(fit)}\n`)),
    }));
    await write({ ...(await earlier()), byDefault: found });
  } finally {
    engine.dispose();
  }
}

function say(name: string, { supervision, candidate, ratios, scores }: Cell): void {
  const ofLevels = ratios.map((ratio) => mean(ratio).toFixed(4)).join(' ');
  process.stdout.write(`${name}, ${supervision}, ${candidate}: ${ofLevels}, ${mean(scores).toFixed(3)}\n`);
}

async function earlier(): Promise<Results> {
  try {
    return JSON.parse(await readFile(results, 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { candidates: {} };
    throw error;
  }
}

async function write(found: Results): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = JSON.stringify(found, rounded);
  await writeWhole(results, `${text}\n`);
  // The tables are those of the numbers that were kept, so that --draw gives the same.
  await insertTables(document, 'npm run defaults', tables(JSON.parse(text) as Results));
}
