/** The programs behind the fits, without any data: to warm up an engine, or to read a method. */
import { checkPositiveInteger, checkRanks, describe } from '../data/check.js';
import { checkNames } from '../data/names.js';
import { InputError } from '../errors.js';
import type { Program } from '../graph/program.js';
import { type Method, methodOf, methods } from './methods.js';
import { checkValues, type OptionsOf } from './options.js';
import { ranksOf } from './problem.js';

/** The sizes of the data and of the fit that a program is for. */
export interface ShapeOfFit {
  /** Rows of X. A warm-up needs only about the size that is expected. */
  rows: number;
  cols: number;
  /** One number for one layer, or [k₀, k₁, …]. */
  ranks: number | readonly number[];
  /** Default: that of the method, 4 for 'neural' and 1 for the others. */
  restarts?: number;
  /** Number of stored entries of a sparse X, roughly; left out for a dense one. */
  nonZeros?: number;
  /** Whether X has weights. Default false. */
  weighted?: boolean;
  /** Number of classes of the labels; left out without labels. */
  classes?: number;
}

/** The shape, with options of the method; its matrices and labels have no place here. */
export type ProgramOptions<M extends Method> = ShapeOfFit &
  Partial<Omit<OptionsOf<(typeof methods)[M]['options']>, 'weights' | 'labels' | 'truth' | 'unlabelled'>>;

/**
 * The program that a method runs on such data. Options that are left out have their defaults.
 *
 * @throws InputError for ranks that do not fit the shape, and for options that the method does not have.
 */
export function programFor<M extends Method>(
  method: M,
  { rows, cols, ranks, restarts: givenRestarts, nonZeros, weighted = false, classes, ...own }: ProgramOptions<M>,
): Program {
  if (!Object.hasOwn(methods, method))
    throw new InputError(`There is no method ${describe(method)}; there are ${Object.keys(methods).join(', ')}.`);
  const { name, layers, options, program, renamed, restarts: byDefault = 1 } = methodOf(method);
  const restarts = givenRestarts ?? byDefault;
  checkNames(`The program of ${name}`, own, Object.keys(options), { rank: "'ranks'", ...renamed });
  checkPositiveInteger('rows', rows);
  checkPositiveInteger('cols', cols);
  checkPositiveInteger('restarts', restarts);
  const list = ranksOf(name, layers, ranks);
  checkRanks(list, rows, cols);
  for (const [count, value] of Object.entries({ nonZeros, classes })) if (value !== undefined) checkPositiveInteger(count, value);
  if (weighted && !('weights' in options)) throw new InputError(`${name} takes no weights; leave out weighted.`, { option: 'weighted' });
  if (classes !== undefined && !('labels' in options))
    throw new InputError(`${name} takes no labels; leave out classes.`, { option: 'classes' });
  if (nonZeros !== undefined && weighted)
    throw new InputError('A sparse X takes no weights; leave out nonZeros or weighted.', { option: 'nonZeros' });
  const given = own as Record<string, unknown>;
  // Labels themselves have no place here; that there are any stands for them.
  checkValues(options, { ...given, labels: classes });
  return program({ rows, cols, ranks: list, restarts, csrEntries: nonZeros, weighted, classes }, own);
}
