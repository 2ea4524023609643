import { type Command, InvalidArgumentError } from 'commander';
import { type Matrix, matrix } from '../data/matrix.js';
import type { DenseTensor } from '../data/tensors.js';
import { createEngine } from '../node/engine.js';
import { checkOutputFolder, writeOutputs } from '../node/files.js';
import { type DeviceChoice, deviceOption, parsePositiveInteger } from './arguments.js';
import { alignColumns } from './columns.js';
import { type Io, untilAborted } from './io.js';
import { fitsLine } from './progress.js';
import { describeDevice, toJson } from './run-fit.js';
import {
  type Noise,
  publishedTensors,
  runTensorTable,
  type TensorCell,
  type TensorExample,
  type TensorRun,
  type TensorTable,
} from './table-tensor-experiment.js';
import { markdownTable } from './table1-report.js';
import { heatMapSvg } from './table1-svg.js';

interface TableCommandOptions {
  seeds: number;
  noise?: Noise[];
  restarts?: number;
  maxIterations?: number;
  device: DeviceChoice;
  out?: string;
  json?: boolean;
}

export function addTableTensorCommand(program: Command, io: Io): void {
  program
    .command('table-tensor')
    .summary('reproduce the published experiment on a synthetic tensor')
    .description(
      'Runs Neural NCPD, with its outer products held and learned, and the sequential methods HNCPD and HNTF on the synthetic 40×40×40 tensor of the papers, beside the published figures and two bounds.',
    )
    .option('--seeds <n>', 'seeds of the starts', parsePositiveInteger, 10)
    .option('--noise <list>', 'the noise of the tensor: 0.1, 0.4 or both (default: 0.1,0.4)', parseNoises)
    .option('--restarts <n>', 'independent starts of Neural NCPD; the best is kept (default: 8)', parsePositiveInteger)
    .option('--max-iterations <n>', 'most iterations of Neural NCPD, for a quick look', parsePositiveInteger)
    .addOption(deviceOption())
    .option('--out <dir>', 'write table-tensor.json, table-tensor.md, runs.json and pictures of the tensors into this folder')
    .option('--json', 'print what table-tensor.json holds, and nothing else, on standard output')
    .addHelpText('after', '\nExample:\n  orthant table-tensor --seeds 10 --out tensors\n')
    .action((options: TableCommandOptions) => tableTensor(io, options));
}

function parseNoises(text: string): Noise[] {
  return text.split(',').map((part) => {
    const found = publishedTensors.find(({ noise }) => noise === Number(part));
    if (!found) throw new InvalidArgumentError('It must be 0.1, 0.4 or 0.1,0.4.');
    return found.noise;
  });
}

async function tableTensor(
  io: Io,
  { seeds, noise, restarts, maxIterations, device: prefer, out, json }: TableCommandOptions,
): Promise<void> {
  const started = performance.now();
  if (out !== undefined) await checkOutputFolder(out, ['table-tensor.json', 'table-tensor.md', 'runs.json']);
  const engine = await createEngine({ prefer });
  try {
    const { kind, description, software } = engine;
    const device = describeDevice({ kind, description, software, tuned: false }, prefer);
    const line = fitsLine(
      io,
      ({ noise, seed, method }: { noise: Noise; seed: number; method: string }) => `noise ${noise}, seed ${seed}: ${method}`,
    );
    const work = runTensorTable(engine, { seeds, noises: noise, restarts, maxIterations, signal: io.signal, onRun: line.update });
    const { table, runs, examples } = await untilAborted(work, io.signal).finally(line.stop);
    const pictures = examples.flatMap(picturesOf);
    if (out !== undefined) {
      await writeOutputs(out, {
        'table-tensor.json': toJson(table),
        'table-tensor.md': tableMarkdown(table, runs, { device: description, pictures }),
        'runs.json': toJson({ device: description, runs }),
        ...Object.fromEntries(pictures.map(({ file, svg }) => [file, svg])),
      });
    }
    if (json) return io.stdout.write(toJson(table));
    io.stdout.print([
      `${seeds} seeds on ${device}`,
      '',
      'Relative error, average / best / worst (published):',
      '',
      ...alignColumns(overview(table), ['right', 'left', 'right', 'left', 'left', 'right', 'right']),
      '',
      `time     ${((performance.now() - started) / 1000).toFixed(0)} s`,
      ...(out === undefined
        ? []
        : [`written  ${out}: table-tensor.json, table-tensor.md, runs.json, ${pictures.map(({ file }) => file).join(', ')}`]),
    ]);
  } finally {
    // After Ctrl-C the end of the process does it at once.
    if (!io.signal.aborted) engine.dispose();
  }
}

