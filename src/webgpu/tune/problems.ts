/** The problems that a tuning measures, and the classes of work in them. */
import { checkNames } from '../../data/names.js';
import type { Problem } from '../../engine.js';
import { InputError } from '../../errors.js';
import { productClasses } from './products.js';
import { solveClasses } from './solves.js';
import { sparseClasses } from './sparse.js';
import { sweepClasses, sweptClasses } from './sweeps.js';
import type { TunedClass } from './trial.js';

const sizes = [
  [128, 128],
  [512, 128],
  [128, 512],
  [512, 512],
  [2048, 512],
  [512, 2048],
] as const;

/** Without shapes of its own a tuning measures the middle of each class of sizes, and a sparse problem of each rank. */
export const typicalProblems: readonly Problem[] = [8, 16, 32].flatMap((rank) => [
  ...sizes.map(([rows, cols]) => ({ rows, cols, rank })),
  { rows: 2048, cols: 2048, rank, density: 0.01 },
]);

export const quickProblems: readonly Problem[] = [
  { rows: 128, cols: 128, rank: 16 },
  { rows: 512, cols: 512, rank: 16 },
  { rows: 512, cols: 512, rank: 16, density: 0.05 },
];

/**
 * All classes of the problems, each once, one kind after the other: what a product and a sweep take in two dispatches depends on the
 * choices for both.
 */
export function classesOf(problems: readonly Problem[]): TunedClass[] {
  const kinds = [productClasses, solveClasses, sweepClasses, sweptClasses, sparseClasses];
  const all = kinds.flatMap((classes) => problems.flatMap((problem): TunedClass[] => classes(problem)));
  const distinct = new Map<string, TunedClass>();
  for (const one of all) {
    const key = `${one.kind} ${one.name}`;
    if (!distinct.has(key)) distinct.set(key, one);
  }
  return [...distinct.values()];
}

/** @throws InputError for what is no list of problems. */
export function checkProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) throw new InputError('problems is empty; give at least one, or leave it out.');
  for (const problem of problems) {
    checkNames('A problem', problem, ['rows', 'cols', 'rank', 'restarts', 'density']);
    const { rows, cols, rank, restarts = 1, density } = problem;
    if (![rows, cols, rank, restarts].every(isCount) || rank > Math.min(rows, cols, 128)) {
      throw new InputError(
        `A problem has rows, cols, rank and restarts ≥ 1, and rank ≤ min(rows, cols, 128), not ${rows}×${cols}, rank ${rank}, ${restarts} restarts.`,
      );
    }
    if (density !== undefined && !(density > 0 && density <= 1)) {
      throw new InputError(`The density of a problem is a number above 0 and at most 1, not ${density}; leave it out for a dense X.`);
    }
  }
}

export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
