/** The option `start`: a word, or factors that a fit begins with in place of random numbers. */
import { checkPositiveInteger, describe } from '../data/check.js';
import { checkDense, type Matrix } from '../data/matrix.js';
import { checkNames } from '../data/names.js';
import { InputError } from '../errors.js';
import type { FitOptions, Model } from './factorization.js';
import { choiceOr, type Option, type StartPart } from './options.js';

/** Factors that a fit begins with. A fitted model is one, and so is a model that was read. */
export interface StartFactors {
  /** N×k, or a list of one for each layer. */
  A?: Matrix | readonly Matrix[];
  /** k×M, or a list of one for each layer. */
  S?: Matrix | readonly Matrix[];
  /** Classifiers, P×k: one, or a list of one for each layer with labels. Their rows are the classes in the order of their names. */
  B?: Matrix | readonly Matrix[];
}

/** The option `start` of a method: one of a few words, the first by default, or factors, of which it uses `factors`. */
export function startOption<const V extends readonly string[]>(
  values: V,
  help: string,
  factors: readonly StartPart[],
): Option<V[number] | StartFactors> {
  return { ...choiceOr<StartFactors>()(values, help, { default: values[0] }), factors };
}

/** Whether a start is factors, and not a word. */
export const isGiven = (start: unknown): start is object => typeof start === 'object' && start !== null;

/** Whether every restart would begin alike. */
const isSingle = (start: unknown): boolean => isGiven(start) || start === 'nndsvd' || start === 'nndsvda';

/** The restarts of a fit. Throws InputError for more than one of a start that is the same in all. */
export function restartsOf({ restarts, start }: FitOptions & { start?: unknown }, byDefault: number): number {
  if (restarts !== undefined) checkPositiveInteger('restarts', restarts);
  if (!isSingle(start)) return restarts ?? byDefault;
  if (restarts === undefined || restarts === 1) return 1;
  const what = isGiven(start) ? 'factors' : `'${start}'`;
  throw new InputError(`The option 'restarts' is ${restarts}, but every one would begin with the same start, ${what}; leave it out.`, {
    option: 'restarts',
  });
}

/**
 * The ranks of a fit that has `given` ones or none; of a method of one layer just one. Throws InputError for a start of other ranks, which
 * it names beside those that were given.
 */
export function ranksOfStart(given: FitOptions['ranks'], start: unknown, layers: 'one' | 'many'): number | readonly number[] | undefined {
  if (!isGiven(start)) return given;
  const { A, S, ranks } = partsOf(start);
  const own = ranks ?? (A ? A.map(({ cols }) => cols) : S!.map(({ rows }) => rows));
  const found = layers === 'one' ? own.slice(0, 1) : own;
  if (given === undefined) return found;
  const asked = typeof given === 'number' ? [given] : given;
  if (!Array.isArray(asked) || (asked.length === found.length && asked.every((rank, l) => rank === found[l]))) return given;
  throw new InputError(
    `The option 'ranks' is ${describe(given)}, but the factors of the option 'start' have the ranks ${describe(found)}; leave ranks out, or give other factors.`,
    { option: 'start' },
  );
}

/** The matrices of a given start by their parts. */
export interface Parts {
  A?: readonly Matrix[];
  S?: readonly Matrix[];
  B?: readonly Matrix[];
  /** Of a model. */
  ranks?: readonly number[];
  classes?: readonly string[];
}

/** Throws InputError for what is neither a model nor an object of matrices. */
export function partsOf(start: object): Parts {
  if ('method' in start) {
    const { A, S, ranks, supervision } = start as Model;
    const samples = S?.some(({ cols }) => cols === 0) ? undefined : S; // a model that was made elsewhere may have none
    const B = supervision?.classifiers.map((classifier) => classifier.B);
    return { ...listsOf({ A, S: samples, B }), ranks, classes: supervision?.classes };
  }
  checkNames('start', start, ['A', 'S', 'B']);
  return listsOf(start as StartFactors);
}

function listsOf(given: StartFactors): Parts {
  const lists: Parts = {};
  for (const name of ['A', 'S', 'B'] as const) {
    const part = given[name];
    if (part === undefined) continue;
    const list = Array.isArray(part) ? (part as readonly Matrix[]) : [part as Matrix];
    if (list.length === 0) throw refusal(`${name} is an empty list; give a matrix for each layer, or leave it out`);
    list.forEach((factor, l) => {
      checkDense(factor, nameOf(name, l, list.length), 'start');
    });
    lists[name] = list;
  }
  if (!lists.A && !lists.S) throw refusal(' has neither A nor S; give one of them, or both');
  return lists;
}

/** What messages call a factor. */
export const nameOf = (part: string, l: number, count: number) => (count === 1 ? `start.${part}` : `start.${part}[${l}]`);

/** The error for a start that cannot be used; `what` begins with a space, or with the name of a part. */
export function refusal(what: string): InputError {
  return new InputError(`start${what.startsWith(' ') ? '' : '.'}${what}.`, { option: 'start' });
}
