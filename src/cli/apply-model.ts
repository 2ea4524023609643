/** The common part of `transform` and `predict`: a stored model, new data, and a file for the result. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Matrix } from '../data/matrix.js';
import { type Absent, absentKinds } from '../data/missing.js';
import { isSparse } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { byExtension } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import type { Samples } from '../formats/in-file.js';
import type { TableOptions } from '../formats/table-options.js';
import { methodsWith } from '../methods/methods.js';
import type { SavedModel } from '../models/files.js';
import { checkWritable, kindAt, writeOutputs } from '../node/files.js';
import { loadModel } from '../node/model-folder.js';
import { type DeviceChoice, deviceOption, parseCount, samplesOption } from './arguments.js';
import { asInModel, checkSeen, checkTableFiles, type Data, readData, readWeights } from './data-file.js';
import type { Io } from './io.js';
import { checkStandardInput, inputFormatOption } from './standard-input.js';
import { addTableOptions, tableOptionsOf } from './table-options.js';

export interface ApplyOptions extends TableOptions {
  samples: Samples;
  /** A file. */
  weights?: string;
  absent?: Absent;
  layer?: number;
  inputFormat?: string;
  device: DeviceChoice;
}

export function addApplyOptions(command: Command, layer: string): Command {
  command
    .argument('<model>', 'a folder that fit --out or topics --out wrote, or the model.json in it')
    .argument('<matrix>', `numeric ${byExtension(formats)} with the features of the model; rows are samples; - for standard input`)
    .addOption(samplesOption())
    .addOption(inputFormatOption())
    .option('--weights <file>', 'a matrix of the same shape: 0 where a value of the new samples is missing, else its weight')
    .addOption(
      new Option('--absent <name>', 'what the entries that a sparse matrix does not store are (default: as in the fit)').choices(
        absentKinds,
      ),
    )
    .option('--layer <l>', layer, parseCount)
    .addOption(deviceOption());
  return addTableOptions(command);
}

/** The model and the data, which fit each other. `check` sees the model before the data are read. */
export async function readModelAndData(
  { stdin, signal }: Io,
  modelPath: string,
  dataPath: string,
  options: ApplyOptions,
  check?: (model: SavedModel) => void,
): Promise<{ model: SavedModel; data: Data; weights?: Matrix }> {
  const { samples, weights: weightsPath, inputFormat } = options;
  checkStandardInput([dataPath, weightsPath], inputFormat);
  const reading = { samples, table: tableOptionsOf(options), input: { stdin, signal, format: inputFormat } };
  const model = await loadModel(modelPath);
  check?.(model);
  checkTableFiles([dataPath, weightsPath], reading);
  if (options.absent !== undefined && !methodsWith('absent').includes(model.method))
    throw new InputError(
      `--absent is for models of ${inWords(methodsWith('absent'), 'or')}, and ${modelPath} is of ${model.method}; leave it out.`,
    );
  const data = asInModel(await readData(dataPath, reading, model.method, { newSamples: true }), model, modelPath);
  const { absent = isSparse(data.X) ? (model.settings as { absent?: Absent }).absent : undefined } = options;
  if (absent === 'missing') checkSeen(data, true);
  const { X } = data;
  const features = model.A[0].rows;
  if (X.rows !== features) {
    const other = samples === 'rows' ? 'columns' : 'rows';
    const hint = X.cols === features ? `it has as many ${samples}: try --samples ${other}` : 'give the same features in the same order';
    throw new InputError(`${data.path} has ${X.rows} features (its ${other}), but the model was fitted to ${features}; ${hint}.`);
  }
  if (weightsPath === undefined) return { model, data, weights: data.weights };
  if (!methodsWith('weights').includes(model.method))
    throw new InputError(
      `--weights is for models of ${inWords(methodsWith('weights'), 'or')}, and ${modelPath} is of ${model.method}; leave it out.`,
    );
  return { model, data, weights: await readWeights(weightsPath, data, reading, model.method, { newSamples: true }) };
}

/** Throws InputError if `writeOutput` could not write the file: for the time before a computation. */
export async function checkOutputFile(path: string): Promise<void> {
  const fail = (why: string) => {
    throw new InputError(`Cannot write '${path}': ${why}.`);
  };
  if (path === '') throw new InputError('The name of the output file is empty; give one.');
  const kind = await kindAt(path);
  if (kind === 'a directory') fail('it is a directory; name a file in it');
  if (kind !== 'nothing' && kind !== 'a file') fail(`it is ${kind}; name a regular file`);
  const folder = dirname(await placeOf(path));
  if ((await kindAt(folder)) !== 'a directory') fail(`there is no folder '${folder}'; make that one first`);
  await checkWritable(folder);
}

/** Writes the file or replaces it, complete or not at all. */
export async function writeOutput(path: string, content: Uint8Array | string): Promise<void> {
  const target = await placeOf(path);
  await writeOutputs(dirname(target), { [basename(target)]: content });
}

/** The place of a file, to which a link leads. */
function placeOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
