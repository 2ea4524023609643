import { basename } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DataTensor } from '../data/tensors.js';
import { modeBound, tuckerError } from '../data/tucker.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import { tensorFormats } from '../formats/tensor-file.js';
import type { FitOptions } from '../methods/factorization.js';
import { hncpd } from '../methods/hncpd.js';
import { hntf } from '../methods/hntf.js';
import { ncp, ncpOptions } from '../methods/ncp.js';
import { neuralNcp } from '../methods/neural-ncp.js';
import type { TensorLevel } from '../methods/tensor-levels.js';
import { type SavedTensorModel, tensorFactorFiles, tensorModelFiles } from '../models/tensor-model.js';
import { removeCheckpoint } from '../node/checkpoint-file.js';
import { checkTensorModelFolder, saveTensorModel } from '../node/model-folder.js';
import { hierarchyOf, hierarchyOfProducts, type TensorHierarchy, tensorNames, tensorTopics } from '../topics/tensor.js';
import {
  type DeviceChoice,
  deviceOption,
  parseCount,
  parseNonnegatives,
  parsePositive,
  parsePositiveInteger,
  parseRanks,
  parseSeed,
  parseTolerance,
  parseWords,
} from './arguments.js';
import type { Io } from './io.js';
import { levelTable, printTensorTopics } from './print-tensor.js';
import { checkReportFile, writeTensorReport } from './report-file.js';
import { describeDevice, endOfFit, fitOnDevice, isUnfinished, provenance, toJson } from './run-fit.js';
import { checkStandardInput, inputFormatOption } from './standard-input.js';
import { alignFacts, fitFacts, solveNotes } from './summary.js';
import { type ModeOptions, modeCalled, readTensorData } from './tensor-data.js';
import { wrapAll } from './text-width.js';

const methods = {
  neural: 'Neural NCPD: the topics of every level learn together on the errors of all levels',
  sequential: 'the factor of every mode on its own, level after level, by hierarchical NMF (HNCPD)',
  hntf: 'level after level, with topics of one mode (HNTF)',
};

type TensorMethod = keyof typeof methods;

interface TensorOptions extends ModeOptions {
  rank: number;
  ranks?: number[];
  method: TensorMethod;
  solver?: 'hals' | 'anls';
  starts?: number;
  chains?: number;
  factors?: 'held' | 'learned';
  weights?: number | number[];
  modes?: string[];
  hntfMode?: string;
  seed: number;
  restarts?: number;
  maxIterations?: number;
  tolerance?: number;
  bounds: boolean;
  words: number;
  maxSeconds?: number;
  checkpoint?: number;
  inputFormat?: string;
  device: DeviceChoice;
  out?: string;
  report?: string;
  json?: boolean;
}

const helpNotes = (columns: number) => `
Methods, with --ranks:
${alignFacts(
  Object.entries(methods).map(([name, text]) => [`  ${name}`, text]),
  { columns },
).join('\n')}

Files of tensors:
${alignFacts(
  [...new Set(tensorFormats.map(({ summary }) => summary))].map((summary): [string, string] => {
    const same = tensorFormats.filter((format) => format.summary === summary);
    return [`  ${same.flatMap(({ extensions }) => extensions).join(', ')}`, summary];
  }),
  { columns },
).join('\n')}

Examples:
  orthant tensor X.npy --rank 7 --ranks 4,2
  orthant tensor X.npy --rank 7 --mode-names docs,words,weeks --entries words=words.txt
  orthant tensor counts.csv --rank 12 --ranks 5,2 --named year --modes word,year --out model
  orthant transform model new.npy --mode docs --out -
`;

