import type { Command } from 'commander';
import { transpose } from '../data/matrix.js';
import { InputError } from '../errors.js';
import { byExtension } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { transform } from '../models/apply.js';
import { encoderFor, kindAt } from '../node/files.js';
import { type ApplyOptions, addApplyOptions, checkOutputFile, readModelAndData, writeOutput } from './apply-model.js';
import type { Io } from './io.js';
import { describeDevice, onDevice } from './run-fit.js';
import { sayReading } from './summary.js';
import { addFieldOptions } from './text-options.js';
import { areTexts, type TransformTextsOptions, transformTexts } from './transform-texts.js';

type TransformCommandOptions = ApplyOptions & Omit<TransformTextsOptions, 'layer' | 'device'>;

const examples = `
Examples:
  orthant transform model new-faces.npy --out coefficients.csv
  orthant transform topics new-texts/                          the topics of new texts, by a model that topics --out wrote
`;

export function addTransformCommand(program: Command, io: Io): void {
  const command = program
    .command('transform')
    .summary('coefficients of new samples')
    .description(
      'Computes the coefficients S of new samples by the features of a model, and writes them with samples as in the data. ' +
        'A model of texts, from topics --out, takes a corpus, too: then the topics of each document are printed.',
    );
  addApplyOptions(command, 'write S of this layer, counted from 0 (default: the last)')
    .option('--out <file>', `write S into this ${byExtension(formats.filter(({ write }) => write))}`)
    .option('--json', 'of texts: print topics and documents with their shares as JSON');
  command.registeredArguments[1].description += '; of a model of texts a corpus, as topics takes it';
  addFieldOptions(command)
    .addHelpText('after', examples)
    .action(async (model: string, data: string, options: TransformCommandOptions) =>
      (await areTexts(model, data, options)) ? transformTexts(io, model, data, options) : transformData(io, model, data, options),
    );
}

async function transformData(io: Io, modelPath: string, dataPath: string, options: TransformCommandOptions): Promise<void> {
  const { layer, device: prefer, out, json } = options;
  if (out === undefined) throw await noOutput(dataPath);
  if (json) throw new InputError('--json is for texts, and does nothing for a matrix; leave it out.');
  // --encoding and --missing are for tables, too.
  for (const [name, value] of Object.entries({ textField: options.textField, idField: options.idField }))
    if (value !== undefined)
      throw new InputError(`The option ${name} is for texts, and ${dataPath} is a matrix; leave it out.`, { option: name });
  const encode = encoderFor(out);
  await checkOutputFile(out);
  const { model, data, weights } = await readModelAndData(modelPath, dataPath, options);
  const { X, sampleNames, samples } = data;
  const chosen = layer ?? model.S.length - 1;
  if (chosen >= model.S.length)
    throw new InputError(`--layer ${chosen} is not there: the model has S of the layers ${model.S.map((_, l) => l).join(', ')}.`);

  const { S, used } = await onDevice(io, { device: prefer }, async (engine, device) => ({
    S: (await transform(engine, model, X, { weights }))[chosen],
    used: describeDevice(device, prefer),
  }));
  const inFile = samples === 'rows' ? transpose(S) : S;
  const components = sampleNames && Array.from({ length: S.rows }, (_, c) => `component ${c}`);
  await writeOutput(
    out,
    await encode(
      inFile,
      samples === 'rows' ? { rowNames: sampleNames, columnNames: components } : { rowNames: components, columnNames: sampleNames },
    ),
  );
  io.stdout.print([
    ...sayReading(data),
    `${out}: S of layer ${chosen} (${inFile.rows}×${inFile.cols}) for ${X.cols} samples, by ${model.method} on ${used}`,
  ]);
}

/** What is missing where --out is: data that are meant to be texts need none. */
async function noOutput(dataPath: string): Promise<InputError> {
  if ((await kindAt(dataPath)) === 'nothing') return new InputError(`There is no file '${dataPath}'.`);
  const texts = /\.(csv|tsv)$/i.test(dataPath)
    ? ' If it is a table of texts, name their field: --text-field.'
    : /\.txt$/i.test(dataPath)
      ? ' Texts, one a line, come on standard input: -.'
      : '';
  return new InputError(`required option '--out <file>' not specified: ${dataPath} is read as a matrix, and S needs a file.${texts}`);
}
