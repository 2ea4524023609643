import type { Command } from 'commander';
import { transpose } from '../data/matrix.js';
import { InputError } from '../errors.js';
import { byExtension } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { transform } from '../models/apply.js';
import { encoderFor } from '../node/files.js';
import { type ApplyOptions, addApplyOptions, checkOutputFile, readModelAndData, writeOutput } from './apply-model.js';
import type { Io } from './io.js';
import { describeDevice, onDevice } from './run-fit.js';

interface TransformCommandOptions extends ApplyOptions {
  out: string;
}

const examples = `
Example:
  orthant transform model new-faces.npy --out coefficients.csv
`;

export function addTransformCommand(program: Command, io: Io): void {
  const command = program
    .command('transform')
    .summary('coefficients of new samples')
    .description('Computes the coefficients S of new samples by the features of a model, and writes them with samples as in the data.');
  addApplyOptions(command, 'write S of this layer, counted from 0 (default: the last)')
    .requiredOption('--out <file>', `write S into this ${byExtension(formats.filter(({ write }) => write))}`)
    .addHelpText('after', examples)
    .action((model: string, data: string, options: TransformCommandOptions) => transformData(io, model, data, options));
}

async function transformData(io: Io, modelPath: string, dataPath: string, options: TransformCommandOptions): Promise<void> {
  const { samples, layer, device: prefer, out } = options;
  const encode = encoderFor(out);
  await checkOutputFile(out);
  const { model, X, weights } = await readModelAndData(modelPath, dataPath, options);
  const chosen = layer ?? model.S.length - 1;
  if (chosen >= model.S.length)
    throw new InputError(`--layer ${chosen} is not there: the model has S of the layers ${model.S.map((_, l) => l).join(', ')}.`);

  const { S, used } = await onDevice(io, { device: prefer }, async (engine, device) => ({
    S: (await transform(engine, model, X, { weights }))[chosen],
    used: describeDevice(device, prefer),
  }));
  const inFile = samples === 'rows' ? transpose(S) : S;
  await writeOutput(out, await encode(inFile));
  io.stdout.print([`${out}: S of layer ${chosen} (${inFile.rows}×${inFile.cols}) for ${X.cols} samples, by ${model.method} on ${used}`]);
}
