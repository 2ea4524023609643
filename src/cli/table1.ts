import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { encodeNpy } from '../formats/npy.js';
import type { Factorization } from '../methods/methods.js';
import { createEngine } from '../node/engine.js';
import { checkOutputFolder, writeOutputs } from '../node/files.js';
import { saveModel } from '../node/model-folder.js';
import { type DeviceChoice, parsePositiveInteger, parseSeed } from './arguments.js';
import { type Io, untilAborted } from './io.js';
import { fitsLine } from './progress.js';
import { checkReportFile, writeReport } from './report-file.js';
import { describeDevice, toJson } from './run-fit.js';
import {
  drawTableOne,
  type Place,
  runTableOne,
  type TableOneDraw,
  type TableOneExample,
  type TableOneRun,
  tableRanks,
} from './table1-experiment.js';
import { cellTable, overview, statement, tableMarkdown } from './table1-report.js';
import { heatMapSvg } from './table1-svg.js';

interface TableCommandOptions {
  seeds: number;
  restarts: number;
  maxIterations?: number;
  device: DeviceChoice;
  out?: string;
  report?: string;
  json?: boolean;
  data?: number;
}

export function addTableOneCommand(program: Command, io: Io): void {
  program
    .command('table1')
    .summary("reproduce the published experiment's Table 1")
    .description(
      'Runs hierarchical, deep and Neural NMF on the data of the published experiment, with one, two and three layers and with none, 40 % and all of the labels, beside the published figures and the SVD bound.',
    )
    .option('--seeds <n>', 'draws of the data, of the labelled columns and of the starts', parsePositiveInteger, 10)
    .option('--restarts <n>', 'independent starts of every fit that is run to convergence; the best is kept', parsePositiveInteger, 8)
    .option('--max-iterations <n>', 'most iterations of a stage, for a quick look', parsePositiveInteger)
    .addOption(
      new Option('--device <kind>', 'the kind of device to compute on').choices(['auto', 'gpu', 'software', 'cpu']).default('auto'),
    )
    .option('--out <dir>', 'write table1.json, table1.md, the heat maps, and the data, results and factors of every seed into this folder')
    .option('--report <file>', 'write the table and its example, unsupervised Neural NMF with three layers, as a page into this .html file')
    .option('--json', 'print what table1.json holds, and nothing else, on standard output')
    .addOption(
      new Option('--data <seed>', 'no fits: write only the data and the labels of this seed into the folder of --out')
        .argParser(parseSeed)
        .conflicts(['seeds', 'restarts', 'maxIterations', 'device', 'report', 'json']),
    )
    .addHelpText(
      'after',
      `
Examples:
  orthant table1 --seeds 10 --out table1
  orthant table1 --data 0 --out table1   its data, for fits of your own
  orthant fit table1/seed-0/X.npy --samples columns --ranks 9,4 --labels table1/seed-0/labels-4.txt
`,
    )
    .action((options: TableCommandOptions, command: Command) =>
      options.data === undefined ? tableOne(io, options) : writeData(io, options, command),
    );
}

async function tableOne(io: Io, options: TableCommandOptions): Promise<void> {
  const { seeds, restarts, maxIterations, out, report, json } = options;
  const started = performance.now();
  if (report !== undefined) await checkReportFile(report, out);
  if (out !== undefined) await checkOutputFolder(out, ['table1.json', 'table1.md', 'runs.json']);
  const engine = await createEngine({ prefer: options.device });
  try {
    const { kind, description, software } = engine;
    const device = describeDevice({ kind, description, software, tuned: false }, options.device);
    const line = fitsLine(
      io,
      ({ seed, method, layers, supervision, stopping }: Place & { seed: number }) =>
        `seed ${seed}: ${method}, ${layers} layers, labels ${supervision}, ${stopping}`,
    );
    const work = runTableOne(engine, { seeds, restarts, maxIterations, signal: io.signal, onRun: line.update });
    const { table, draws, runs, models, example } = await untilAborted(work, io.signal).finally(line.stop);
    const figures = heatMaps(example);
    if (out !== undefined) {
      const settings = { device: description, restarts, maxIterations };
      await writeOutputs(out, {
        'table1.json': toJson(table),
        'table1.md': tableMarkdown(table, runs, { ...settings, figures }),
        'runs.json': runsJson(runs, settings),
        ...Object.fromEntries(figures.map(({ file, svg }) => [file, svg])),
      });
      await writeSeeds(out, draws, runs, models);
    }
    if (report !== undefined) {
      const model = exampleModel(runs, models, example);
      const settings = { seeds, restarts, maxIterations };
      await writeReport(io, report, { title: 'Table 1', model, X: example.X, tables: [cellTable(table)], settings, device });
    }
    if (json) {
      io.stdout.write(toJson(table));
      return;
    }
    const lines = [
      `${seeds} seeds, ${restarts} restarts, on ${device}`,
      '',
      'Relative error / accuracy, converged, median over the seeds (published):',
      '',
      ...overview(table),
      ...statement(table.cells, runs).flatMap(({ title, text, items }) => ['', `${title}: ${text}`, ...items.map((item) => `  ${item}`)]),
    ];
    lines.push('', `time     ${((performance.now() - started) / 1000).toFixed(0)} s`);
    if (report !== undefined) lines.push(`report   ${report}`);
    if (out !== undefined)
      lines.push(
        `written  ${out}: table1.json, table1.md, runs.json, ${figures.map(({ file }) => file).join(', ')}, ${seedFolders(seeds)}`,
      );
    io.stdout.print(lines);
  } finally {
    // After Ctrl-C the end of the process does it at once.
    if (!io.signal.aborted) engine.dispose();
  }
}