export function addTensorCommand(program: Command, io: Io): void {
  const [modes, some] = ['Modes:', 'Of some methods:'];
  const command = program
    .command('tensor')
    .summary('find topics in a tensor')
    .description(
      'Finds topics in a tensor of two to six modes: --rank outer products (nonnegative CP decomposition), and with --ranks a hierarchy of topics for every mode.',
    )
    .argument('<tensor>', 'an array or a table of entries, see below; - for standard input')
    .requiredOption('--rank <n>', 'outer products', parsePositiveInteger)
    .option('--ranks <list>', 'topics of each level, such as 4,2; without it there are the outer products alone', parseRanks)
    .addOption(new Option('--method <name>', 'how levels are found, see below').choices(Object.keys(methods)).default('neural'))
    .option('--seed <n>', 'seed of the random starts; the same seed on the same device gives the same result', parseSeed, 0)
    .option('--restarts <n>', 'independent starts in one batch; the best is kept (default: 8 with --ranks, else 1)', parsePositiveInteger)
    .option('--max-iterations <n>', 'most iterations of a stage', parsePositiveInteger)
    .option('--tolerance <t>', 'stop when the squared error falls by less than this fraction an iteration', parseTolerance)
    .option('--no-bounds', 'leave out the two bounds, which take long where modes have thousands of entries')
    .option('--words <n>', 'entries shown for each topic and mode', parsePositiveInteger, 8)
    .addOption(deviceOption())
    .addOption(inputFormatOption())
    .option('--max-seconds <s>', 'end after this time with what there is', parsePositive)
    .option(
      '--checkpoint <s>',
      'keep a checkpoint in the folder --out every so many seconds, and go on from one that is there',
      parsePositive,
    )
    .option('--out <dir>', 'write the model (model.json, factors.safetensors) into this folder, and its factors as F0.npy, A0.0.npy, …')
    .option('--report <file>', 'write a page that shows the result into this .html file')
    .option('--json', 'print the summary as JSON, and nothing else, on standard output');
  const own: [string, Option][] = [
    [
      some,
      new Option('--solver <name>', 'of the outer products: coordinate descent or exact least squares')
        .choices(ncpOptions.solver.values!.map(String))
        .default('hals'),
    ],
    [
      some,
      new Option('--starts <n>', 'random starts of every restart of the outer products (default: 16)').argParser(parsePositiveInteger),
    ],
    [
      some,
      new Option('--chains <n>', 'neural: random chains of a restart, of which the best goes on (default: 4)').argParser(
        parsePositiveInteger,
      ),
    ],
    [
      some,
      new Option('--factors <how>', 'neural: whether the factors of the outer products learn along (default: held)').choices([
        'held',
        'learned',
      ]),
    ],
    [
      some,
      new Option('--weights <list>', 'neural: weights of the errors, that of the outer products first (default: 1)').argParser(
        parseNonnegatives,
      ),
    ],
    [some, new Option('--modes <list>', 'neural: the modes that have topics (default: all)').argParser(parseWords)],
    [some, new Option('--hntf-mode <mode>', 'hntf: the mode that has topics (default: 0)')],
    [modes, new Option('--mode-names <list>', 'a name for each mode; a table has them in its header').argParser(parseWords)],
    [modes, new Option('--entries <mode=file>', 'names of the entries of a mode, one a line; may be repeated').argParser(collected)],
    [modes, new Option('--named <list>', 'of a table: modes whose whole numbers are names, such as years').argParser(parseWords)],
    [
      modes,
      new Option('--first <n>', 'of a table: the number of the first entry of a mode (default: 0, in a .tns 1)').argParser(parseFirst),
    ],
  ];
  for (const [group, option] of own) command.addOption(option.helpGroup(group));
  command
    .addHelpText('after', () => helpNotes(io.stdout.columns ?? 100))
    .action((path: string, options: TensorOptions) => fitTensor(io, path, options, command));
}

const collected = (text: string, before: readonly string[] = []) => [...before, text];

function parseFirst(text: string): number {
  const first = parseCount(text);
  if (first > 1) throw new InvalidArgumentError('It must be 0 or 1.');
  return first;
}

/** Options that a method does not have do nothing there, so they are refused. */
const belongings: Record<string, readonly TensorMethod[]> = {
  chains: ['neural'],
  factors: ['neural'],
  weights: ['neural'],
  modes: ['neural'],
  hntfMode: ['hntf'],
  checkpoint: ['neural'],
  maxSeconds: ['neural'],
  out: ['neural'],
};

