/** Options that only some methods have: each names its methods, and is refused with any other. */
import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import type { DeepOptions } from '../methods/deep.js';
import type { DeepSemiOptions } from '../methods/deep-semi.js';
import type { Method } from '../methods/factorization.js';
import type { NmfOptions } from '../methods/nmf.js';
import type { SsnmfOptions } from '../methods/ssnmf.js';
import type { UnfoldedOptions } from '../methods/unfolded.js';
import { ssnmfModels } from '../programs/ssnmf.js';
import { parseCount, parseLayers, parseNonnegative, parseNonnegatives, parseOneOf, parsePositiveInteger } from './arguments.js';

/** The methods, and the line of the help for each. */
export const methods: Record<Method, string> = {
  nmf: 'X ≈ AS',
  ssnmf: 'NMF that fits labels, too: X ≈ AS, Y ≈ BS',
  hierarchical: 'NMF of X, then of its S, and so on, one layer after the other',
  deep: 'all layers by multiplicative updates, with pooling between them',
  'deep-semi': 'the same with A free in sign; takes negative data',
  unfolded: 'the updates of S as layers of a network that learns A',
  'sparse-coding': 'a network of sparse codes, A free in sign; takes negative data',
  neural: 'all layers by gradients through exact least squares',
};

export interface MethodOptions {
  labels?: string;
  truth?: string;
  labelWeight?: number;
  labelLayers?: number[];
  labelLoss?: 'squared' | 'crossEntropy';
  mask?: string;
  solver?: NmfOptions['solver'];
  model?: SsnmfOptions['model'];
  pooling?: DeepOptions['pooling'];
  poolSize?: number;
  poolOver?: DeepOptions['poolOver'];
  activation?: DeepOptions['activation'];
  nonlinearity?: DeepSemiOptions['nonlinearity'];
  layers?: number;
  untied?: number;
  beta?: UnfoldedOptions['beta'];
  lambda?: number | number[];
  cost?: 'reconstruction' | 'energy';
  optimiser?: 'projected' | 'momentum' | 'adam';
  batchColumns?: number;
  l1?: number | number[];
  half?: boolean;
}

type MethodOption = [
  methods: readonly Method[],
  flags: string,
  description: string,
  values?: readonly string[] | ((text: string) => unknown),
];

const supervised: readonly Method[] = ['ssnmf', 'hierarchical', 'deep', 'deep-semi', 'sparse-coding', 'neural'];

const models = Object.keys(ssnmfModels).map(Number);

const groups: Record<string, MethodOption[]> = {
  [`Labels (${supervised.join(', ')}):`]: [
    [supervised, '--labels <file>', 'one label a line for each sample, empty where it is unknown'],
    [supervised, '--truth <file>', 'labels of all samples, only to score predictions of those that --labels leaves out'],
    [supervised, '--label-weight <λ>', 'what labels weigh against the data; default the method’s own', parseNonnegative],
    [['hierarchical', 'neural'], '--label-layers <list>', 'layers whose S is classified, such as 0,2; default the last', parseLayers],
    [['neural'], '--label-loss <name>', 'how a prediction is measured; default squared', ['squared', 'crossEntropy']],
  ],
  'Missing values (nmf, ssnmf, neural):': [
    [
      ['nmf', 'ssnmf', 'neural'],
      '--mask <file>',
      'a matrix file like <matrix>, 0 where a value is missing and 1 elsewhere; nmf and neural take weights ≥ 0',
    ],
  ],
  'Of one method or two:': [
    [
      ['nmf', 'hierarchical'],
      '--solver <name>',
      'multiplicative updates, coordinate descent or exact least squares (default); not of layers with labels',
      ['mu', 'hals', 'anls'],
    ],
    [['ssnmf'], '--model <n>', `${models[0]} to ${models.at(-1)}, see docs/methods.md; default 3 with labels, else 1`, parseOneOf(models)],
    [['deep'], '--pooling <name>', 'how neighbours in S are put together; default none', ['none', 'average', 'max']],
    [['deep'], '--pool-size <n>', 'how many neighbours; default 2', parsePositiveInteger],
    [['deep'], '--pool-over <side>', 'neighbouring rows or columns of S; default features', ['features', 'samples']],
    [['deep'], '--activation <name>', 'of S between layers; default identity', ['identity', 'power', 'log1p']],
    [
      ['deep-semi'],
      '--nonlinearity <name>',
      'of the product between layers; default identity',
      ['identity', 'square', 'softplus', 'sigmoid', 'tanh'],
    ],
    [['unfolded'], '--layers <K>', 'how many updates are layers; default 10', parsePositiveInteger],
    [['unfolded'], '--untied <C>', 'how many of the last have an A of their own; default 3', parseCount],
    [['unfolded'], '--beta <n>', '2: squared error, 1: Kullback–Leibler; default 2', parseOneOf([1, 2])],
    [['sparse-coding'], '--lambda <λ>', 'start of the penalty on codes, one or one a layer, in units of X', parseNonnegatives],
    [['neural'], '--cost <name>', 'of the last layer, or of every layer alone; default reconstruction', ['reconstruction', 'energy']],
    [['neural'], '--l1 <λ>', 'penalty on S, one or one a layer; default 0', parseNonnegatives],
    [
      ['neural', 'sparse-coding'],
      '--optimiser <name>',
      'of the gradients; default projected, in sparse-coding adam (it has no projected)',
      ['projected', 'momentum', 'adam'],
    ],
    [['nmf', 'hierarchical', 'neural'], '--half', 'keep a dense X as 16-bit floats on the device, entries rounded to 11 bits'],
    [['neural', 'sparse-coding'], '--batch-columns <n>', 'samples of a mini-batch; not with projected', parsePositiveInteger],
  ],
};