/** Nothing is fitted: the data alone. */
async function writeData(io: Io, { data, out }: TableCommandOptions, command: Command): Promise<void> {
  if (out === undefined) command.error('error: --data writes into a folder; name one by --out');
  const files = dataFiles(drawTableOne(data!));
  const folder = join(out, `seed-${data}`);
  await checkOutputFolder(out, []);
  await mkdir(out, { recursive: true });
  await checkOutputFolder(folder, Object.keys(files));
  await writeOutputs(folder, files);
  io.stdout.print([`written  ${folder}: ${Object.keys(files).join(', ')}`]);
}

/** The model that the example is of, with the bounds of its data. */
function exampleModel(runs: readonly TableOneRun[], models: readonly Factorization[], { products }: TableOneExample): Factorization {
  const model = models[runs.findIndex(({ supervision, layers, method }) => supervision === 'none' && layers === 3 && method === 'neural')];
  const layers = model.layers.map((layer, l) => ({ ...layer, svdBound: products[l].svdBound }));
  return { ...model, layers, svdBoundMethod: 'exact' };
}

const seedFolders = (seeds: number) => (seeds === 1 ? 'seed-0' : `seed-0 to seed-${seeds - 1}`);

/** The folder of a fit's model within that of its seed. */
const modelFolder = ({ supervision, layers, method, stopping }: Place) => `${supervision}-${layers}-${method}-${stopping}`;

/** Every fit on a line of its own, so that two runs of the experiment are compared by `diff`. */
export function runsJson(runs: readonly TableOneRun[], settings: { device: string; restarts: number; maxIterations?: number }): string {
  const lines = runs.map((run) => `    ${JSON.stringify({ ...run, model: `seed-${run.seed}/${modelFolder(run)}` })}`);
  const head = JSON.stringify(settings, null, 2).slice(0, -2);
  return `${head},\n  "runs": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** The data of each seed with the groups of its columns, and the models that were fitted to it. */
async function writeSeeds(
  out: string,
  draws: readonly TableOneDraw[],
  runs: readonly TableOneRun[],
  models: readonly Factorization[],
): Promise<void> {
  for (const draw of draws) await writeOutputs(join(out, `seed-${draw.seed}`), dataFiles(draw));
  for (const [i, run] of runs.entries()) await saveModel(join(out, `seed-${run.seed}`, modelFolder(run)), models[i]);
}

/** X, the groups of its columns, and for each depth the labels of all columns and of the labelled ones, a line a column, for `orthant fit`. */
function dataFiles({ X, labels, labelled }: TableOneDraw): Record<string, string | Uint8Array> {
  const columns = labelled.map((known, c) => [...tableRanks.map((rank) => labels[rank][c]), Number(known)].join(','));
  const files: Record<string, string | Uint8Array> = {
    'X.npy': encodeNpy(X),
    'groups.csv': `${[...tableRanks.map((rank) => `of${rank}`), 'labelled'].join(',')}\n${columns.join('\n')}\n`,
  };
  for (const rank of tableRanks) {
    files[`labels-${rank}.txt`] = `${labels[rank].join('\n')}\n`;
    files[`some-labels-${rank}.txt`] = `${labels[rank].map((label, c) => (labelled[c] ? label : '')).join('\n')}\n`;
  }
  return files;
}

export function heatMaps({ X, labels, products }: TableOneExample): { file: string; title: string; caption: string; svg: string }[] {
  const high = X.data.reduce((most, x) => Math.max(most, x), 0);
  const names = [
    ['A0S0', 'A⁰S⁰'],
    ['A0A1S1', 'A⁰A¹S¹'],
    ['A0A1A2S2', 'A⁰A¹A²S²'],
  ];
  const maps = [
    { file: 'X.svg', title: 'X', caption: `the data, seed 0: ${X.rows} × ${X.cols}`, matrix: X },
    ...products.map(({ product, relativeError, svdBound }, l) => ({
      file: `${names[l][0]}.svg`,
      title: names[l][1],
      caption: `relative error ${relativeError.toFixed(4)}${svdBound === null ? '' : `, SVD bound ${svdBound.toFixed(4)}`}`,
      matrix: product,
    })),
  ];
  return maps.map(({ file, title, caption, matrix }) => ({
    file,
    title,
    caption,
    svg: heatMapSvg({ title, caption, matrix, high, groups: labels }),
  }));
}