function checkOptions({ ranks, method, ...options }: TensorOptions, command: Command): void {
  const flagOf = (name: string) => command.options.find((option) => option.attributeName() === name)!.long;
  const given = (name: string) => options[name as keyof typeof options] !== undefined;
  if (ranks === undefined) {
    if (command.getOptionValueSource('method') === 'cli')
      throw new InputError(`--method ${method} needs --ranks, the topics of its levels; without it there are the outer products alone.`);
    for (const name of ['chains', 'factors', 'weights', 'modes', 'hntfMode'])
      if (given(name)) throw new InputError(`${flagOf(name)} is for levels of topics; give --ranks, or leave it out.`, { option: name });
    return;
  }
  for (const [name, of] of Object.entries(belongings)) {
    if (!given(name) || of.includes(method)) continue;
    const why = name === 'out' ? 'models are of --method neural; --json prints what this method finds' : `it belongs to --method ${of[0]}`;
    throw new InputError(`--method ${method} has no option ${flagOf(name)}: ${why}.`, { option: name });
  }
}

/** What a method found. */
interface Found {
  hierarchy: TensorHierarchy;
  /** The model; of the methods that are compared with that of the outer products. */
  model: SavedTensorModel;
  /** Whether the model is all of it. */
  whole: boolean;
}

async function fitTensor(io: Io, path: string, options: TensorOptions, command: Command): Promise<void> {
  const { rank, ranks, method, out, report, json, words } = options;
  checkOptions(options, command);
  if (out !== undefined) await checkTensorModelFolder(out);
  if (report !== undefined) await checkReportFile(report, out);
  checkStandardInput([path], options.inputFormat);
  const data = await readTensorData(path, options, { stdin: io.stdin, signal: io.signal, format: options.inputFormat });
  const { X, modes, stored, notes } = data;
  const fit = { ...options, svdBound: options.bounds };
  const { model: found, device } = await fitOnDevice(io, fit, (engine, common) => findTopics(engine, X, options, modes, common));
  const named = modes.some(({ name, entries }) => name !== undefined || entries !== undefined);
  const model = { ...found.model, ...(named && { modes }) };
  const topics = tensorTopics(found.hierarchy, words);
  const names = tensorNames(X.shape, modes);
  const { config: _, quiet: __, device: ___, json: ____, out: _____, report: ______, ...settings } = command.opts();
  const extra = {
    ...provenance(device, { tensor: path, ...settings }),
    ...(found.whole ? {} : { method }),
    topics: inNames(topics, names),
    ...(found.whole
      ? {}
      : {
          levels: topics.levels.map(({ rank, relativeError, modeBound, tuckerError }) => ({ rank, relativeError, modeBound, tuckerError })),
        }),
  };
  const written = out === undefined ? undefined : await saveTensorModel(out, model, extra);
  if (written && !isUnfinished(model)) await removeCheckpoint(out!);
  const head: [string, string][] = [
    ['data', `${data.path}: ${X.shape.join(' × ')}${modeList(modes)}${stored === undefined ? '' : `, sparse: ${stored} entries`}`],
    ['method', `${ranks === undefined ? 'ncp' : method}, rank ${rank}${ranks ? `, ranks ${ranks.join(', ')}` : ''}, seed ${model.seed}`],
    ['device', describeDevice(device, options.device)],
  ];
  const facts = [...head, ...fitFacts(model)];
  const sentences = solveNotes(model, 'of the last exact solves');
  if (report !== undefined) {
    await writeTensorReport(io, report, {
      title: basename(data.path),
      method: ranks === undefined ? 'ncp' : method,
      summary: ranks === undefined ? 'nonnegative CP decomposition' : methods[method],
      rank,
      ranks: ranks ?? [],
      topics: tensorTopics(found.hierarchy, Math.max(words, 12)),
      names,
      model,
      facts: fitFacts(model),
      settings,
      device: describeDevice(device, options.device),
      notes: [...notes, ...sentences],
    });
  }
  if (json) {
    if (notes.length > 0) io.stderr.print(notes.map((note) => `orthant: ${note}`));
    io.stdout.write(
      found.whole
        ? tensorModelFiles(model, extra, tensorFactorFiles(model))['model.json']
        : toJson({ ...extra, shape: X.shape, rank, ranks, seed: model.seed, modes }),
    );
    return endOfFit(io, model, options);
  }
  if (written) facts.push(['written', `${out}: ${written.join(', ')}`]);
  if (report !== undefined) facts.push(['report', report]);
  const { columns } = io.stdout;
  io.stdout.print([
    ...alignFacts(head, { columns, among: facts }),
    ...wrapAll(
      notes.map((note) => `note: ${note}`),
      columns,
    ),
    '',
    ...levelTable(topics.levels, columns),
    '',
    ...printTensorTopics(topics, names, Math.min(columns ?? 100, 160)),
    ...alignFacts(facts.slice(head.length), { columns, among: facts }),
    ...wrapAll(sentences, columns),
  ]);
  await endOfFit(io, model, options);
}

