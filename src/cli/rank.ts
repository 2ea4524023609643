/** `orthant rank`: a rank for a matrix, by many fits of each. */
import { type Command, Option } from 'commander';
import { type Matrix, matrix } from '../data/matrix.js';
import { byExtension } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import type { Samples } from '../formats/in-file.js';
import { encodeNpy } from '../formats/npy.js';
import type { TableOptions } from '../formats/table-options.js';
import { checkOutputFolder, writeOutputs } from '../node/files.js';
import { chooseRanks } from '../ranks/choose.js';
import type { RankResult, RankSurvey } from '../ranks/survey.js';
import { queuedFits } from '../sweep/queued-fits.js';
import { connectQueue, parseQueue } from '../sweep/redis.js';
import {
  type DeviceChoice,
  deviceOption,
  parseCount,
  parseFraction,
  parseNonnegative,
  parsePositiveInteger,
  parseRankRange,
  parseSeed,
  parseTolerance,
  samplesOption,
} from './arguments.js';
import { alignColumns } from './columns.js';
import { checkTableFiles, readData } from './data-file.js';
import type { Io } from './io.js';
import { batchesLine } from './progress.js';
import { rankSvg } from './rank-svg.js';
import { describeDevice, onDevice, provenance, toJson, version } from './run-fit.js';
import { checkStandardInput, inputFormatOption } from './standard-input.js';
import { alignFacts, sayNotes } from './summary.js';
import { addTableOptions, tableOptionsOf } from './table-options.js';
import { heatMapSvg } from './table1-svg.js';
import { wrapAll } from './text-width.js';

interface RankCommandOptions extends TableOptions {
  ranks: number[];
  layers: number;
  restarts?: number;
  masks?: number;
  hidden?: number;
  perturbation?: number;
  densityThreshold?: number;
  seed: number;
  maxIterations?: number;
  tolerance?: number;
  samples: Samples;
  inputFormat?: string;
  device: DeviceChoice;
  queue?: string;
  out?: string;
  json?: boolean;
}

const notes = `
Of each rank there are three batches of fits: on all of the matrix from random starts, with hidden
entries, and on perturbed data. The smallest rank within one standard error of the least held-out
error is chosen. Without masks it is the largest rank all of whose components are stable.

In the table "held out" is the error at hidden entries, "cophenetic" and "dispersion" tell how far
the restarts agree on which samples belong together (1: all do), and "stable A" and "stable S" are
the silhouettes of the least stable component over the perturbed fits.

Examples:
  orthant rank faces.npy --ranks 2..15
  orthant rank counts.tsv.gz --ranks 2..12 --restarts 40 --masks 10 --out ranks
  orthant rank faces.npy --ranks 2..12 --layers 3      ranks for fit --method hierarchical
  orthant rank terms.mtx --ranks 5,10,20,40 --masks 0 --perturbation 0
  orthant rank faces.npy --ranks 2..15 --queue redis://10.0.0.7:6379
`;

