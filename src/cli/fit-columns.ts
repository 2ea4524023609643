/** `orthant fit --panels` and `--distributed`: fits of all of a matrix that is not whole on the device, in memory, or on one machine. */

import { setTimeout as pause } from 'node:timers/promises';
import { type Command, CommanderError, Option } from 'commander';
import { checkNonnegative } from '../data/check.js';
import { columnsOfMatrix } from '../data/columns.js';
import type { Labels } from '../data/labels.js';
import { InputError, OrthantError } from '../errors.js';
import { checkFile, type Samples } from '../formats/in-file.js';
import type { TableOptions } from '../formats/table-options.js';
import type { FitOptions } from '../methods/factorization.js';
import { type Factorization, type Method, methodOf } from '../methods/methods.js';
import type { SavedModel } from '../models/files.js';
import { type OpenColumns, openColumns } from '../node/columns.js';
import { checkModelFolder } from '../node/model-folder.js';
import { connectMpi, type Mpi } from '../node/mpi.js';
import { type PanelWriter, panelWriter } from '../node/panel-writer.js';
import { scanColumns } from '../parallel/column-data.js';
import { type Communicator, oneProcess } from '../parallel/communicator.js';
import { columnsOfRank } from '../parallel/share.js';
import { type CommonOptions, parsePositiveInteger } from './arguments.js';
import { type AutoRanks, isAuto } from './auto-ranks.js';
import { checkTableFiles } from './data-file.js';
import type { Io } from './io.js';
import { readGivenLabels } from './labels.js';
import { checkMethodHas, checkMethodOptions, givenMethodOptions } from './method-options.js';
import { endOfFit, fitOnDevice, printModel, provenance, writeModel } from './run-fit.js';
import { alignFacts, fitFacts, labelFacts, layerTable } from './summary.js';
import { tableOptionsOf } from './table-options.js';
import { wrapAll } from './text-width.js';

interface ColumnCommandOptions extends Omit<CommonOptions, 'ranks'>, TableOptions {
  ranks?: number[] | AutoRanks;
  method: Method;
  samples: Samples;
  stopping?: FitOptions['stopping'];
  panels?: true | number;
  distributed?: 'mpi';
}

export function addColumnOptions(command: Command): Command {
  const options = [
    new Option(
      '--panels [n]',
      'nmf, neural: the device has n samples at a time (default: 32 MiB of them), and every iteration reads all of them; a .npy or a .parquet is never whole in memory',
    ).argParser(parsePositiveInteger),
    new Option(
      '--distributed <by>',
      'nmf, neural: the processes that mpirun started share the samples, and join sums in every iteration',
    ).choices(['mpi']),
  ];
  for (const option of options) command.addOption(option.helpGroup('A matrix past memory, or past one machine:'));
  return command;
}

/** Methods that have it. */
const methodsByColumns: Method[] = ['nmf', 'neural'];

/** Options of `fit` that such a fit does not have. */
const otherOptions = ['online', 'report', 'half', 'weights', 'start', 'inputFormat', 'order', 'scale', 'svdBound'];

