import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { checkRanks } from '../data/check.js';
import { type DataMatrix, entriesOf, isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { byExtension } from '../formats/file-format.js';
import { folderFormats, formats } from '../formats/formats.js';
import type { Samples } from '../formats/in-file.js';
import type { TableOptions } from '../formats/table-options.js';
import type { FitOptions } from '../methods/factorization.js';
import { stoppings } from '../methods/loop.js';
import { type Factorization, type Method, methodOf, methods } from '../methods/methods.js';
import { type Arrangement, arranged, checkArrangement, componentsOf, orders, scales } from '../models/arranged.js';
import { checkFormOf } from '../models/factor-files.js';
import type { SavedModel } from '../models/files.js';
import { checkModelFolder } from '../node/model-folder.js';
import type { LayerChoice } from '../ranks/choose.js';
import type { ReportSurvey } from '../report/types.js';
import { addFitOptions, type CommonOptions, samplesOption } from './arguments.js';
import { type AutoRanks, checkAuto, isAuto, parseRanksOrAuto, ranksByAuto, surveysInReport } from './auto-ranks.js';
import { checkTableFiles, type Data, type Reading, readData, readWeights } from './data-file.js';
import { addColumnOptions, fitByColumns } from './fit-columns.js';
import { addOnlineOptions, checkNoOnlineOptions, fitOnline } from './fit-online.js';
import type { Io } from './io.js';
import { readGivenLabels } from './labels.js';
import {
  addMethodOptions,
  checkMethodHas,
  checkMethodOptions,
  givenMethodOptions,
  type MethodOptions,
  summaries,
} from './method-options.js';
import { withOwnMatrices } from './own-matrices.js';
import { checkReportFile, writeReport } from './report-file.js';
import { describeDevice, endOfFit, fitOnDevice, printModel, provenance, writeModel } from './run-fit.js';
import { checkStandardInput, inputFormatOption } from './standard-input.js';
import { ranksAndRestarts, startFolder, startInOrder, startNotes } from './start.js';
import { alignFacts, componentLines, fitFacts, fitNotes, labelFacts, layerTable, sayNotes } from './summary.js';
import { addTableOptions, tableOptionsOf } from './table-options.js';
import { wrapAll } from './text-width.js';

interface FitCommandOptions extends Omit<CommonOptions, 'ranks'>, TableOptions {
  ranks?: number[] | AutoRanks;
  method: Method;
  samples: Samples;
  stopping?: FitOptions['stopping'];
  inputFormat?: string;
  order: NonNullable<Arrangement['order']>;
  scale: NonNullable<Arrangement['scale']>;
  online?: boolean;
  panels?: true | number;
  distributed?: 'mpi';
}

function helpNotes(columns: number): string {
  const table = (facts: [string, string][]) =>
    alignFacts(
      facts.map(([name, text]) => [`  ${name}`, text]),
      { columns },
    ).join('\n');
  return `
Methods:
${table(Object.entries(summaries))}

Files of matrices:
${table(formats.map(({ extensions, name, summary }) => [extensions.join(', '), `${name}: ${summary}`]))}

Folders that are matrices:
${table(folderFormats.map(({ name, summary }) => [name, summary]))}

Examples:
  orthant fit faces.npy --ranks 9,4,2 --out model
  orthant fit spectra.csv --method nmf --ranks 5 --samples columns
  orthant fit counts.tsv.gz --method nmf --ranks 5 --names --skip-columns type,2-4 --missing -999
  zcat counts.csv.gz | orthant fit - --ranks 5 --config orthant.json
  orthant fit terms.mtx --ranks 20,6 --samples columns
  orthant fit digits/ --method nmf --ranks 16 --out parts --format png
  orthant fit faces.npy --start model --out model            goes on from the model
  orthant fit huge.npy --online --ranks 20 --out model       in batches; --start model goes on
  orthant fit huge.npy --panels --ranks 20,6 --out model     all of it, panel by panel
  mpirun -np 4 orthant fit huge.npy --distributed mpi --ranks 20,6 --out model
  orthant fit faces.npy --ranks 9,4 --labels some.txt --truth all.txt --report faces.html
`;
}

export function addFitCommand(program: Command, io: Io): void {
  const command = program
    .command('fit')
    .summary('factorize a matrix')
    .description('Factorizes a matrix: X ≈ A⁰A¹…AˡSˡ at every depth l, all entries ≥ 0 unless the method says otherwise.')
    .argument('<matrix>', `numeric ${byExtension(formats)}, see below; rows are samples; - for standard input`)
    .addOption(new Option('--method <name>', 'which factorization, see below').choices(Object.keys(methods)).default('neural'))
    .addOption(samplesOption())
    .addOption(inputFormatOption());
  addFitOptions(command).addOption(
    new Option(
      '--stopping <rule>',
      'initialError ends early: when an error falls by less than --tolerance (then 1e-4) of its start; kkt (nmf alone): when the KKT residual is at most --tolerance of its start; violation (nmf with hals and anls): the same of the sum of projected gradients, which is the rule of cd in scikit-learn',
    ).choices([...stoppings]),
  );
  command
    .addOption(
      new Option('--order <by>', 'components by the part of ‖X‖² that they explain, or by their mass, the largest first')
        .choices(orders)
        .default('none'),
    )
    .addOption(
      new Option('--scale <norm>', 'columns of every A to the sum, length or largest entry 1; S takes the scale')
        .choices(scales)
        .default('none'),
    );
  addTableOptions(addColumnOptions(addOnlineOptions(addMethodOptions(command))))
    .addHelpText('after', () => helpNotes(io.stdout.columns ?? 100))
    .action((path: string, options: FitCommandOptions) => {
      const { ranks } = options;
      if (options.panels !== undefined || options.distributed !== undefined) return fitByColumns(io, path, options, command);
      if (options.online) return fitOnline(io, path, options, command);
      checkNoOnlineOptions(command);
      const given = givenMethodOptions(command);
      return isAuto(ranks)
        ? fitWithChosenRanks(io, path, { ...options, ranks }, given, command)
        : fitMatrix(io, path, { ...options, ranks }, given, command);
    });
  for (const option of command.options) {
    if (option.long !== '--ranks') continue;
    option.mandatory = false; // given factors have their own
    option.argParser(parseRanksOrAuto);
    option.description +=
      '; auto for ranks by surveys as orthant rank makes them, of 2..15 or those of auto:2..9; auto,auto for so many layers, auto,3 with a given one behind';
  }
}

/** How much of a sparse matrix there is. */
function sparsity(X: DataMatrix): string {
  const entries = entriesOf(X);
  return entries === undefined ? '' : `, sparse: ${entries} entries, ${((100 * entries) / (X.rows * X.cols)).toPrecision(2)} %`;
}

/** Throws InputError for 16-bit floats of data that do not take them. */
export function checkHalf(half: boolean | undefined, { X, weights, path }: Data): void {
  if (half && isSparse(X)) throw new InputError(`--half is for dense matrices, and ${path} is sparse: leave it out.`);
  if (half && weights)
    throw new InputError(`--half is for data that is only multiplied, and ${path} has cells without a value: leave it out.`);
}

/** A sentence about coefficients of scaled models. */
function scaleNotes(scale: string, ranks: readonly number[]): string[] {
  if (scale === 'none' || ranks.length === 1) return [];
  return ['With --scale and several layers transform gives other coefficients than these beyond layer 0: see docs/methods.md.'];
}

type Given<Ranks> = Omit<FitCommandOptions, 'ranks'> & { ranks: Ranks };

/** The data as they are read, after checks that need none of them. */
function readingOf(io: Io, path: string, options: Given<unknown>, weights: string | undefined): Reading {
  checkStandardInput([path, weights], options.inputFormat);
  const input = { stdin: io.stdin, signal: io.signal, format: options.inputFormat };
  const reading = { samples: options.samples, table: tableOptionsOf(options), input };
  checkTableFiles([path, weights], reading);
  return reading;
}

async function fitWithChosenRanks(io: Io, path: string, options: Given<AutoRanks>, given: MethodOptions, command: Command): Promise<void> {
  const { method, ranks: auto, out } = options;
  checkMethodHas(method, given);
  checkAuto(auto, method, given);
  if (out !== undefined) await checkModelFolder(out, 1);
  if (options.report !== undefined) await checkReportFile(options.report, out);
  const data = await readData(path, readingOf(io, path, options, undefined), method);
  const { ranks, choices, surveys } = await ranksByAuto(io, auto, data, options);
  return fitMatrix(io, path, { ...options, ranks }, given, command, { data, choices, surveys: surveysInReport(surveys, choices) });
}

async function fitMatrix(
  io: Io,
  path: string,
  options: Given<number[] | undefined>,
  given: MethodOptions,
  command: Command,
  chosen?: { data: Data; choices: LayerChoice[]; surveys: ReportSurvey[] },
): Promise<void> {
  const { method, samples, maxIterations, tolerance, stopping, out, format, report, json, order, scale } = options;
  checkMethodHas(method, given);
  checkArrangement({ method, settings: given }, { order, scale });
  const start = await startFolder(given.start, method);
  const { ranks, restarts } = ranksAndRestarts(command, options, given.start, start, method);
  checkMethodOptions(method, ranks, given);
  if (out !== undefined) await checkModelFolder(out, ranks.length);
  if (report !== undefined) await checkReportFile(report, out);
  const { labels: labelsPath, truth: truthPath, weights: weightsPath, half, unlabelled, ...own } = given;
  const reading = readingOf(io, path, options, weightsPath);
  const data = chosen?.data ?? (await readData(path, reading, method, { absent: given.absent }));
  const { X, features, sampleNames, image } = data;
  checkFormOf(format, image);
  checkRanks(ranks, X.rows, X.cols);
  checkHalf(half, data);
  const weights = weightsPath === undefined ? data.weights : await readWeights(weightsPath, data, reading, method);
  const labels =
    labelsPath === undefined
      ? undefined
      : await readGivenLabels(labelsPath, truthPath, { samples: X.cols, names: sampleNames, unlabelled });
  const { classesWithoutLabel = [] } = labels ?? {};
  const begun = start && startInOrder(start, data, method);
  const withMatrices = await withOwnMatrices(own, data, method);
  data.notes.push(...(labels?.notes ?? []));

  const { model: fitted, device } = await fitOnDevice(io, { ...options, restarts, half }, (engine, common) => {
    const fitOptions = {
      ...common,
      ...withMatrices,
      ...(begun && { start: begun }),
      ranks,
      stopping,
      weights,
      labels: labels?.labels,
      truth: labels?.truth,
      unlabelled: labels && [],
    };
    return methodOf(method).fit(engine, X, fitOptions) as Promise<Factorization>;
  });
  const ordered = methodOf(method).chained ? arranged(fitted, { order, scale }) : fitted;
  const names = { ...(features && { features }), ...(sampleNames && { samples: sampleNames }), ...(image && { image }) };
  const model: SavedModel = { ...ordered, ...names };
  const settings = {
    matrix: path,
    samples,
    restarts: model.restartErrors.length,
    maxIterations,
    tolerance,
    stopping,
    order,
    scale,
    ...reading.table,
    ...given,
  };
  const extra = {
    ...provenance(device, settings),
    ...(data.reading ? { reading: data.reading } : {}),
    ...(chosen ? { rankChoices: chosen.choices } : {}),
    ...(methodOf(method).chained ? { components: componentsOf(model) } : {}),
    ...(classesWithoutLabel.length > 0 ? { classesWithoutLabel } : {}),
  };
  const written = out === undefined ? undefined : await writeModel({ out, format }, model, extra);
  const sentences = [
    ...fitNotes(model, { weighted: weights !== undefined, absent: given.absent, bounds: options.svdBound, classesWithoutLabel }),
    ...startNotes(given.start, model),
    ...scaleNotes(scale, ranks),
  ];
  if (report !== undefined) {
    const known = { labels: labels?.labels, truth: labels?.truth };
    await writeReport(io, report, {
      title: basename(data.path),
      model,
      X,
      ...known,
      settings,
      device: describeDevice(device, options.device),
      notes: [...data.notes, ...sentences],
      surveys: chosen?.surveys,
    });
  }
  if (json) {
    sayNotes(io, data);
    await printModel(io, { format }, model, extra);
    return endOfFit(io, model, options);
  }
  const head: [string, string][] = [
    ['data', `${data.path}: ${X.rows} features × ${X.cols} samples${sparsity(X)}`],
    ...(data.reading ? [['table', data.reading] as [string, string]] : []),
    ['method', `${method}, ${ranks.length === 1 ? 'rank' : 'ranks'} ${ranks.join(', ')}, seed ${model.seed}`],
    ...(start ? [['start', `${start.path}: ${start.read}`] as [string, string]] : []),
    ['device', describeDevice(device, options.device)],
  ];
  const facts = [...head, ...labelFacts(model, labels?.labels ?? []), ...fitFacts(model)];
  if (written) facts.push(['written', `${out}: ${written.join(', ')}`]);
  if (report !== undefined) facts.push(['report', report]);
  const { columns } = io.stdout;
  io.stdout.print([
    ...alignFacts(head, { columns, among: facts }),
    ...wrapAll(
      data.notes.map((note) => `note: ${note}`),
      columns,
    ),
    '',
    ...layerTable(model, columns),
    '',
    ...(order === 'none' ? [] : [...componentLines(model), '']),
    ...alignFacts(facts.slice(head.length), { columns, among: facts }),
    ...(sentences.length > 0 ? ['', ...wrapAll(sentences, columns)] : []),
  ]);
  await endOfFit(io, model, options);
}
