/** The programs behind the fits, without any data: to warm an engine up, or to read what a method does. */
import { checkPositiveInteger, checkRanks } from '../data/check.js';
import { InputError } from '../errors.js';
import type { Program } from '../graph/program.js';
import { hierarchicalProgram } from '../programs/hierarchical.js';
import { neuralProgram } from '../programs/neural.js';
import { type NmfSolver, nmfProgram } from '../programs/nmf.js';

export interface ProgramShape {
  /** Of X; for a warm-up about the size that is expected does as well. */
  rows: number;
  cols: number;
  /** [k₀, k₁, …]; one rank for 'nmf'. */
  ranks: readonly number[];
  /** Default 1. */
  restarts?: number;
  /** Of 'nmf' and 'hierarchical'; default as in the fit. */
  solver?: NmfSolver;
  /** Of 'neural'; default 'hierarchical'. */
  start?: 'hierarchical' | 'random';
  /** X is sparse, with about so many stored entries. */
  nonZeros?: number;
  /** X has weights or a mask ('nmf', 'neural'). */
  weighted?: boolean;
}

/**
 * The program that `nmf`, `hierarchicalNmf` or `neuralNmf` runs on such data with its other options at their defaults.
 *
 * @throws InputError for ranks that do not fit the shape.
 */
export function programFor(method: 'nmf' | 'hierarchical' | 'neural', shape: ProgramShape): Program {
  const { rows, cols, ranks, restarts = 1, weighted = false, nonZeros: csrEntries } = shape;
  checkPositiveInteger('rows', rows);
  checkPositiveInteger('cols', cols);
  checkPositiveInteger('restarts', restarts);
  checkRanks(ranks, rows, cols);
  if (csrEntries !== undefined) checkPositiveInteger('nonZeros', csrEntries);
  if (csrEntries !== undefined && weighted) throw new InputError('A sparse X takes no weights; leave out nonZeros or weighted.');
  switch (method) {
    case 'nmf': {
      if (ranks.length > 1) throw new InputError(`nmf takes one rank, but ${ranks.length} were given (${ranks.join(', ')}).`);
      return nmfProgram(rows, cols, ranks[0], { restarts, solver: shape.solver ?? (weighted ? 'mu' : 'anls'), weighted, csrEntries })
        .program;
    }
    case 'hierarchical':
      return hierarchicalProgram(rows, cols, ranks, { restarts, solver: shape.solver ?? 'anls', csrEntries }).program;
    case 'neural':
      return neuralProgram(rows, cols, ranks, { restarts, start: shape.start ?? 'hierarchical', weighted, csrEntries }).program;
    default:
      throw new InputError(`There are programs for nmf, hierarchical and neural, not for ${JSON.stringify(method)}.`);
  }
}
