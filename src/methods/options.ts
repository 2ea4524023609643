/**
 * Options of methods as data: the values of each, its default and a few words about it. From them come the option types of the library, its
 * checks, the flags and the help of the command line, and the tables of the docs.
 */
import { checkAtLeastZero, checkPositive, checkPositiveInteger, describe } from '../data/check.js';
import type { Labels } from '../data/labels.js';
import type { Matrix } from '../data/matrix.js';
import { absentKinds } from '../data/missing.js';
import type { DataMatrix } from '../data/sparse.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';

/** The form of an option's values, from which the command line reads it. */
export type OptionKind =
  | 'choice'
  | 'choices'
  | 'flag'
  | 'count'
  | 'positiveInteger'
  | 'positive'
  | 'atLeastZero'
  | 'layerValues'
  | 'layerList'
  | 'matrix'
  | 'ownMatrix'
  | 'labels'
  | 'words'
  | 'data';

/** Another option that must be given, with one of `values` where they are listed. Otherwise this one would do nothing. */
export interface Need {
  readonly option: string;
  readonly values?: readonly unknown[];
}

/** A factor that a fit can begin with: see StartFactors. */
export type StartPart = 'A' | 'S' | 'B';

export interface Option<T = unknown> {
  readonly kind: OptionKind;
  /** A few words for the help, no capital and no full stop. */
  readonly help: string;
  /** The value of an option that is left out, or words about one that depends on others. */
  readonly default?: unknown;
  /** The values of a choice. */
  readonly values?: readonly (string | number)[];
  /** A choice that may be factors instead, and which of them it takes; on the command line a folder. */
  readonly factors?: readonly StartPart[];
  /** A choice that may be a list of numbers instead, one for each layer. */
  readonly orLayerValues?: true;
  /** A choice that may be a number instead, and its range. */
  readonly orNumber?: readonly [least: number, most: number];
  /** The name of a value in the help, such as <name> or <n>. */
  readonly placeholder?: string;
  readonly needs?: Need;
  /** Of a matrix with a shape of its own: what its rows and columns are, where they have the names of the data. */
  readonly named?: { readonly rows?: 'features' | 'samples'; readonly columns?: 'features' | 'samples' };
  /** Whether such a matrix may be sparse. */
  readonly sparse?: boolean;
  /** Throws InputError for a value that the option does not take. The method checks conditions that depend on the data. */
  readonly check: (name: string, value: unknown) => void;
  /** Only for the type. */
  readonly type?: T;
}

export type OptionRecord = Readonly<Record<string, Option>>;

/** The options as an object that a caller gives. */
export type OptionsOf<D extends OptionRecord> = { [K in keyof D]?: D[K] extends Option<infer T> ? T : never };

/** The fields that all kinds may have besides. */
interface Words {
  default?: unknown;
  placeholder?: string;
  needs?: Need;
}

/** Those of a matrix with a shape of its own. */
type MatrixWords = Words & Pick<Option, 'named'>;

const quoted = (values: readonly unknown[]) =>
  inWords(
    values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))),
    'or',
  );

/** One of a few. */
export function choice<const V extends readonly (string | number)[]>(values: V, help: string, words: Words = {}): Option<V[number]> {
  const check = (name: string, value: unknown) => {
    if (!values.includes(value as V[number]))
      throw new InputError(`${name} must be ${quoted(values)}, not ${describe(value)}.`, { option: name });
  };
  return { kind: 'choice', values, help, placeholder: 'name', check, ...words };
}

/** What the entries that a sparse matrix does not store are. */
/** How the option of other libraries for weights of zeros and ones is spelled here. */
export const renamedMask = { mask: "'weights', or of a sparse X 'absent'" };

export const absentOption = choice(absentKinds, 'what the entries that a sparse matrix does not store are', { default: 'zero' });

