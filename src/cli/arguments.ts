/** The values of the options of the command line. Commander puts the option and the value before each message. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Problem } from '../engine.js';
import type { MethodDefinition } from '../methods/definition.js';
import { methods } from '../methods/methods.js';
import { type FactorForm, factorForms } from '../models/factor-files.js';
import type { NodeEngineOptions } from '../node/engine.js';

export function parseRanks(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => !isPositiveInteger(part))) {
    throw new InvalidArgumentError('It must be positive integers separated by commas, one per layer, such as 20,8,3.');
  }
  return parts.map(Number);
}

/** Ranks to try: '2..15', or single ones and ranges with commas between them. Their order and size are a matter of the library. */
export function parseRankRange(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const ends = part.split('..').map((end) => end.trim());
    const [from, to] = ends.length === 1 ? [ends[0], ends[0]] : ends;
    if (ends.length > 2 || !isPositiveInteger(from) || !isPositiveInteger(to))
      throw new InvalidArgumentError('It must be a range such as 2..15, or ranks and ranges separated by commas, such as 2,4,8..12.');
    if (Number(from) > Number(to)) throw new InvalidArgumentError(`The range runs backwards; write ${to}..${from}.`);
    if (Number(to) - Number(from) >= 128) throw new InvalidArgumentError('The largest rank is 128.');
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
  });
}

export function parsePositiveInteger(text: string): number {
  if (!isPositiveInteger(text)) throw new InvalidArgumentError('It must be a positive integer.');
  return Number(text);
}

/** An integer from 0 on. */
export function parseCount(text: string): number {
  if (!isCount(text)) throw new InvalidArgumentError('It must be an integer from 0 on.');
  return Number(text);
}

/** Layers, sorted and each once. */
export function parseLayers(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (!parts.every(isCount)) throw new InvalidArgumentError('It must be layers, counted from 0 and separated by commas, such as 0,2.');
  return [...new Set(parts.map(Number))].sort((a, b) => a - b);
}

export function parsePositive(text: string): number {
  if (!isNonnegative(text) || Number(text) === 0) throw new InvalidArgumentError('It must be a finite number > 0.');
  return Number(text);
}

export function parseNonnegative(text: string): number {
  if (!isNonnegative(text)) throw new InvalidArgumentError('It must be a finite number ≥ 0.');
  return Number(text);
}

/** One number, or one for each layer. */
export function parseNonnegatives(text: string): number | number[] {
  const parts = text.split(',');
  if (!parts.every(isNonnegative)) throw new InvalidArgumentError('It must be a finite number ≥ 0, or one a layer, separated by commas.');
  return parts.length === 1 ? Number(text) : parts.map(Number);
}

/** One of a few words, or numbers ≥ 0, one a layer. */
export function parseChoiceOrLayerValues(values: readonly string[]): (text: string) => string | number[] {
  return (text) => {
    if (values.includes(text)) return text;
    const parts = text.split(',');
    if (!parts.every(isNonnegative))
      throw new InvalidArgumentError(`It must be one of ${values.join(', ')}, or finite numbers ≥ 0, one a layer, separated by commas.`);
    return parts.map(Number);
  };
}

