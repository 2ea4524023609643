import type { Command } from 'commander';
import { transpose } from '../data/matrix.js';
import { toDense } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { byExtension } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { featureNames } from '../models/align.js';
import { transform } from '../models/apply.js';
import { inverseTransform } from '../models/inverse.js';
import { kindAt } from '../node/files.js';
import { isTensorModel, loadModel } from '../node/model-folder.js';
import { type ApplyOptions, addApplyOptions, readModelAndData } from './apply-model.js';
import { checkTableFiles, readData } from './data-file.js';
import type { Io } from './io.js';
import { encoderOf, type OutputTarget, outputFormatOption, outputTarget } from './output-target.js';
import { describeDevice, onDevice, toJson } from './run-fit.js';
import { checkStandardInput } from './standard-input.js';
import { sayNotes, sayReading } from './summary.js';
import { tableOptionsOf } from './table-options.js';
import { addFieldOptions } from './text-options.js';
import { wrapAll } from './text-width.js';
import { checkSliceOptions, transformSlices } from './transform-slices.js';
import { areTexts, type TransformTextsOptions, transformTexts } from './transform-texts.js';

type TransformCommandOptions = ApplyOptions & Omit<TransformTextsOptions, 'layer' | 'device'> & { inverse?: true; mode?: string };

const examples = `
Examples:
  orthant transform model new-faces.npy --out coefficients.csv
  orthant transform model coefficients.csv --inverse --out faces.npy
  zcat new.csv.gz | orthant transform model - --out - | head
  orthant transform topics new-texts/               the topics of new texts, by a model of topics --out
  orthant transform tensors new.npy --mode weeks --out weeks.csv       new slices, by a model of tensor --out
`;

export function addTransformCommand(program: Command, io: Io): void {
  const command = program
    .command('transform')
    .summary('coefficients of new samples')
    .description(
      'Computes the coefficients S of new samples by the features of a model, and writes them with samples as in the data. ' +
        'A model of texts, from topics --out, takes a corpus, too: then the topics of each document are printed. ' +
        'A model of a tensor, from tensor --out, takes new slices along one mode.',
    );
  addApplyOptions(command, 'write S of this layer, counted from 0 (default: the last)')
    .option('--out <file>', `write S into this ${byExtension(formats.filter(({ write }) => write))}; - for standard output`)
    .addOption(outputFormatOption())
    .option('--inverse', 'the matrix is an S: write the data A⁰…AˡS that it stands for')
    .option('--json', 'print S, one list a sample, as JSON; of texts: topics, and documents with their shares');
  command.option('--mode <mode>', 'of a model of a tensor: the mode of the new slices, by name or number (default: 0); --layer is a level');
  command.registeredArguments[1].description += '; of a model of texts a corpus, as topics takes it';
  addFieldOptions(command)
    .addHelpText('after', examples)
    .action(async (model: string, data: string, options: TransformCommandOptions) => {
      if (await isTensorModel(model)) {
        if (options.inverse)
          throw new InputError(`--inverse is for models of matrices, and ${model} is of a tensor; leave it out.`, { option: 'inverse' });
        checkSliceOptions(command, model);
        return transformSlices(io, model, data, options);
      }
      if (options.mode !== undefined)
        throw new InputError(`--mode is for models of tensors, and ${model} is none; leave it out.`, { option: 'mode' });
      if (options.inverse || !(await areTexts(model, data, options))) return transformData(io, model, data, options);
      if (options.absent !== undefined)
        throw new InputError(`--absent is for sparse matrices, and ${data} has texts; leave it out.`, { option: 'absent' });
      return transformTexts(io, model, data, options);
    });
}

