/** `orthant sweep`: fits of many ranks and seeds, in processes of their own. */
import { type Command, Option } from 'commander';
import { checkRanks } from '../data/check.js';
import { CancelledError, InputError, OrthantError } from '../errors.js';
import { byExtension } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import type { TableOptions } from '../formats/table-options.js';
import type { FitOptions } from '../methods/factorization.js';
import { stoppings } from '../methods/loop.js';
import { type Method, methodOf, methods } from '../methods/methods.js';
import { checkOutputFolder, writeOutputs } from '../node/files.js';
import { childrenHere } from '../sweep/children.js';
import { defaultRestarts, type Job, jobsOf, type SweepSpec, sweepOf } from '../sweep/plan.js';
import { connectQueue, parseQueue } from '../sweep/redis.js';
import { runHere, type SweepProgress } from '../sweep/run-here.js';
import { runOnQueue } from '../sweep/run-queued.js';
import { jobsOfShard, shardOf, writeShard } from '../sweep/shard.js';
import { sourceOf } from '../sweep/source.js';
import { type SweepSummary, summaryOf } from '../sweep/summary.js';
import { doneIn, openSweep } from '../sweep/sweep-folder.js';
import {
  type DeviceChoice,
  deviceOption,
  parsePositiveInteger,
  parseRankRange,
  parseRanks,
  parseSeed,
  parseTolerance,
  samplesOption,
} from './arguments.js';
import { checkTableFiles, type Data } from './data-file.js';
import { checkHalf } from './fit.js';
import { fileOptionsOf, readFitData } from './fit-inputs.js';
import type { Io } from './io.js';
import { addMethodOptions, checkMethodHas, checkMethodOptions, givenMethodOptions, type MethodOptions } from './method-options.js';
import { fitsLine } from './progress.js';
import { toJson, version } from './run-fit.js';
import { alignFacts, sayNotes } from './summary.js';
import { bestLines, describeSweep, sweepNotes, sweepSvg, sweepTable } from './sweep-summary.js';
import { addTableOptions, tableOptionsOf } from './table-options.js';
import { wrapAll } from './text-width.js';

interface SweepCommandOptions extends TableOptions {
  method: Method;
  ranks: string[];
  restarts?: number;
  seed: number;
  maxIterations?: number;
  tolerance?: number;
  stopping?: FitOptions['stopping'];
  svdBound: boolean;
  samples: 'rows' | 'columns';
  device: DeviceChoice;
  workers?: number;
  shard?: string;
  queue?: string;
  shared?: boolean;
  out: string;
  json?: boolean;
}

/** The SVD bound is computed for each ranks: of a matrix whose smaller side is longer that takes longer than the fits. */
const longestBounded = 1000;

const notes = `
Restart r of a sweep has the seed --seed + r. Its factors are those of
"orthant fit --restarts 1 --seed …" with that seed, to the last bit.

A folder of a sweep fills: each fit is a model in --out/fits, whole or not there. The same command
goes on after Ctrl-C, kill -9 or a failure, and does what is missing. summary.json and sweep.svg say
what the fits came to; the best model of each rank is named, and transform takes it.

Shards: --shard 3/10 does the third of ten parts. All parts may work in one folder, at the same time
and on several machines, or each in a folder of its own; "orthant gather" puts them together, and
names a part or a fit that is missing. See docs/sweeps.md for Slurm and Kubernetes.

A queue: --queue redis://host:port files the fits at a Redis, from which "orthant work" on any number
of machines takes them; results come back to --out. Ctrl-C takes the sweep out of the queue.

Examples:
  orthant sweep faces.npy --method nmf --ranks 2..15 --out sweep
  orthant sweep faces.npy --ranks 20,8,3 --ranks 10,4 --restarts 8 --out layers
  orthant sweep faces.npy --method nmf --ranks 2..15 --shard slurm --out sweep
  orthant sweep faces.npy --method nmf --ranks 2..15 --queue redis://10.0.0.7:6379 --out sweep
  orthant gather sweep
`;

