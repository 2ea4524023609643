/** `orthant fit --online`: NMF of a matrix that need never be whole in memory, and models that go on with more samples. */
import { type Command, Option } from 'commander';
import { checkNonnegative } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { checkFile, type Samples } from '../formats/in-file.js';
import type { TableOptions } from '../formats/table-options.js';
import { type OnlineNmfOptions, onlineNmf } from '../methods/online.js';
import { type OnlineState, onlineUpdates } from '../methods/online-state.js';
import { orderOf, rowsInOrder } from '../models/align.js';
import type { SavedModel } from '../models/files.js';
import { type ColumnFile, columnsOf } from '../node/column-file.js';
import { isTable } from '../node/files.js';
import { checkModelFolder, loadOnlineState } from '../node/model-folder.js';
import { isStartFolder, readStart, type StartFolder } from '../node/start-folder.js';
import { type CommonOptions, parseFraction, parsePositiveInteger } from './arguments.js';
import { type AutoRanks, isAuto } from './auto-ranks.js';
import { checkTableFiles } from './data-file.js';
import type { Io } from './io.js';
import { columnsLine } from './progress.js';
import { describeDevice, endOfFit, onDevice, printModel, provenance, writeModel } from './run-fit.js';
import { checkStandardInput, fromStandardInput } from './standard-input.js';
import { startInOrder } from './start.js';
import { alignFacts, layerTable } from './summary.js';
import { tableOptionsOf } from './table-options.js';
import { wrapAll } from './text-width.js';

interface OnlineCommandOptions extends Omit<CommonOptions, 'ranks'>, TableOptions {
  ranks?: number[] | AutoRanks;
  samples: Samples;
  inputFormat?: string;
  batchSize?: number;
  forget?: number;
  passes?: number;
  solver?: string;
  start?: string;
}

/** The options of this kind of fit alone. */
const ownOptions = ['batchSize', 'forget', 'passes'];

/** The other options that it has; those of tables come to them. */
const sharedOptions = [
  ...['online', 'method', 'ranks', 'seed', 'tolerance', 'solver', 'start', 'samples', 'inputFormat', 'device', 'maxSeconds'],
  ...['out', 'format', 'json', 'config', 'quiet'],
];

export function addOnlineOptions(command: Command): Command {
  const options = [
    new Option(
      '--online',
      'nmf of samples that come in batches: a .npy, a .parquet, or a table whose rows are samples, is never whole in memory',
    ),
    new Option('--batch-size <n>', 'samples that are computed at a time; default 1024').argParser(parsePositiveInteger),
    new Option(
      '--forget <f>',
      'what sums over earlier samples keep of them while as many as the file has (of a table: a batch) come; default 0.7, and 1 forgets nothing',
    ).argParser(parseFraction),
    new Option(
      '--passes <n>',
      'how often the file is read at most; default 1. They end when the squared error of a pass falls by less than --tolerance, 1e-4',
    ).argParser(parsePositiveInteger),
  ];
  for (const option of options) command.addOption(option.helpGroup('A matrix in batches of samples:'));
  return command;
}

/** Throws InputError for an option of --online without it. */
export function checkNoOnlineOptions(command: Command): void {
  const given = command.options.find((option) => ownOptions.includes(option.attributeName()) && isGiven(command, option.attributeName()));
  if (given)
    throw new InputError(`${given.long} belongs to --online, which reads a matrix in batches of samples; give that, too, or leave it out.`);
}

const isGiven = (command: Command, name: string) => command.getOptionValueSource(name) === 'cli';

/** Throws InputError for an option that such a fit does not have, and for another method. */
function checkOptions(command: Command, options: OnlineCommandOptions): void {
  const { method } = command.opts<{ method: string }>();
  if (isGiven(command, 'method') && method !== 'nmf')
    throw new InputError(`--online is for --method nmf, not for ${method}; leave one of them out.`);
  const known = [...sharedOptions, ...ownOptions, ...Object.keys(tableOptionsOf(options))];
  const other = command.options.find((option) => isGiven(command, option.attributeName()) && !known.includes(option.attributeName()));
  if (other) {
    const instead = other.attributeName() === 'batchColumns' ? ': its batches are those of --batch-size' : '';
    throw new InputError(`${other.long} does not go with --online${instead}; leave one of them out.`);
  }
  if (options.solver !== undefined && !onlineUpdates.some((update) => update === options.solver))
    throw new InputError(`--solver of --online must be ${inWords([...onlineUpdates], 'or')}, not ${options.solver}.`, { option: 'solver' });
}