/** One of these words, or a number in a range. */
export function parseChoiceOrNumber(
  values: readonly string[],
  [least, most]: readonly [number, number],
): (text: string) => string | number {
  return (text) => {
    if (values.includes(text)) return text;
    if (text.trim() !== '' && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It must be one of ${values.join(', ')}, or a number from ${least} to ${most}.`);
  };
}

/** A problem to tune for, added to those given before: rows, columns and rank, perhaps restarts. */
export function parseProblem(text: string, before: readonly Problem[] = []): Problem[] {
  const [rows, cols, rank, restarts = '1', ...more] = text.split(/[x×]/).map((part) => part.trim());
  const [N, M, k, R] = [rows, cols, rank, restarts].map((part) => (isPositiveInteger(part ?? '') ? Number(part) : 0));
  if (more.length > 0 || !N || !M || !k || !R) {
    throw new InvalidArgumentError('It must be rows × columns × rank, and perhaps × restarts, such as 87x90x9 or 87x90x9x8.');
  }
  if (k > Math.min(N, M, 128)) throw new InvalidArgumentError(`Rank ${k} is more than a ${N}×${M} matrix can use, or than 128.`);
  return [...before, { rows: N, cols: M, rank: k, restarts: R }];
}

export function parseOneOf(values: readonly number[]): (text: string) => number {
  return (text) => {
    const value = values.find((one) => String(one) === text.trim());
    if (value === undefined) throw new InvalidArgumentError(`It must be one of ${values.join(', ')}.`);
    return value;
  };
}

export function parseSeed(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 0xffffffff) {
    throw new InvalidArgumentError(`It must be an integer from 0 to ${0xffffffff}.`);
  }
  return Number(text);
}

export function parseTolerance(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) {
    throw new InvalidArgumentError('It must be a number from 0 up to 1, such as 1e-6; 0 runs all iterations.');
  }
  return value;
}

export function parseFraction(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('It must be a number above 0 and at most 1, such as 0.5.');
  return value;
}

/** A range of lengths of sequences: '2' is 1 to 2. */
export function parseNgrams(text: string): [number, number] {
  const parts = text.split('-').map((part) => part.trim());
  const [from, to] = parts.length === 1 ? ['1', parts[0]] : parts;
  if (parts.length > 2 || !isPositiveInteger(from) || !isPositiveInteger(to) || Number(from) > Number(to))
    throw new InvalidArgumentError('It must be a number of words such as 2, or a range such as 2-3.');
  return [Number(from), Number(to)];
}

export function parseWords(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}

function isPositiveInteger(text: string): boolean {
  return isCount(text) && Number(text) >= 1;
}

function isCount(text: string): boolean {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
}

function isNonnegative(text: string): boolean {
  return text.trim() !== '' && Number(text) >= 0 && Number(text) < Infinity;
}

export type DeviceChoice = NonNullable<NodeEngineOptions['prefer']>;

/** The options that every fit takes. */
export interface CommonOptions {
  ranks: number[];
  seed: number;
  /** Without it that of the method. */
  restarts?: number;
  maxIterations?: number;
  tolerance?: number;
  svdBound: boolean;
  maxSeconds?: number;
  /** Seconds between two checkpoints. */
  checkpoint?: number;
  device: DeviceChoice;
  out?: string;
  /** Of the factors beside the model. */
  format: FactorForm;
  report?: string;
  json?: boolean;
}

export function deviceOption(): Option {
  return new Option('--device <kind>', 'the kind of device to compute on').choices(['auto', 'gpu', 'software', 'cpu']).default('auto');
}

export function samplesOption(): Option {
  return new Option('--samples <side>', 'the place of a sample in the file').choices(['rows', 'columns']).default('rows');
}

/** The defaults of the methods in words: those that are not 1 by name. */
function restartsOfMethods(): string {
  const own = Object.values(methods).flatMap(({ name, restarts }: MethodDefinition) =>
    restarts === undefined ? [] : [`${restarts} for ${name}`],
  );
  return [...own, '1 for the other methods'].join(', ');
}

/** Adds them to a command; those that differ by command have their defaults given, and the others are the method's own. */
export function addFitOptions(command: Command, defaults: { restarts?: number; maxIterations?: number; tolerance?: number } = {}): Command {
  return command
    .requiredOption('--ranks <list>', 'rank of each layer, such as 20,8,3; default those of the factors that --start gives', parseRanks)
    .option('--seed <n>', 'seed of the random starts; the same seed on the same device gives the same result', parseSeed, 0)
    .option(
      '--restarts <n>',
      `independent starts in one batch; the best is kept${defaults.restarts === undefined ? ` (default: ${restartsOfMethods()})` : ''}`,
      parsePositiveInteger,
      defaults.restarts,
    )
    .option('--max-iterations <n>', 'most iterations of a stage', parsePositiveInteger, defaults.maxIterations)
    .option(
      '--tolerance <t>',
      'stop when the squared error falls by less than this fraction an iteration',
      parseTolerance,
      defaults.tolerance,
    )
    .addOption(deviceOption())
    .option('--no-svd-bound', 'leave out the SVD bound, which takes long on large matrices')
    .option('--max-seconds <s>', 'end after this time with what there is', parsePositive)
    .option(
      '--checkpoint <s>',
      'keep a checkpoint in the folder --out every so many seconds, and go on from one that is there',
      parsePositive,
    )
    .option('--out <dir>', 'write the model (model.json, factors.safetensors) into this folder, and its factors as A0.npy, S0.npy, …')
    .addOption(new Option('--format <form>', 'the form of the factors beside the model').choices(factorForms).default('npy'))
    .option('--report <file>', 'write a page that shows the result into this .html file')
    .option('--json', 'print the summary as JSON, and nothing else, on standard output');
}