export function addRankCommand(program: Command, io: Io): void {
  const command = program
    .command('rank')
    .summary('the rank of a matrix, by many fits of each')
    .description(
      'Fits a matrix at many ranks by nmf with hals, and chooses one: by the error at entries that the fits have not seen, beside the agreement of restarts and the stability of components.',
    )
    .argument('<matrix>', `numeric ${byExtension(formats)}; rows are samples; - for standard input`)
    .requiredOption('--ranks <range>', 'ranks to try, smallest first, such as 2..15 or 2,4,8..12', parseRankRange)
    .option('--layers <n>', 'a rank for each of so many layers: of the matrix, then of S at the chosen rank, …', parsePositiveInteger, 1)
    .option('--restarts <n>', 'fits of each rank, of each of the three kinds (default: 20)', parsePositiveInteger)
    .option('--masks <n>', 'masks of hidden entries that the restarts are shared by; 0 for none (default: 5)', parseCount)
    .option('--hidden <share>', 'the part of the entries that a mask hides (default: 0.1)', parseFraction)
    .option('--perturbation <e>', 'perturbed entries are multiplied by 1 ± e; 0 for no perturbed fits (default: 0.015)', parseNonnegative)
    .option(
      '--density-threshold <d>',
      'consensus factors leave out components whose distance to their neighbours is not below this; 2 leaves out none (default: 0.5)',
      parseNonnegative,
    )
    .option('--seed <n>', 'seed of all random numbers', parseSeed, 0)
    .option('--max-iterations <n>', 'most iterations of a fit (default: 300)', parsePositiveInteger)
    .option('--tolerance <t>', 'a fit stops when its squared error falls by less than this an iteration (default: 1e-4)', parseTolerance)
    .addOption(samplesOption())
    .addOption(inputFormatOption())
    .addOption(deviceOption())
    .option(
      '--queue <url>',
      'workers at this Redis do the fits, see orthant work --help; starts and consensus are computed here: redis://host:port',
    )
    .option(
      '--out <dir>',
      'write ranks.json, ranks.svg (the curves), consensus.svg, and the consensus factors A.npy and S.npy, into this folder',
    )
    .addOption(new Option('--json', 'print what ranks.json holds, and nothing else, on standard output'));
  addTableOptions(command)
    .addHelpText('after', notes)
    .action((path: string, options: RankCommandOptions) => rankOf(io, path, options));
}

async function rankOf(io: Io, path: string, options: RankCommandOptions): Promise<void> {
  const { samples, out, json, device: prefer, layers, queue } = options;
  const started = performance.now();
  if (out !== undefined) await checkOutputFolder(out, ['ranks.json']);
  if (queue !== undefined) parseQueue(queue);
  checkStandardInput([path], options.inputFormat);
  const table = tableOptionsOf(options);
  const reading = { samples, table, input: { stdin: io.stdin, signal: io.signal, format: options.inputFormat } };
  checkTableFiles([path], reading);
  const data = await readData(path, reading, 'nmf');
  const { restarts, masks, hidden, perturbation, densityThreshold, seed, maxIterations, tolerance } = options;
  const settings = { ranks: options.ranks, restarts, masks, hidden, perturbation, densityThreshold, seed, maxIterations, tolerance };
  const server = queue === undefined ? undefined : await connectQueue(queue);
  const onNote = (note: string) => io.stderr.print([`orthant: ${note}`]);
  const queued = server && queuedFits(server, { version, onNote, signal: io.signal });
  const line = batchesLine(io);
  const { surveys, ranks, device } = await onDevice(io, { device: prefer, stops: queued !== undefined }, async (engine, device) => {
    const common = { ...settings, layers, fits: queued?.fits, weights: data.weights, signal: io.signal, onProgress: line.update };
    return { ...(await chooseRanks(engine, data.X, common)), device };
  }).finally(async () => {
    line.stop();
    await queued?.settled();
    await server?.close();
  });
  const content = {
    ...provenance(device, { matrix: path, samples, layers, ...settings, ...table }),
    ranks,
    layers: surveys.map(({ chosen, reason, notes, results, settings, elapsedMs }) => ({
      chosen,
      reason,
      notes,
      results,
      settings,
      elapsedMs,
    })),
  };
  const written = out === undefined ? [] : await writeSurveys(out, surveys, toJson(content));
  if (json) {
    sayNotes(io, data);
    io.stdout.write(toJson(content));
    return;
  }
  const { columns } = io.stdout;
  const facts: [string, string][] = [
    ['data', `${data.path}: ${data.X.rows} features × ${data.X.cols} samples`],
    ...(data.reading ? [['table', data.reading] as [string, string]] : []),
    ['fits', fitsOf(surveys[0])],
    ['device', describeDevice(device, prefer)],
    ['time', `${((performance.now() - started) / 1000).toFixed(1)} s`],
    ...(out === undefined ? [] : [['written', `${out}: ${written.join(', ')}`] as [string, string]]),
  ];
  io.stdout.print([
    ...alignFacts(facts, { columns }),
    ...wrapAll(
      data.notes.map((note) => `note: ${note}`),
      columns,
    ),
    ...surveys.flatMap((survey, l) => ['', ...(layers === 1 ? [] : [`layer ${l}`]), ...surveyLines(survey, columns)]),
    ...closing(path, ranks, layers, columns),
  ]);
}