/** What a fit begins with: the state of an earlier one, or its factors. */
interface Begun {
  folder: StartFolder;
  state?: OnlineState;
}

async function beginningOf(start: string | undefined): Promise<Begun | undefined> {
  if (start === undefined || start === 'random') return undefined;
  if (!(await isStartFolder(start)))
    throw new InputError(`--start of --online must be random or a folder of factors, and there is no folder '${start}'.`, {
      option: 'start',
    });
  const folder = await readStart(start);
  return { folder, state: 'method' in folder.factors ? await loadOnlineState(start) : undefined };
}

export async function fitOnline(io: Io, path: string, options: OnlineCommandOptions, command: Command): Promise<void> {
  checkOptions(command, options);
  if (isAuto(options.ranks))
    throw new InputError('--ranks auto reads a matrix whole, and --online never does; give a rank.', { option: 'ranks' });
  const begun = await beginningOf(options.start);
  if (options.ranks === undefined && begun === undefined) command.error("error: required option '--ranks <list>' not specified");
  if (options.out !== undefined) await checkModelFolder(options.out, 1);
  checkStandardInput([path], options.inputFormat);
  const input = { stdin: io.stdin, signal: io.signal, format: options.inputFormat };
  checkTableFiles([path], { samples: options.samples, table: tableOptionsOf(options), input });
  const fitThat = async (file: string, called: string) => {
    const table = isTable(file) ? tableOptionsOf(options) : {};
    await fitFile(io, { file: await columnsOf(file, { samples: options.samples, ...table }), called }, options, { command, begun });
  };
  if (path !== '-') return fitThat(path, path);
  await fromStandardInput(input, async (file) => {
    await fitThat(file, 'standard input');
    return {};
  });
}

async function fitFile(
  io: Io,
  { file, called }: { file: ColumnFile; called: string },
  options: OnlineCommandOptions,
  { command, begun }: { command: Command; begun?: Begun },
): Promise<void> {
  const { batchSize, forget, passes = 1, tolerance, maxSeconds, out, format, json, samples, solver } = options;
  const notes: string[] = [];
  const from = startOf(begun, { file, called, notes }, options, command);
  let state: OnlineState | undefined;
  const seen = { samples: 0 };
  const { model: fitted, device } = await onDevice(io, { ...options, stops: true }, async (engine, device) => {
    const line = columnsLine(io, { passes, cols: file.cols });
    const fitOptions: OnlineNmfOptions = {
      ...from,
      batchColumns: batchSize,
      forgetting: forget,
      samples: file.cols,
      passes,
      tolerance,
      maxSeconds,
      onState: (kept) => {
        state = kept;
      },
      onProgress: (progress) => {
        line.update(progress);
        return !io.signal.aborted;
      },
    };
    try {
      return { model: await onlineNmf(engine, checked(file, called, seen), fitOptions), device };
    } catch (error) {
      throw error instanceof InputError && error.option === 'batchColumns' ? new InputError(error.message, { option: 'batchSize' }) : error;
    } finally {
      line.stop();
    }
  });
  // A model that goes on keeps the names that this file lacks.
  const features = file.features ?? begun?.folder.features;
  const model: SavedModel = { ...fitted, ...(features && { features }) };
  const settings = { matrix: called, samples, online: true, batchSize, forget, passes, tolerance, solver, start: options.start };
  const extra = provenance(device, { ...settings, ...tableOptionsOf(options) });
  const written = out === undefined ? undefined : await writeModel({ out, format, online: state }, model, extra);
  if (json) {
    if (notes.length > 0) io.stderr.print(notes.map((note) => `orthant: ${called}: ${note}`));
    await printModel(io, { format, online: state }, model, extra);
    return endOfFit(io, model, options);
  }
  const head: [string, string][] = [
    ['data', `${called}: ${file.rows} features × ${seen.samples} samples, ${file.streamed ? 'read in blocks' : 'read whole'}`],
    ['method', `nmf in batches by ${state!.update}, rank ${model.ranks[0]}, seed ${model.seed}`],
    ...(begun ? [['start', `${begun.folder.path}: ${begun.folder.read}${begun.state ? ', with its sums' : ''}`] as [string, string]] : []),
    ['device', describeDevice(device, options.device)],
  ];
  const facts: [string, string][] = [
    ...head,
    ...onlineFacts(model, state!),
    ...(written ? [['written', `${out}: ${written.join(', ')}`] as [string, string]] : []),
  ];
  const { columns } = io.stdout;
  const all = [...notes.map((note) => `note: ${note}`), ...(file.streamed ? [] : [wholeNote(file)])];
  io.stdout.print([
    ...alignFacts(head, { columns, among: facts }),
    ...wrapAll(all, columns),
    '',
    ...layerTable(model, columns),
    '',
    ...alignFacts(facts.slice(head.length), { columns, among: facts }),
  ]);
  await endOfFit(io, model, options);
}