/** One of a few, or a number in a range. */
export function choiceOrNumber<const V extends readonly string[]>(
  values: V,
  range: readonly [least: number, most: number],
  help: string,
  words: Words = {},
): Option<V[number] | number> {
  const check = (name: string, value: unknown) => {
    if (values.includes(value as V[number])) return;
    if (typeof value === 'number' && value >= range[0] && value <= range[1]) return;
    throw new InputError(`${name} must be ${quoted(values)}, or a number from ${range[0]} to ${range[1]}, not ${describe(value)}.`, {
      option: name,
    });
  };
  return { kind: 'choice', values, orNumber: range, help, placeholder: 'name', check, ...words };
}

/** One of a few for all layers, or a list of one each; the command line takes one. */
export function choices<const V extends readonly string[]>(
  values: V,
  help: string,
  words: Words = {},
): Option<V[number] | readonly V[number][]> {
  const check = (name: string, value: unknown) => {
    const all: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (!all.every((one) => values.includes(one as V[number])))
      throw new InputError(`${name} must be ${quoted(values)}, or a list of them, not ${describe(value)}.`, { option: name });
  };
  return { kind: 'choices', values, help, placeholder: 'name', check, ...words };
}

/** True or false. */
export function flag(help: string, words: Words = {}): Option<boolean> {
  const check = (name: string, value: unknown) => {
    if (typeof value !== 'boolean') throw new InputError(`${name} must be true or false, not ${describe(value)}.`, { option: name });
  };
  return { kind: 'flag', help, check, ...words };
}

/** An integer from 0 on. */
export function count(help: string, words: Words = {}): Option<number> {
  const check = (name: string, value: unknown) => {
    if (!(Number.isSafeInteger(value) && (value as number) >= 0))
      throw new InputError(`${name} must be an integer from 0 on, not ${describe(value)}.`, { option: name });
  };
  return { kind: 'count', help, placeholder: 'n', check, ...words };
}

export function positiveInteger(help: string, words: Words = {}): Option<number> {
  return { kind: 'positiveInteger', help, placeholder: 'n', check: (name, value) => checkPositiveInteger(name, value as number), ...words };
}

/** A finite number > 0. */
export function positive(help: string, words: Words = {}): Option<number> {
  return { kind: 'positive', help, placeholder: 'x', check: (name, value) => checkPositive(name, value as number), ...words };
}

/** A finite number ≥ 0. */
export function atLeastZero(help: string, words: Words = {}): Option<number> {
  return { kind: 'atLeastZero', help, placeholder: 'x', check: (name, value) => checkAtLeastZero(name, value as number), ...words };
}

/** One number ≥ 0 for all layers, or one each. */
export function layerNumbers(help: string, words: Words = {}): Option<number | readonly number[]> {
  const check = (name: string, value: unknown) => {
    for (const one of Array.isArray(value) ? value : [value]) checkAtLeastZero(name, one as number);
  };
  return { kind: 'layerValues', help, placeholder: 'list', check, ...words };
}

/** Layers, counted from 0, none twice. */
export function layerList(help: string, words: Words = {}): Option<readonly number[]> {
  const check = (name: string, value: unknown) => {
    const isLayer = (layer: unknown) => Number.isSafeInteger(layer) && (layer as number) >= 0;
    if (!(Array.isArray(value) && value.length > 0 && value.every(isLayer)))
      throw new InputError(`${name} must be a list of layers, counted from 0, not ${describe(value)}.`, { option: name });
    if (new Set(value).size !== value.length) throw new InputError(`${name} ${describe(value)} names a layer twice.`, { option: name });
  };
  return { kind: 'layerList', help, placeholder: 'list', check, ...words };
}

/** Modes of a tensor, counted from 0, none twice. */
export function modeList(help: string, words: Words = {}): Option<readonly number[]> {
  const check = (name: string, value: unknown) => {
    const isMode = (mode: unknown) => Number.isSafeInteger(mode) && (mode as number) >= 0;
    if (!(Array.isArray(value) && value.length > 0 && value.every(isMode)))
      throw new InputError(`${name} must be a list of modes, counted from 0, not ${describe(value)}.`, { option: name });
    if (new Set(value).size !== value.length) throw new InputError(`${name} ${describe(value)} names a mode twice.`, { option: name });
  };
  return { kind: 'layerList', help, placeholder: 'list', check, ...words };
}