const names: Record<TensorCell['method'], string> = {
  held: 'Neural NCPD',
  learned: 'Neural NCPD, products learned',
  hncpd: 'HNCPD',
  'hntf-1': 'HNTF-1',
  'hntf-2': 'HNTF-2',
  'hntf-3': 'HNTF-3',
};

const three = ({ average, best, worst }: { average: number; best?: number; worst?: number }) =>
  [average, best, worst].map((error) => (error === undefined ? '–' : error.toFixed(5))).join(' / ');

/** A row for each cell, under a row of headings. */
function overview({ cells, bounds }: TensorTable): string[][] {
  const rows = cells.map(({ noise, method, rank, published, ...found }) => {
    const bound = bounds.find((one) => one.noise === noise && one.rank === rank)!;
    const theirs = published === null ? '–' : published.best === undefined ? published.average.toFixed(5) : three(published);
    return [`${noise}`, names[method], `${rank}`, three(found), `(${theirs})`, bound.tuckerError.toFixed(5), bound.modeBound.toFixed(5)];
  });
  return [['noise', 'method', 'rank', 'average / best / worst', '(published)', 'Tucker', 'bound'], ...rows];
}

export function tableMarkdown(
  table: TensorTable,
  runs: readonly TensorRun[],
  { device, pictures }: { device: string; pictures: readonly { file: string; title: string; caption: string }[] },
): string {
  const [header, ...rows] = overview(table);
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  return [
    '# The published tensor experiment',
    '',
    `Written by \`orthant table-tensor\`: ${table.seeds} seeds of the starts, on ${device}; the fits took ${seconds.toFixed(0)} s.`,
    '',
    '- Relative error: ‖X − X_l‖ / ‖X‖, X with its noise. Average, best and worst over the seeds.',
    '- Published: of Neural NCPD as the paper prints them, of the sequential methods averages and best ones of a replica of the notebooks.',
    '- HNCPD and HNTF begin with the outer products of Neural NCPD of the same seed, and solve more exactly than the published ones.',
    '- Tucker: the error of a Tucker decomposition of that rank, free in sign. Bound: the mode bound, below which no decomposition is.',
    '',
    ...markdownTable(header, rows),
    '',
    '## What the levels see',
    '',
    'Means over the last mode; Neural NCPD with held outer products, seed 0.',
    '',
    ...pictures.flatMap(({ file, title, caption }) => [`![${title}: ${caption}](${file})`, '']),
  ].join('\n');
}

/** Heat maps of the means over the last mode. */
export function picturesOf({ noise, tensors }: TensorExample): { file: string; title: string; caption: string; svg: string }[] {
  const maps = tensors.map(({ X, ...rest }) => ({ ...rest, matrix: meanOverLast(X) }));
  const high = maps[0].matrix.data.reduce((most, x) => Math.max(most, x), 0);
  return maps.map(({ name, error, matrix }) => {
    const title = `${name.length > 1 ? `X, level of rank ${name.slice(1)}` : 'X'}`;
    const caption = error === null ? `the data, noise ${noise}` : `noise ${noise}, error ${error.toFixed(5)}`;
    return { file: `${name}-noise-${noise}.svg`, title, caption, svg: heatMapSvg({ title, caption, matrix, high }) };
  });
}

function meanOverLast({ shape, data }: DenseTensor): Matrix {
  const [rows, cols, depth] = shape;
  const means = matrix(rows, cols);
  for (let at = 0; at < data.length; at++) means.data[Math.floor(at / depth)] += data[at] / depth;
  return means;
}