function wholeNote({ samplesAre }: ColumnFile): string {
  const why =
    samplesAre === 'columns'
      ? 'a table whose samples are columns, and any file but a .npy or a .parquet,'
      : 'any file but a .npy, a .parquet or a table of text';
  return `note: ${why} is read whole; only its batches go to the device one by one.`;
}

/** The blocks of a file, with what the fit would refuse in terms of that file. `seen` counts the samples of the longest pass. */
function checked(file: ColumnFile, path: string, seen: { samples: number }): AsyncIterable<DataMatrix> {
  return {
    async *[Symbol.asyncIterator]() {
      let from = 0;
      for await (const X of file) {
        checkFile({ path, X, samples: file.samplesAre, features: file.features }, () => checkNonnegative(X), from);
        from += X.cols;
        seen.samples = Math.max(seen.samples, from);
        yield X;
      }
    },
  };
}

/** What the library begins with: sums, factors in the order of the data, or random numbers. */
function startOf(
  begun: Begun | undefined,
  { file, called, notes }: { file: ColumnFile; called: string; notes: string[] },
  { ranks: asked, seed, solver }: OnlineCommandOptions,
  command: Command,
): Pick<OnlineNmfOptions, 'ranks' | 'seed' | 'update' | 'start' | 'resume'> {
  const ranks = asked as number[] | undefined; // auto was refused
  const update = solver as OnlineNmfOptions['update'];
  if (begun === undefined) return { ranks, seed, update };
  const { folder, state } = begun;
  const data = { path: called, features: file.features, notes };
  if (state === undefined) {
    const { A, S } = startInOrder(folder, data, 'nmf');
    return { ranks, seed, update, start: { A, S } };
  }
  const same: [string, unknown, unknown][] = [
    ['ranks', ranks?.join(','), `${state.A.cols}`],
    ['solver', solver, state.update],
    ['seed', isGiven(command, 'seed') ? seed : undefined, state.seed],
  ];
  for (const [name, given, kept] of same)
    if (given !== undefined && given !== kept)
      throw new InputError(`--${name} is ${given}, but the model in ${folder.path}, which goes on, has ${kept}; leave it out.`, {
        option: name,
      });
  if (state.A.rows !== file.rows)
    throw new InputError(`The model in ${folder.path} has ${state.A.rows} features, but ${called} has ${file.rows}; give the same ones.`);
  const order =
    folder.features &&
    data.features &&
    orderOf({ names: folder.features, of: folder.path }, { names: data.features, of: called }, { what: 'features' });
  if (!order) return { resume: state };
  notes.push(`The features of ${folder.path} stand in another order than those of ${called}; they were put into that order.`);
  const [P, ...ofFeatures] = state.sums;
  const moved = (X: Matrix) => rowsInOrder(X, order);
  return { resume: { ...state, A: moved(state.A), sums: [P, ...ofFeatures.map(moved)] } };
}

function onlineFacts(model: SavedModel, { seen }: OnlineState): [string, string][] {
  const { history, stopReason, kktResidual, elapsedMs } = model;
  const why =
    stopReason === 'tolerance'
      ? ': the squared error fell by less than --tolerance'
      : stopReason === 'maxSeconds'
        ? ': the time that --max-seconds allows'
        : stopReason === 'stopped'
          ? ': it was stopped'
          : '';
  return [
    ['KKT residual', `${kktResidual.toExponential(1)} of A for the sums`],
    ['passes', `${history.length}${why}`],
    ['learned from', `${seen.columns} samples in ${seen.batches} batches, all passes and earlier fits counted`],
    ['time', `${(elapsedMs / 1000).toFixed(1)} s`],
  ];
}
