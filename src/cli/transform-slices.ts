/** `orthant transform` with a model of a tensor: the topics of new slices along one mode. */
import type { Command } from 'commander';
import { times } from '../data/tensors.js';
import { InputError } from '../errors.js';
import { transformTensor } from '../methods/transform-tensor.js';
import { loadTensorModel } from '../node/model-folder.js';
import { tensorNames } from '../topics/tensor.js';
import type { DeviceChoice } from './arguments.js';
import { alignColumns } from './columns.js';
import type { Io } from './io.js';
import { encoderOf, outputTarget } from './output-target.js';
import { describeDevice, onDevice, toJson } from './run-fit.js';
import { checkStandardInput } from './standard-input.js';
import { modeCalled, readTensorData } from './tensor-data.js';
import { wrapAll } from './text-width.js';

interface SliceOptions {
  mode?: string;
  /** A level, 0 for the outer products. */
  layer?: number;
  inputFormat?: string;
  device: DeviceChoice;
  out?: string;
  outputFormat?: string;
  json?: boolean;
}

const ofSlices = ['mode', 'layer', 'inputFormat', 'device', 'out', 'outputFormat', 'json', 'config', 'quiet'];

/** Throws InputError for an option that is for matrices or texts. */
export function checkSliceOptions(command: Command, modelPath: string): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) === 'cli' && !ofSlices.includes(name))
      throw new InputError(`${option.long} is for matrices and texts, and ${modelPath} is the model of a tensor; leave it out.`, {
        option: name,
      });
  }
}

export async function transformSlices(io: Io, modelPath: string, dataPath: string, options: SliceOptions): Promise<void> {
  const { mode = '0', layer, inputFormat, device: prefer, out, outputFormat, json } = options;
  if (out === undefined && !json)
    throw new InputError("required option '--out <file>' not specified: the topics of slices need a file, or - for standard output.");
  const encode = out === undefined ? undefined : encoderOf(out, outputFormat);
  const target = out === undefined ? undefined : await outputTarget(io, out, options);
  checkStandardInput([dataPath], inputFormat);
  const model = await loadTensorModel(modelPath);
  const { shape, modes = [] } = model;
  const n = modeCalled(
    mode,
    shape.length,
    modes.map(({ name }) => name),
  );
  const known = shape.map((size, m) => (m === n ? undefined : (modes[m]?.entries ?? size)));
  const data = await readTensorData(dataPath, {}, { stdin: io.stdin, signal: io.signal, format: inputFormat }, known);
  const { X } = data;
  if (X.shape.length !== shape.length || shape.some((size, m) => m !== n && size !== X.shape[m])) {
    const wanted = shape.map((size, m) => (m === n ? 'any' : size));
    throw new InputError(
      `${data.path} is ${times(X.shape)}, but the model is of a ${times(shape)} tensor; new slices along mode ${mode} have the shape ${times(wanted as number[])}.`,
    );
  }
  const { levels, used } = await onDevice(io, { device: prefer }, async (engine, device) => ({
    levels: await transformTensor(engine, model, X, { mode: n }),
    used: describeDevice(device, prefer),
  }));
  const chosen = layer ?? levels.length - 1;
  if (chosen >= levels.length)
    throw new InputError(`--layer ${chosen} is not there: the model has the levels ${levels.map((_, l) => l).join(', ')}.`);
  const { weights, rank } = levels[chosen];
  const rowNames = data.modes[n].entries;
  const columnNames = Array.from({ length: rank }, (_, j) => `${chosen === 0 ? 'product' : 'topic'} ${j}`);
  if (target) await target.write(await encode!(weights, { rowNames: rowNames && [...rowNames], ...(rowNames && { columnNames }) }));
  const rowsOf = (W: typeof weights) => Array.from({ length: W.rows }, (_, i) => [...W.data.subarray(i * W.cols, (i + 1) * W.cols)]);
  if (json) {
    const all = levels.map(({ weights: own, ...rest }, level) => ({ level, ...rest, weights: rowsOf(own) }));
    return io.stdout.write(toJson({ mode: n, slices: rowNames, levels: all }));
  }
  const table = alignColumns(
    [
      ['level', 'rank', 'relative error', 'KKT residual'],
      ...levels.map(({ rank: k, relativeError, kktResidual }, l) => [
        `${l}`,
        `${k}`,
        relativeError.toFixed(5),
        kktResidual.toExponential(1),
      ]),
    ],
    ['right', 'right', 'right', 'right'],
  );
  target?.messages.print([
    ...wrapAll(
      [
        ...data.notes.map((note) => `note: ${note}`),
        `${target.name}: level ${chosen} (${weights.rows}×${rank}) for ${weights.rows} slices along ${tensorNames(shape, modes).mode(n)}, by ${model.method} on ${used}`,
        '',
      ],
      target.messages.columns,
    ),
    ...table,
  ]);
}
