/** The rule by which gradients become steps: the option of users, and the form that programs take. */
import { checkPositive, describe } from '../data/check.js';
import { checkNames } from '../data/names.js';
import { InputError } from '../errors.js';
import type { Optimiser } from '../programs/neural.js';

export type { Optimiser } from '../programs/neural.js';

/** An optimiser by name, with numbers that replace the defaults. */
export type GivenOptimiser =
  | { name: 'projected' }
  | { name: 'momentum' /** > 0 */; rate?: number /** From 0 up to 1; default 0.9. */; momentum?: number }
  | { name: 'adam' /** > 0 */; rate?: number };

/** Fills in the numbers. Throws InputError for a name that is not in `names`, or numbers that fit no optimiser. */
export function optimiserOf<const N extends Optimiser['name']>(
  given: N | Extract<GivenOptimiser, { name: N }>,
  rates: { momentum: number; adam: number },
  names: readonly N[],
): Extract<Optimiser, { name: N }> {
  const { name, ...numbers }: { name: string; rate?: number; momentum?: number } = typeof given === 'string' ? { name: given } : given;
  if (!names.includes(name as N))
    throw new InputError(
      `optimiser must be ${names.map((one) => `'${one}'`).join(' or ')}, or an object with that name, not ${describe(typeof given === 'string' ? given : given.name)}.`,
      { option: 'optimiser' },
    );
  const all: Record<Optimiser['name'], Optimiser> = {
    projected: { name: 'projected' },
    momentum: { name: 'momentum', rate: rates.momentum, momentum: 0.9 },
    adam: { name: 'adam', rate: rates.adam },
  };
  const optimiser = all[name as N];
  checkNames(`optimiser '${name}'`, numbers, Object.keys(optimiser));
  const { rate, momentum } = numbers;
  if (optimiser.name !== 'projected') optimiser.rate = rate ?? optimiser.rate;
  if (optimiser.name === 'momentum') optimiser.momentum = momentum ?? optimiser.momentum;
  if (optimiser.name !== 'projected') checkPositive('optimiser.rate', optimiser.rate);
  if (optimiser.name === 'momentum' && !(optimiser.momentum >= 0 && optimiser.momentum < 1))
    throw new InputError(`optimiser.momentum must be from 0 up to 1, not ${optimiser.momentum}.`, { option: 'optimiser' });
  return optimiser as Extract<Optimiser, { name: N }>;
}
