/** The programs behind the fits of tensors, without any data: to warm up an engine, or to read a method. */
import { checkPositiveInteger, describe } from '../data/check.js';
import { checkNames } from '../data/names.js';
import { checkShape } from '../data/tensors.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import type { Program } from '../graph/program.js';
import { type NcpSolver, ncpProgram } from '../programs/ncp.js';
import { neuralNcpProgram } from '../programs/neural-ncp.js';
import { ncpOptions } from './ncp.js';
import { levelsOf, neuralNcpOptions } from './neural-ncp.js';
import { checkValues } from './options.js';
import { checkOuterProducts } from './tensor-problem.js';

export interface TensorProgramOptions {
  /** The sizes of the modes, two to six. */
  shape: readonly number[];
  /** R, the number of outer products. */
  rank: number;
  /** Of 'neural-ncp': the topics of each level. */
  ranks?: readonly number[];
  /** Default: that of the method, 1 for 'ncp' and 8 for 'neural-ncp'. */
  restarts?: number;
  /** Number of stored entries of a sparse tensor, roughly; left out for a dense one. */
  cooEntries?: number;
  /** Of 'ncp'. Default 'hals'. */
  solver?: NcpSolver;
  /** Of 'neural-ncp': whether the outer products stay as they are given. Default 'held'. */
  factors?: 'held' | 'learned';
  /** Of 'neural-ncp': see its options. */
  weights?: number | readonly number[];
  modes?: readonly number[];
}

const own = { ncp: ['solver'], 'neural-ncp': ['ranks', 'factors', 'weights', 'modes'] } as const;

/**
 * The program that 'ncp' or 'neural-ncp' runs on a tensor of such a shape. Options that are left out have their defaults. 'neural-ncp' runs
 * that of 'ncp' before it, unless it is given outer products.
 *
 * @throws InputError for ranks that do not fit the shape, and for options that the method does not have.
 */
export function tensorProgramFor(method: 'ncp' | 'neural-ncp', options: TensorProgramOptions): Program {
  if (!Object.hasOwn(own, method))
    throw new InputError(`There is no method ${describe(method)} of tensors; there are ${inWords(Object.keys(own))}.`);
  checkNames(`The program of ${method}`, options, ['shape', 'rank', 'restarts', 'cooEntries', ...own[method]]);
  const {
    shape,
    rank,
    ranks,
    restarts = method === 'ncp' ? 1 : 8,
    cooEntries,
    solver = 'hals',
    factors = 'held',
    weights,
    modes,
  } = options;
  checkShape(shape, 'The tensor', 'shape');
  checkOuterProducts(rank);
  checkPositiveInteger('restarts', restarts);
  if (cooEntries !== undefined) checkPositiveInteger('cooEntries', cooEntries);
  checkValues(method === 'ncp' ? { solver: ncpOptions.solver } : neuralNcpOptions, { solver, factors, weights, modes });
  const tolerance = 1e-6;
  if (method === 'ncp') return ncpProgram(shape, rank, { restarts, solver, tolerance, cooEntries }).program;
  const { ranks: topics, ...levels } = levelsOf({ ranks: ranks!, modes, weights, factors }, rank, shape);
  return neuralNcpProgram(shape, rank, topics, { ...levels, restarts, held: factors === 'held', tolerance, cooEntries }).program;
}