async function transformData(io: Io, modelPath: string, dataPath: string, options: TransformCommandOptions): Promise<void> {
  const { layer, device: prefer, out, outputFormat, json } = options;
  if (out === undefined && !json) throw await noOutput(dataPath);
  // --encoding and --missing are for tables, too.
  for (const [name, value] of Object.entries({ textField: options.textField, idField: options.idField }))
    if (value !== undefined)
      throw new InputError(`The option ${name} is for texts, and ${dataPath} is a matrix; leave it out.`, { option: name });
  const encode = out === undefined ? undefined : encoderOf(out, outputFormat);
  const target = out === undefined ? undefined : await outputTarget(io, out, options);
  if (options.inverse) return writeInverse(io, { modelPath, path: dataPath, encode, target }, options);
  const { model, data, weights } = await readModelAndData(io, modelPath, dataPath, options);
  const { X, sampleNames, samples } = data;
  const chosen = layer ?? model.S.length - 1;
  if (chosen >= model.S.length)
    throw new InputError(`--layer ${chosen} is not there: the model has S of the layers ${model.S.map((_, l) => l).join(', ')}.`);

  const { S, used } = await onDevice(io, { device: prefer }, async (engine, device) => ({
    S: (await transform(engine, model, X, { weights, absent: options.absent }))[chosen],
    used: describeDevice(device, prefer),
  }));
  const inFile = samples === 'rows' ? transpose(S) : S;
  const components = sampleNames && Array.from({ length: S.rows }, (_, c) => `component ${c}`);
  const names =
    samples === 'rows' ? { rowNames: sampleNames, columnNames: components } : { rowNames: components, columnNames: sampleNames };
  if (target) await target.write(await encode!(inFile, names));
  if (json) {
    sayNotes(io, data);
    const ofSample = (c: number) => Array.from({ length: S.rows }, (_, k) => S.data[k * S.cols + c]);
    return io.stdout.write(toJson({ layer: chosen, samples: sampleNames, S: Array.from({ length: S.cols }, (_, c) => ofSample(c)) }));
  }
  target?.messages.print(
    wrapAll(
      [
        ...sayReading(data),
        `${target.name}: S of layer ${chosen} (${inFile.rows}×${inFile.cols}) for ${X.cols} samples, by ${model.method} on ${used}`,
      ],
      target.messages.columns,
    ),
  );
}

/** `--inverse`: the data that an S in a file stands for, lying as that file does. */
async function writeInverse(
  io: Io,
  given: { modelPath: string; path: string; encode?: ReturnType<typeof encoderOf>; target?: OutputTarget },
  options: TransformCommandOptions,
): Promise<void> {
  const { modelPath, path, encode, target } = given;
  const { samples, weights, absent, inputFormat, json } = options;
  if (weights !== undefined)
    throw new InputError('--weights is for samples with missing values, and --inverse reads an S, which has none; leave it out.');
  if (absent !== undefined)
    throw new InputError('--absent is for samples with missing values, and --inverse reads an S, which has none; leave it out.');
  checkStandardInput([path], inputFormat);
  const reading = { samples, table: tableOptionsOf(options), input: { stdin: io.stdin, signal: io.signal, format: inputFormat } };
  const model = await loadModel(modelPath);
  checkTableFiles([path], reading);
  const data = await readData(path, reading, model.method, { newSamples: true });
  if (data.weights) throw new InputError(`${data.path} has cells without a value, but an S needs all of them.`);
  const { layer = model.ranks.length - 1 } = options;
  const S = toDense(data.X);
  const k = model.ranks[layer];
  if (k !== undefined && S.rows !== k) {
    const side = samples === 'rows' ? 'columns' : 'rows';
    const hint = S.cols === k ? `it has as many ${samples}: try --samples ${side}` : 'give an S of this model, or another --layer';
    throw new InputError(`${data.path} has ${S.rows} components (its ${side}), but layer ${layer} of the model has rank ${k}; ${hint}.`);
  }
  const X = inverseTransform(model, S, { layer });
  const features = featureNames(model);
  const inFile = samples === 'rows' ? transpose(X) : X;
  const names =
    samples === 'rows' ? { rowNames: data.sampleNames, columnNames: features } : { rowNames: features, columnNames: data.sampleNames };
  if (target) await target.write(await encode!(inFile, names));
  if (json) {
    sayNotes(io, data);
    const ofSample = (c: number) => Array.from({ length: X.rows }, (_, i) => X.data[i * X.cols + c]);
    return io.stdout.write(
      toJson({ layer, samples: data.sampleNames, features, X: Array.from({ length: X.cols }, (_, c) => ofSample(c)) }),
    );
  }
  target?.messages.print(
    wrapAll(
      [
        ...sayReading(data),
        `${target.name}: the data (${inFile.rows}×${inFile.cols}) of S of layer ${layer} for ${X.cols} samples, by ${model.method}`,
      ],
      target.messages.columns,
    ),
  );
}

/** What is missing where --out is: data that are meant to be texts need none. */
async function noOutput(dataPath: string): Promise<InputError> {
  if (dataPath !== '-' && (await kindAt(dataPath)) === 'nothing') return new InputError(`There is no file '${dataPath}'.`);
  const texts = /\.(csv|tsv)$/i.test(dataPath)
    ? ' If it is a table of texts, name their field: --text-field.'
    : /\.txt$/i.test(dataPath)
      ? ' Texts, one a line, come on standard input: -.'
      : '';
  return new InputError(
    `required option '--out <file>' not specified: ${dataPath} is read as a matrix, and S needs a file, or - for standard output.${texts}`,
  );
}