function fitsOf({ settings }: RankSurvey): string {
  const { restarts, masks, hidden, perturbation } = settings;
  return [
    `${restarts} restarts a rank`,
    masks === 0 ? 'no masks' : `${masks} masks that hide ${Number((100 * hidden).toPrecision(3))} % of the entries`,
    perturbation === 0 ? 'no perturbation' : `entries perturbed by ${Number((100 * perturbation).toPrecision(3))} %`,
  ].join(', ');
}

/** The table of a survey, the choice and its reason. */
export function surveyLines({ results, chosen, reason, notes }: RankSurvey, columns = Number.POSITIVE_INFINITY): string[] {
  const shown = (x: number | undefined, digits: number) => (x === undefined ? '–' : x.toFixed(digits));
  const rows = results.map(({ rank, relativeError, heldOut, cophenetic, dispersion, stability }: RankResult) => [
    rank === chosen ? `→ ${rank}` : `${rank}`,
    relativeError.toFixed(4),
    shown(heldOut?.error, 4),
    heldOut ? `± ${heldOut.standardError.toFixed(4)}` : '',
    cophenetic.toFixed(3),
    dispersion.toFixed(3),
    shown(stability?.leastOfA, 2),
    shown(stability?.leastOfS, 2),
  ]);
  const headings = ['rank', 'error', 'held out', '', 'cophenetic', 'dispersion', 'stable A', 'stable S'];
  return [
    ...alignColumns(
      [headings, ...rows],
      headings.map(() => 'right'),
    ),
    '',
    ...wrapAll([reason, ...notes], columns),
  ];
}

function closing(path: string, ranks: readonly number[], layers: number, columns = Number.POSITIVE_INFINITY): string[] {
  if (layers === 1) return [];
  const fewer = ranks.length < layers ? [`No smaller rank was left to try for layer ${ranks.length}.`] : [];
  return ['', ...wrapAll(fewer, columns), `orthant fit ${path} --method hierarchical --ranks ${ranks.join(',')}`];
}

async function writeSurveys(out: string, surveys: readonly RankSurvey[], json: string): Promise<string[]> {
  const files: Record<string, string | Uint8Array> = { 'ranks.json': json };
  surveys.forEach((survey, l) => {
    const of = surveys.length === 1 ? '' : `${l}`;
    files[`ranks${of}.svg`] = rankSvg(survey);
    files[`consensus${of}.svg`] = consensusSvg(survey);
    if (survey.factors === null) return;
    files[`A${of}.npy`] = encodeNpy(survey.factors.A);
    files[`S${of}.npy`] = encodeNpy(survey.factors.S);
  });
  await writeOutputs(out, files);
  return Object.keys(files);
}

/** Rows of the picture of a consensus at most. */
const mostRows = 240;

/** A consensus as a heat map in the order of the linkage, with brackets for the clusters of the best restart. */
function consensusSvg({ consensus, chosen, results }: RankSurvey): string {
  const { cophenetic, dispersion } = results.find(({ rank }) => rank === chosen)!;
  const by = Math.ceil(consensus.matrix.rows / mostRows);
  const reduced = blockMeans(consensus.matrix, by);
  return heatMapSvg({
    title: `Consensus at rank ${chosen}`,
    caption: `cophenetic correlation ${cophenetic.toFixed(3)}, dispersion ${dispersion.toFixed(3)}${by > 1 ? `; a cell is ${by} samples` : ''}`,
    matrix: reduced,
    high: 1,
    groups: consensus.clusters.filter((_, at) => at % by === 0),
  });
}

function blockMeans({ rows, cols, data }: Matrix, by: number): Matrix {
  const means = matrix(Math.ceil(rows / by), Math.ceil(cols / by));
  const counts = new Float64Array(means.data.length);
  data.forEach((x, at) => {
    const to = Math.floor(Math.floor(at / cols) / by) * means.cols + Math.floor((at % cols) / by);
    means.data[to] += x;
    counts[to]++;
  });
  return {
    ...means,
    data: means.data.map((sum, at) => sum / counts[at]),
  };
}
