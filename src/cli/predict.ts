import type { Command } from 'commander';
import { InputError } from '../errors.js';
import { printLabels, printNamedLabels } from '../formats/labels.js';
import { predict } from '../models/apply.js';
import { type ApplyOptions, addApplyOptions, readModelAndData } from './apply-model.js';
import type { Io } from './io.js';
import { outputTarget } from './output-target.js';
import { describeDevice, onDevice, toJson } from './run-fit.js';
import { sayNotes, sayReading } from './summary.js';
import { wrapAll } from './text-width.js';

interface PredictCommandOptions extends ApplyOptions {
  out?: string;
  json?: boolean;
  withNames?: boolean;
}

const examples = `
Examples:
  orthant fit faces.npy --ranks 9,4 --labels names.txt --out model
  orthant predict model new-faces.npy
  zcat new.csv.gz | orthant predict model - --with-names --out - > labels.csv
`;

export function addPredictCommand(program: Command, io: Io): void {
  const command = program
    .command('predict')
    .summary('classes of new samples')
    .description(
      'Predicts the class of new samples by a model that was fitted with --labels: one label a line, in the order of the data. ' +
        'The line is empty for a sample that shares nothing with the model, such as one of zeros: all its scores are 0.',
    );
  addApplyOptions(command, 'by the classifier on this layer, counted from 0 (default: the last that has one)')
    .option('--out <file>', 'write the labels into this file, as they are; - for standard output, with a summary on standard error')
    .option('--with-names', 'a table of names and labels, which --labels takes, too')
    .option('--json', 'print classes, labels (null for none) and the scores of every class as JSON')
    .addHelpText('after', examples)
    .action((model: string, data: string, options: PredictCommandOptions) => predictData(io, model, data, options));
}

async function predictData(io: Io, modelPath: string, dataPath: string, options: PredictCommandOptions): Promise<void> {
  const { layer, device, out, json, withNames } = options;
  const target = out === undefined ? undefined : await outputTarget(io, out, options);
  const { model, data, weights } = await readModelAndData(io, modelPath, dataPath, options, ({ supervision }) => {
    if (supervision) return;
    throw new InputError(`${modelPath} was fitted without labels, so it knows no classes; fit it with --labels to predict.`);
  });
  const { X, sampleNames } = data;
  const supervision = model.supervision!;
  const layers = supervision.classifiers.map((classifier) => classifier.layer);
  const chosen = layer ?? layers[layers.length - 1];
  if (!layers.includes(chosen)) throw new InputError(`--layer ${chosen} has no classifier; the model has one on ${layers.join(', ')}.`);

  const { labels, scores, used } = await onDevice(io, { device }, async (engine, of) => ({
    ...(await predict(engine, model, X, { layer: chosen, weights, absent: options.absent })),
    used: describeDevice(of, device),
  }));
  if (withNames && !sampleNames)
    throw new InputError(`--with-names needs names of samples, and ${data.path} has none; leave it out, or see --names.`);
  const content = withNames ? printNamedLabels(sampleNames!, labels) : printLabels(labels);
  if (target) await target.write(content);
  else sayNotes(io, data);
  if (json) {
    const ofSample = (c: number) => Array.from({ length: scores.rows }, (_, i) => scores.data[i * scores.cols + c]);
    io.stdout.write(
      toJson({ layer: chosen, classes: supervision.classes, samples: sampleNames, labels, scores: labels.map((_, c) => ofSample(c)) }),
    );
  } else if (!target) io.stdout.write(content);
  else
    target.messages.print(
      wrapAll(
        [...sayReading(data), `${target.name}: labels of ${labels.length} samples, ${printCounts(labels)}; by ${model.method} on ${used}`],
        target.messages.columns,
      ),
    );
}

function printCounts(labels: readonly (string | null)[]): string {
  const counts = new Map<string | null, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => `${count} × ${label ?? 'none, without a signal'}`).join(', ');
}