function checkOptions(command: Command, { method, distributed }: ColumnCommandOptions): void {
  const flag = distributed ? '--distributed' : '--panels';
  if (!methodsByColumns.includes(method))
    throw new InputError(`${flag} is for --method nmf and --method neural, not for ${method}; leave it out, or choose one of these.`, {
      option: 'method',
    });
  const given = command.options.find(
    (option) => otherOptions.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (given) throw new InputError(`${given.long} does not go with ${flag}, whose samples are not all in one place; leave one of them out.`);
}

export async function fitByColumns(io: Io, path: string, options: ColumnCommandOptions, command: Command): Promise<void> {
  checkOptions(command, options);
  if (path === '-')
    throw new InputError('Standard input can be read once, and a fit by panels reads its file in every iteration; name a file.');
  if (isAuto(options.ranks)) throw new InputError('--ranks auto reads a matrix whole; give ranks.', { option: 'ranks' });
  const { ranks } = options;
  if (ranks === undefined) command.error("error: required option '--ranks <list>' not specified");
  if (!options.distributed) return fitShare(io, path, { ...options, ranks: ranks! }, command, oneProcess());
  const mpi = await connectMpi();
  endWithTheOthers(io, mpi, options.checkpoint !== undefined);
  if (mpi.rank > 0) for (const stream of [io.stdout, io.stderr]) stream.silence();
  try {
    await fitShare(io, path, { ...options, ranks: ranks! }, command, mpi);
    mpi.finalize();
  } catch (error) {
    const known = error instanceof CommanderError || agreed.has(error as object);
    if (known || (await everyRankFailed(mpi, error))) {
      mpi.finalize();
      throw known || mpi.rank === 0 ? error : new CommanderError(2, 'orthant.another-rank', '');
    }
    // Those who wait for this rank would wait for ever. The error is printed first.
    process.once('exit', () => mpi.abort(1));
    throw error;
  }
}

/** Errors that every rank knows of. */
const agreed = new WeakSet<object>();

/**
 * What `work` gives on every rank, or an error on all of them: the first rank that has one says it, the others end without a word. In `work`
 * no rank may wait for one that has failed.
 */
async function onAllRanks<T>(communicator: Communicator, work: () => Promise<T>): Promise<T> {
  let failure: unknown;
  const done = await work().catch((error: unknown) => {
    failure = error;
    return undefined;
  });
  const failed = (await communicator.texts(failure === undefined ? '' : '!')).indexOf('!');
  if (failed < 0) return done as T;
  if (failed !== communicator.rank) throw new CommanderError(2, 'orthant.another-rank', '');
  if (typeof failure === 'object' && failure !== null) agreed.add(failure);
  throw failure;
}

/** Milliseconds that a rank with an error waits for the others to have it, too. */
const agreementMs = 3000;

/** Whether every rank has an error, as of options that a fit refuses. A rank that goes on never comes to this call. */
async function everyRankFailed(communicator: Communicator, error: unknown): Promise<boolean> {
  if (!(error instanceof OrthantError)) return false;
  const others = communicator.texts(error.message).then(
    () => true,
    () => false,
  );
  return Promise.race([others, pause(agreementMs, false, { ref: false })]);
}

/** One sentence where mpirun ends this process because another one has ended. */
function endWithTheOthers({ stderr }: Io, { rank, size }: Mpi, keepsCheckpoints: boolean): void {
  process.once('SIGTERM', () => {
    const again = keepsCheckpoints ? ' The same command with --checkpoint goes on from the last checkpoint.' : '';
    stderr.write(`orthant: Rank ${rank} of ${size} was ended by mpirun, as it does where another rank has ended, and at Ctrl-C.${again}\n`);
    process.exit(1);
  });
}

async function fitShare(
  io: Io,
  path: string,
  options: Omit<ColumnCommandOptions, 'ranks'> & { ranks: number[] },
  command: Command,
  communicator: Communicator,
): Promise<void> {
  const { method, samples, ranks, out, format, json, panels, stopping } = options;
  const given = givenMethodOptions(command);
  const table = tableOptionsOf(options);
  const first = communicator.rank === 0;
  // On one process S goes to its files panel by panel. Several processes gather it in the first.
  const byPanels = out !== undefined && panels !== undefined && communicator.size === 1;
  let writer: PanelWriter | undefined;
  const { labels: labelsPath, truth: truthPath, unlabelled, ...own } = given;
  const { file, labels, columns } = await onAllRanks(communicator, async () => {
    checkMethodHas(method, given);
    checkMethodOptions(method, ranks, given);
    if (out !== undefined && first) await checkModelFolder(out, ranks.length);
    checkTableFiles([path], { samples, table, input: { stdin: io.stdin, signal: io.signal } });
    const file = await ownColumns(await openColumns(path, { samples, ...table }), communicator);
    const labels =
      labelsPath === undefined
        ? undefined
        : await readGivenLabels(labelsPath, truthPath, { samples: file.cols, names: file.sampleNames, unlabelled });
    const columns = await scanColumns(inFile(file, path), {
      communicator,
      ...(typeof panels === 'number' ? { panelColumns: panels } : panels ? {} : { panelColumns: file.cols }),
      ...(byPanels && { takeS: async ({ layer, from, S }) => writer!.write(layer, from, S) }),
    });
    return { file, labels, columns };
  });
  if (byPanels) {
    const names = ranks.map((_, l) => `S${l}.npy`);
    writer = await panelWriter(
      out,
      names,
      ranks.map((rows) => ({ rows, cols: file.cols })),
    );
  }
  try {
    const before = communicator.reducedBytes;
    // Every rank takes part in a checkpoint, and the first keeps it.
    const { model: fitted, device } = await fitOnDevice(io, { ...options, restarts: options.restarts, keeps: first }, (engine, common) => {
      const { svdBound: _, ...rest } = common;
      const fitOptions = {
        ...rest,
        ...own,
        ranks,
        stopping,
        labels: labels?.labels as Labels,
        truth: labels?.truth,
        unlabelled: labels && [],
      };
      return methodOf(method).fit(engine, columns as never, fitOptions) as Promise<Factorization>;
    });
    const bytes = communicator.reducedBytes - before;
    const adapters = await communicator.texts(device.description);
    await file.close?.();
    if (!first) return;
    const model: SavedModel = { ...fitted, ...(file.features && { features: [...file.features] }) };
    const settings = { matrix: path, samples, panels, distributed: options.distributed, stopping, ...table, ...given };
    const extra = { ...provenance(device, settings), ranksOfProcesses: communicator.size, reducedBytes: bytes };
    const ofPanels = (await writer?.finish()) ?? [];
    writer = undefined;
    const written = out === undefined ? undefined : [...(await writeModel({ out, format }, model, extra)), ...ofPanels];
    if (json) {
      await printModel(io, { format }, model, extra);
      return endOfFit(io, model, options);
    }
    print(io, {
      ...{ method, out, device: options.device },
      path,
      file,
      model,
      labels: labels?.labels,
      communicator,
      bytes,
      adapters,
      panels: columns.share.panels.length,
      written,
    });
    await endOfFit(io, model, options);
  } finally {
    await writer?.drop();
  }
}

/** Of a matrix that was read whole, a rank keeps its own columns. */
async function ownColumns(file: OpenColumns, { rank, size }: Communicator): Promise<OpenColumns> {
  if (file.streamed || size === 1 || file.cols < size) return file;
  const { from: first, to: end } = columnsOfRank(file.cols, rank, size);
  const own = columnsOfMatrix(await file.read(first, end));
  return { ...file, read: (from, to) => own.read(from - first, to - first) };
}

/** The columns of a file, whose bad entries are named as they stand there. */
function inFile(file: OpenColumns, path: string): OpenColumns {
  const read = async (from: number, to: number) => {
    const X = await file.read(from, to);
    const { samplesAre: samples, features } = file;
    checkFile({ path, X, samples, features }, () => checkNonnegative(X), from);
    return X;
  };
  return { ...file, read };
}

interface Printed extends Pick<ColumnCommandOptions, 'method' | 'out' | 'device'> {
  path: string;
  file: OpenColumns;
  model: SavedModel;
  labels?: readonly string[];
  communicator: Communicator;
  bytes: number;
  adapters: readonly string[];
  panels: number;
  written?: readonly string[];
}

function print({ stdout }: Io, told: Printed): void {
  const { path, file, model, labels = [], communicator, bytes, adapters, panels, written, method, out } = told;
  const { size } = communicator;
  const iterations = Math.max(1, model.iterations);
  const kinds = [...new Set(adapters)];
  const head: [string, string][] = [
    [
      'data',
      `${path}: ${file.rows} features × ${file.cols} samples, ${panels === 1 ? 'one panel' : `${panels} panels`}${size > 1 ? ' a rank' : ''}`,
    ],
    ['method', `${method}, ${model.ranks.length === 1 ? 'rank' : 'ranks'} ${model.ranks.join(', ')}, seed ${model.seed}`],
    ['device', kinds.length === 1 ? `${kinds[0]}${size > 1 ? ` on each of ${size} ranks` : ''}` : kinds.join('; ')],
    ...(size > 1
      ? [
          ['joined', `${bytes} bytes a rank over the whole fit, ${Math.round(bytes / iterations)} an iteration on average`] as [
            string,
            string,
          ],
        ]
      : []),
  ];
  const facts = [...head, ...labelFacts(model, labels), ...fitFacts(model)];
  if (written) facts.push(['written', `${out}: ${written.join(', ')}`]);
  // mpirun gives its processes a terminal of a few columns.
  const columns = size > 1 ? 100 : stdout.columns;
  const whole = file.streamed
    ? []
    : ['note: any file but a .npy or a .parquet is read whole; only its panels go to the device one by one.'];
  stdout.print([
    ...alignFacts(head, { columns, among: facts }),
    ...wrapAll(whole, columns),
    '',
    ...layerTable(model, columns),
    '',
    ...alignFacts(facts.slice(head.length), { columns, among: facts }),
  ]);
}