function modeList(modes: readonly { name?: string }[]): string {
  const names = modes.map(({ name }) => name).filter((name) => name !== undefined);
  return names.length === modes.length ? ` (${names.join(', ')})` : '';
}

async function findTopics(
  engine: Engine,
  X: DataTensor,
  options: TensorOptions,
  modes: readonly { name?: string }[],
  { svdBound: _, onProgress, ...common }: Omit<FitOptions, 'ranks'>,
): Promise<Found> {
  const { rank, ranks, method, bounds, solver, starts, chains, factors, weights, hntfMode, seed, restarts, maxIterations, tolerance } =
    options;
  const number = (mode: string, option: string) =>
    modeCalled(
      mode,
      X.shape.length,
      modes.map(({ name }) => name),
      option,
    );
  const given = { ...common, rank, bounds, solver, starts, onProgress: onProgress as () => unknown };
  if (ranks === undefined) {
    const model = await ncp(engine, X, given);
    return { hierarchy: hierarchyOf(model), model, whole: true };
  }
  if (method === 'neural') {
    const own = { ranks, chains, factors, weights, modes: options.modes?.map((mode) => number(mode, 'modes')) };
    const model = await neuralNcp(engine, X, { ...given, ...own });
    return { hierarchy: hierarchyOf(model), model, whole: true };
  }
  // The outer products that Neural NCPD would have, so that the methods differ in their levels alone.
  const mode = hntfMode === undefined ? 0 : number(hntfMode, 'hntfMode');
  const products = {
    rank,
    bounds,
    solver,
    starts,
    seed,
    restarts: 8,
    tolerance: 1e-7,
    signal: common.signal,
    onProgress: given.onProgress,
  };
  const model = await ncp(engine, X, products);
  const level = <L extends { rank: number; relativeError: number }>(own: L, l: number): L & TensorLevel =>
    l === 0
      ? { ...own, ...model.levels[0] }
      : { ...own, modeBound: bounds ? modeBound(X, own.rank) : null, tuckerError: bounds ? tuckerError(X, own.rank) : null };
  const levels = { seed, restarts, maxIterations, tolerance };
  if (method === 'hntf') {
    const found = await hntf(engine, X, model.factors, { ...levels, ranks, mode, solver, starts });
    return { hierarchy: hierarchyOfProducts(found.map(level), mode), model, whole: false };
  }
  const found = await hncpd(engine, X, model.factors, { ...levels, ranks });
  const chainsOf = { A: found.modes.map(({ A }) => A), S: found.modes.map(({ S }) => S) };
  return {
    hierarchy: hierarchyOf({ shape: X.shape, factors: model.factors, levels: found.levels.map(level), ...chainsOf }),
    model,
    whole: false,
  };
}

/** Topics with the names of modes and entries, as --json and model.json have them. */
function inNames({ levels, flows }: ReturnType<typeof tensorTopics>, names: ReturnType<typeof tensorNames>): object {
  return {
    levels: levels.map(({ topics, joined }, level) => ({
      level,
      joined,
      topics: topics.map(({ index, modes }) => ({
        index,
        modes: modes.map(({ mode, share, entries }) => ({
          mode: names.mode(mode),
          share,
          entries: entries.map((entry) => ({ index: entry.index, name: names.entry(mode, entry.index), share: entry.share })),
        })),
      })),
    })),
    flows: flows.map(({ of, from, mode, shares }) => ({ of, from, mode: names.mode(mode), shares })),
  };
}