export function addSweepCommand(program: Command, io: Io): void {
  const command = program
    .command('sweep')
    .summary('fits of many ranks and seeds')
    .description('Fits a matrix at many ranks, each from many starts, in processes of their own, and goes on where it was ended.')
    .argument('<matrix>', `numeric ${byExtension(formats)}; rows are samples`)
    .addOption(new Option('--method <name>', 'which factorization, see orthant fit --help').choices(Object.keys(methods)).default('neural'))
    .requiredOption(
      '--ranks <list>',
      'ranks such as 2..15; of a method with one layer also 2,4,8..12; of one with several 20,8,3 is a rank for each layer; may be given several times',
      collectRanks,
    )
    .option('--restarts <n>', `fits of each ranks (default: ${defaultRestarts})`, parsePositiveInteger)
    .option('--seed <n>', 'seed of the first fit of each ranks; the next one has the next seed', parseSeed, 0)
    .option('--max-iterations <n>', 'most iterations of a stage', parsePositiveInteger)
    .option('--tolerance <t>', 'a fit ends when the squared error falls by less than this fraction an iteration', parseTolerance)
    .addOption(new Option('--stopping <rule>', 'what --tolerance refers to, see orthant fit --help').choices([...stoppings]))
    .option('--no-svd-bound', `leave out the SVD bound, which is there where the matrix has ${longestBounded} rows or columns at most`)
    .addOption(samplesOption())
    .addOption(deviceOption())
    .option(
      '--workers <n>',
      'processes that make fits at the same time (default: one for each GPU that Dawn tells apart, else one)',
      parsePositiveInteger,
    )
    .option(
      '--shard <part>',
      'one part of the sweep: 3/10, slurm (by the variables of an array), or kubernetes/10 (by JOB_COMPLETION_INDEX)',
    )
    .option('--queue <url>', 'workers at this Redis do the fits, see orthant work --help: redis://host:port')
    .option('--shared', 'with --queue: workers read the data at their path, on a folder that all share; else the queue brings them')
    .requiredOption('--out <dir>', 'the folder of the sweep')
    .option('--json', 'print what summary.json holds, and nothing else, on standard output');
  addTableOptions(addMethodOptions(command))
    .addHelpText('after', notes)
    .action((path: string, options: SweepCommandOptions) => {
      checkQueue(command, options);
      return sweep(io, path, options, givenMethodOptions(command));
    });
}

/** Throws InputError for options that do not go together with a queue, or without one. */
function checkQueue(command: Command, { queue, shared, shard, workers }: SweepCommandOptions): void {
  const refuse = (option: string, words: string) => {
    throw new InputError(words, { option });
  };
  if (queue === undefined) {
    if (shared) refuse('shared', '--shared says where workers at a queue find the data; give --queue, too, or leave it out.');
    return;
  }
  parseQueue(queue);
  if (shard !== undefined) refuse('shard', '--shard and --queue both share the fits out; give one of them.');
  if (workers !== undefined)
    refuse('workers', '--workers are processes of this machine, and with --queue those of orthant work compute; leave it out.');
  if (command.getOptionValueSource('device') !== 'default')
    refuse('device', '--device says where fits of this machine are computed, and with --queue workers compute; give it to orthant work.');
}

function collectRanks(text: string, before: readonly string[] = []): string[] {
  if (text.includes('..')) parseRankRange(text);
  else parseRanks(text);
  return [...before, text];
}

/** Ranks as they were given: lists of one each but where a method of several layers is given several. */
function ranksOf(texts: readonly string[], method: Method): number[][] {
  const layered = methodOf(method).layers === 'many';
  return texts.flatMap((text) => {
    if (!text.includes('..') && layered) return [parseRanks(text)];
    if (layered && text.includes(','))
      throw new InputError(
        `--ranks '${text}' has a range and a comma, which parts the ranks of layers in ${method}; give --ranks once for each.`,
        { option: 'ranks' },
      );
    return parseRankRange(text).map((rank) => [rank]);
  });
}

async function sweep(io: Io, path: string, options: SweepCommandOptions, given: MethodOptions): Promise<void> {
  const started = performance.now();
  const { out, json } = options;
  const shard = options.shard === undefined ? undefined : shardOf(options.shard, io.env);
  await checkOutputFolder(out, ['sweep.json', 'summary.json', 'sweep.svg']);
  const { spec, data } = await planned(path, options, given);
  await openSweep(out, spec);
  const all = jobsOf(spec);
  const jobs = shard ? jobsOfShard(all, shard) : all;
  if (shard) await writeShard(out, { ...shard, jobs: jobs.length, ended: false });
  const { ran, failed } = await run(io, spec, jobs, options);
  if (shard) await writeShard(out, { ...shard, jobs: jobs.length, ended: true });
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const { columns } = io.stdout;
  const head: [string, string][] = [
    ['data', `${data.path}: ${data.X.rows} features × ${data.X.cols} samples`],
    ...(data.reading ? [['table', data.reading] as [string, string]] : []),
    ['sweep', describeSweep(spec)],
  ];
  const summary = await summaryOf(out, spec);
  if (shard) {
    const made = jobs.length - failed;
    const facts: [string, string][] = [
      ...head,
      ['shard', `${shard.index} of ${shard.of}: ${made} of ${jobs.length} fits are in ${out}, ${ran - failed} of them new`],
      ['time', seconds],
    ];
    if (json) io.stdout.write(toJson(summary));
    else io.stdout.print([...alignFacts(facts, { columns }), '', ...wrapAll([...failureNotes(summary), nextStep(out)], columns)]);
  } else {
    const written = await writeSummary(out, summary);
    const facts: [string, string][] = [
      ...head,
      ['device', summary.devices.join('; ')],
      ['fits', `${ran - failed} new, ${all.length - ran} were there${failed > 0 ? `, ${failed} failed` : ''}`],
      ['time', seconds],
      ['written', `${out}: ${written.join(', ')}`],
    ];
    if (json) {
      sayNotes(io, data);
      io.stdout.write(toJson(summary));
    } else io.stdout.print([...alignFacts(facts, { columns }), ...noteLines(data, columns), '', ...summaryLines(summary, out, columns)]);
  }
  if (failed > 0)
    throw new OrthantError(
      `${failed} of ${jobs.length} fits have failed; the others are in '${out}'. The same command tries those that failed again.`,
    );
}