/** A matrix of the shape of X, on the command line a file. */
export function matrixLikeX(help: string, words: Words = {}): Option<Matrix> {
  return { kind: 'matrix', help, placeholder: 'file', check: () => {}, ...words };
}

/** A matrix with a shape of its own, which the method checks; on the command line a file. */
export function ownMatrix(help: string, words: MatrixWords = {}): Option<Matrix> {
  return { kind: 'ownMatrix', help, placeholder: 'file', check: () => {}, ...words };
}

/** The same, where it may be sparse. */
export function ownDataMatrix(help: string, words: MatrixWords = {}): Option<DataMatrix> {
  return { kind: 'ownMatrix', help, placeholder: 'file', sparse: true, check: () => {}, ...words };
}

/** One label a sample, on the command line a file with one a line. */
export function labelList(help: string, words: Words = {}): Option<Labels> {
  return { kind: 'labels', help, placeholder: 'file', check: () => {}, ...words };
}

/** A list of texts, on the command line separated by commas. */
export function words(help: string, more: Words = {}): Option<readonly (string | number)[]> {
  const check = (name: string, value: unknown) => {
    if (!(Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number')))
      throw new InputError(`${name} must be a list of texts or numbers, not ${describe(value)}.`, { option: name });
  };
  return { kind: 'words', help, placeholder: 'list', check, ...more };
}

/** An option of the library alone, which the method checks. */
export function data<T>(help: string, words: Words = {}): Option<T> {
  return { kind: 'data', help, check: () => {}, ...words };
}

/** One of a few on the command line; the library also takes a T, which the method checks. */
export function choiceOr<T>() {
  return <const V extends readonly string[]>(values: V, help: string, words: Words = {}): Option<V[number] | T> => ({
    ...choice(values, help, words),
    check: (name, value) => {
      if (typeof value !== 'object' || value === null) choice(values, help).check(name, value);
    },
    type: undefined,
  });
}

/** The same, where the command line takes a list of numbers ≥ 0 in the place of a choice, and the library that or a T. */
export function choiceOrLayerValues<T>() {
  return <const V extends readonly string[]>(values: V, help: string, more: Words = {}): Option<V[number] | readonly number[] | T> => ({
    ...choiceOr<readonly number[] | T>()(values, help, more),
    check: (name, value) => {
      if (Array.isArray(value)) layerNumbers(help).check(name, value);
      else choiceOr()(values, help).check(name, value);
    },
    orLayerValues: true,
  });
}

/**
 * Throws InputError where options that were given would do nothing beside the others, or exclude each other. `nameOf` words their names,
 * as flags on the command line.
 */
export function checkTogether(options: OptionRecord, given: Readonly<Record<string, unknown>>, nameOf = (name: string) => name): void {
  for (const [name, { needs }] of Object.entries(options)) {
    if (!needs || given[name] === undefined) continue;
    const other = given[needs.option] ?? options[needs.option].default;
    const value = typeof other === 'object' && other !== null && 'name' in other ? other.name : other;
    if (needs.values ? needs.values.includes(value) : other !== undefined) continue;
    const wanted = needs.values ? ` ${quoted(needs.values)}` : '';
    throw new InputError(`${nameOf(name)} does nothing without ${nameOf(needs.option)}${wanted}; give both, or leave it out.`, {
      option: name,
    });
  }
}

/** Throws InputError for a value that its option does not take, or an option that does nothing beside the others. */
export function checkValues(options: OptionRecord, given: Readonly<Record<string, unknown>>): void {
  for (const [option, { check }] of Object.entries(options)) if (given[option] !== undefined) check(option, given[option]);
  checkTogether(options, given);
}