export function addMethodOptions(command: Command): Command {
  for (const [heading, options] of Object.entries(groups)) {
    for (const [of, flags, description, values] of options) {
      const names = of.join(', ');
      const option = new Option(flags, heading.includes(`(${names})`) ? description : `${names}: ${description}`).helpGroup(heading);
      if (typeof values === 'function') option.argParser(values);
      else if (values) option.choices(values);
      command.addOption(option);
    }
  }
  return command;
}

/** The options of this list that were given, as they were. */
export function givenMethodOptions(options: MethodOptions): MethodOptions {
  const names = Object.values(groups).flatMap((list) => list.map(([, flags]) => attributeOf(flags)));
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

const attributeOf = (flags: string) => new Option(flags).attributeName() as keyof MethodOptions;

/** Throws InputError for an option that the method does not have, or that would do nothing beside the others. */
export function checkMethodOptions(method: Method, ranks: readonly number[], options: MethodOptions): void {
  for (const [of, flags] of Object.values(groups).flat()) {
    if (options[attributeOf(flags)] === undefined || of.includes(method)) continue;
    throw new InputError(`--method ${method} has no option ${flags.split(' ')[0]}; it belongs to ${inWords(of)}.`);
  }
  if (['nmf', 'ssnmf', 'unfolded'].includes(method) && ranks.length > 1) {
    throw new InputError(
      `--method ${method} takes one rank, but --ranks ${ranks.join(',')} has ${ranks.length}; give one, or choose hierarchical, deep or neural.`,
    );
  }
  const { labels, labelLayers = [ranks.length - 1], pooling = 'none', activation = 'identity', optimiser } = options;
  for (const [name, flag] of [
    ['truth', '--truth'],
    ['labelWeight', '--label-weight'],
    ['labelLayers', '--label-layers'],
    ['labelLoss', '--label-loss'],
  ] as const) {
    if (labels === undefined && options[name] !== undefined) throw new InputError(`${flag} does nothing without --labels; give both.`);
  }
  if (options.solver !== undefined && labels !== undefined && ranks.every((_, l) => labelLayers.includes(l)))
    throw new InputError('--solver does nothing where all layers have labels: those are fitted by multiplicative updates; leave it out.');
  if (pooling === 'none' && (options.poolSize !== undefined || options.poolOver !== undefined))
    throw new InputError(`${options.poolSize === undefined ? '--pool-over' : '--pool-size'} needs --pooling average or max.`);
  if (ranks.length === 1 && (pooling !== 'none' || activation !== 'identity')) {
    const flag = pooling === 'none' ? '--activation' : '--pooling';
    throw new InputError(`${flag} acts between layers, but --ranks ${ranks[0]} is of one layer; give a rank for each of two or more.`);
  }
  if (method === 'sparse-coding' && optimiser === 'projected')
    throw new InputError('--optimiser projected is for --method neural; sparse-coding takes momentum or adam.');
  const batchOptimiser = optimiser ?? (method === 'neural' ? 'projected' : 'adam');
  if (options.batchColumns !== undefined && batchOptimiser === 'projected')
    throw new InputError('--batch-columns needs --optimiser momentum or adam: projected compares the objectives of all samples.');
  if (options.half && (options.mask !== undefined || options.batchColumns !== undefined)) {
    const flag = options.mask === undefined ? '--batch-columns' : '--mask';
    throw new InputError(`--half is for data that is only multiplied, which ${flag} does not leave it at; give one of them.`);
  }
}

function inWords(names: readonly string[]): string {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}