const nextStep = (out: string) => `Once all shards are done, orthant gather ${out} puts them together.`;

function noteLines({ notes }: Data, columns?: number): string[] {
  return wrapAll(
    notes.map((note) => `note: ${note}`),
    columns,
  );
}

/** The table, the best models, and sentences. */
export function summaryLines(summary: SweepSummary, out: string, columns?: number): string[] {
  const sentences = wrapAll(sweepNotes(summary), columns);
  return [...sweepTable(summary), '', ...bestLines(summary, out), ...(sentences.length > 0 ? ['', ...sentences] : [])];
}

/** What failed, alone: what a shard does not do is not missing. */
function failureNotes(summary: SweepSummary): string[] {
  return sweepNotes({ ...summary, missing: [], devices: [] });
}

/** Writes summary.json and the picture. Returns the names of the files. */
export async function writeSummary(out: string, summary: SweepSummary): Promise<string[]> {
  const files = { 'summary.json': toJson(summary), 'sweep.svg': sweepSvg(summary) };
  await writeOutputs(out, files);
  return Object.keys(files);
}

/** The specification of what was asked for, with the data, after all checks that need no device. */
async function planned(path: string, options: SweepCommandOptions, given: MethodOptions): Promise<{ spec: SweepSpec; data: Data }> {
  const { method, restarts, seed, samples, maxIterations, tolerance, stopping } = options;
  if (path === '-') throw new InputError('A sweep reads its data more than once, and standard input (-) can be read once; give a file.');
  checkMethodHas(method, given);
  const ranks = ranksOf(options.ranks, method);
  for (const one of ranks) checkMethodOptions(method, one, given);
  checkStart(given.start, method);
  const ofFiles = fileOptionsOf(method);
  const paths = Object.entries(given).filter(([name]) => ofFiles.includes(name)) as [string, string][];
  const table = tableOptionsOf(options);
  checkTableFiles([path, given.weights], { samples, table, input: { signal: new AbortController().signal } });
  const { half, ...own } = Object.fromEntries(Object.entries(given).filter(([name]) => !ofFiles.includes(name)));
  const plain = { maxIterations, tolerance, stopping, ...own, halfInputs: half };
  const files = await Promise.all(paths.map(async ([name, file]) => [name, await sourceOf(file)] as const));
  const spec = {
    version,
    method,
    data: { ...(await sourceOf(path)), samples, table },
    options: Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)),
    files: Object.fromEntries(files),
    ranks,
    restarts,
    seed,
  };
  const { data } = await readFitData(spec);
  const { rows, cols } = data.X;
  for (const one of ranks) checkRanks(one, rows, cols);
  checkHalf(half === true, data);
  return { spec: sweepOf({ ...spec, svdBound: options.svdBound && Math.min(rows, cols) <= longestBounded }), data };
}

/** Throws InputError for a start that is no word of the method: factors in a folder are one start. */
function checkStart(start: unknown, method: Method): void {
  if (start === undefined) return;
  const words = (methodOf(method).options.start.values ?? []).map(String);
  if (words.includes(String(start))) return;
  throw new InputError(
    `--start of a sweep must be ${words.join(' or ')}, not '${start}': factors in a folder are one start with ranks of its own, for orthant fit.`,
    { option: 'start' },
  );
}

/** Runs the jobs that are missing, here or at a queue, with a progress line. After Ctrl-C it says what is kept. */
async function run(
  io: Io,
  spec: SweepSpec,
  jobs: readonly Job[],
  { out, device, workers, queue, shared = false }: SweepCommandOptions,
): Promise<{ ran: number; failed: number }> {
  const server = queue === undefined ? undefined : await connectQueue(queue);
  const line = fitsLine<Job>(io, ({ ranks, seed }) => `ranks ${ranks.join(',')}, seed ${seed}`);
  let before: number | undefined;
  let latest = '';
  const onProgress = ({ done, failed, of, job, progress }: SweepProgress) => {
    before ??= done;
    // A line that says the same need not be written again.
    const told = `${done} ${failed} ${job?.id} ${progress === undefined}`;
    if (told !== latest) line.update(done + failed - before, of - before, job);
    latest = told;
  };
  const entry = new URL('./sweep-child.js', import.meta.url);
  const { signal } = io;
  const onNote = (note: string) => io.stderr.print([`orthant: ${note}`]);
  try {
    if (server) return await runOnQueue(server, out, spec, jobs, { shared, onProgress, onNote, signal });
    const children = await childrenHere(device, workers);
    return await runHere(out, jobs, { children, entry, onProgress, signal });
  } catch (error) {
    if (error instanceof CancelledError) {
      line.stop();
      const done = await doneIn(out);
      const kept = jobs.filter(({ id }) => done.has(id)).length;
      io.stderr.print([
        `orthant: Ctrl-C ended the sweep. ${kept} of ${jobs.length} fits are in '${out}'; the same command does the others.`,
      ]);
      await io.stderr.end();
    }
    throw error;
  } finally {
    line.stop();
    await server?.close();
  }
}
