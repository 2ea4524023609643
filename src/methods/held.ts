/** Fixed components: columns of A, or rows of S, that a fit holds as they were given. */
import { checkNonnegative, describe } from '../data/check.js';
import type { Matrix } from '../data/matrix.js';
import { isSparse } from '../data/sparse.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import type { Run } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import type { HeldFactors } from '../programs/held.js';
import { inRange } from './given.js';
import { type OptionsOf, ownMatrix } from './options.js';
import type { Problem } from './problem.js';

export const heldOptions = {
  /**
   * N×g, ≥ 0: the first g columns of A, which every restart holds to the last bit, as signatures that are known. The others are fitted beside
   * them. They take the place of the first columns of any `start`.
   */
  fixedA: ownMatrix('a matrix with the first columns of A, which the fit holds', { named: { rows: 'features' } }),
  /** g×M, ≥ 0: the first g rows of S, held likewise. */
  fixedS: ownMatrix('a matrix with the first rows of S, which the fit holds', { named: { columns: 'samples' } }),
};

export type HeldOptions = OptionsOf<typeof heldOptions>;

/** The given parts in the unit of the fit. */
export interface HeldParts {
  A?: Matrix;
  S?: Matrix;
}

/**
 * The components that are held, in the unit of the fit.
 *
 * @throws ShapeError for parts of another shape; InputError for more than the rank, entries < 0, components that are all zero, numbers that
 * f32 has no products of, nothing left to fit, and a guide of columns that are held.
 */
export function heldParts({ fixedA, fixedS, guide }: HeldOptions & { guide?: unknown }, { X, unit, settings }: Problem): HeldParts {
  const [k] = settings.ranks;
  const parts: HeldParts = {};
  if (fixedA !== undefined) {
    check('fixedA', fixedA, { side: 'rows', length: X.rows, of: 'X', line: 'column', k });
    if (guide !== undefined)
      throw new InputError('fixedA holds the first columns of A, and guide begins with other ones; give one of the two.', {
        option: 'fixedA',
      });
    parts.A = inRange({ ...fixedA, data: fixedA.data.slice() }, 'fixedA', 'fixedA');
  }
  if (fixedS !== undefined) {
    check('fixedS', fixedS, { side: 'cols', length: X.cols, of: 'X', line: 'row', k });
    parts.S = inRange(matrixTimesPowerOfTwo({ ...fixedS, data: fixedS.data.slice() }, -unit), 'fixedS', 'fixedS');
  }
  if (parts.A?.cols === k && parts.S?.rows === k)
    throw new InputError(
      `fixedA and fixedS hold all of A and of S at rank ${k}, which leaves nothing to fit; give less, or a larger rank.`,
      {
        option: 'fixedA',
      },
    );
  return parts;
}

function check(
  option: 'fixedA' | 'fixedS',
  F: Matrix,
  { side, length, of, line, k }: { side: 'rows' | 'cols'; length: number; of: string; line: 'row' | 'column'; k: number },
): void {
  if (typeof F !== 'object' || F === null || isSparse(F))
    throw new InputError(`${option} must be a dense matrix with a ${line} for each component, not ${describe(F)}.`, { option });
  checkNonnegative(F, option, option);
  const sides = side === 'rows' ? 'rows' : 'columns';
  const turned = F[side === 'rows' ? 'cols' : 'rows'] === length ? ' It looks transposed.' : '';
  if (F[side] !== length)
    throw new ShapeError(
      `${option} is ${F.rows}×${F.cols}, but ${of} has ${length} ${sides}; give it a ${line === 'column' ? 'row' : 'column'} for each.${turned}`,
      { option },
    );
  const count = line === 'column' ? F.cols : F.rows;
  if (count > k)
    throw new InputError(`${option} has ${count} ${line}s for a rank of ${k}; give at most so many, or a larger rank.`, { option });
  const used = new Uint8Array(count);
  F.data.forEach((x, at) => {
    if (x !== 0) used[line === 'column' ? at % F.cols : Math.floor(at / F.cols)] = 1;
  });
  const empty = used.indexOf(0);
  if (empty >= 0)
    throw new InputError(
      `${option} is zero in all of ${line} ${empty} (counted from 0), a component without any part in X; leave it out.`,
      { option, [line]: empty },
    );
}

/** How many components of each factor are held; undefined where none is. */
export function heldCounts({ A, S }: HeldParts): { A: number; S: number } | undefined {
  return A || S ? { A: A?.cols ?? 0, S: S?.rows ?? 0 } : undefined;
}

/** Puts the columns that are held into A, N×k, of every restart. */
export function holdColumns(entries: Float32Array, k: number, { A }: HeldParts): void {
  if (!A) return;
  for (let at = 0; at < entries.length; at += k) {
    const i = (at / k) % A.rows;
    entries.set(A.data.subarray(i * A.cols, (i + 1) * A.cols), at);
  }
}

/** Puts the rows that are held into S, k×M, of every restart. */
export function holdRows(entries: Float32Array, k: number, { S }: HeldParts): void {
  if (!S) return;
  for (let at = 0; at < entries.length; at += k * S.cols) entries.set(S.data, at);
}

/**
 * Brings the columns of a random A beside held rows of S ('A'), or the rows of a random S beside held columns of A ('S'), to the size at which
 * their products are those of a random start. Otherwise the first update could drive out what is free.
 */
export function matchHeld(of: 'A' | 'S', entries: Float32Array, [k, M]: readonly [number, number], parts: HeldParts, scale: number): void {
  const other = of === 'A' ? parts.S : parts.A;
  if (!other) return;
  const [count, length] = of === 'A' ? [other.rows, other.cols] : [other.cols, other.rows];
  const squares = new Float64Array(count);
  other.data.forEach((x, at) => {
    squares[of === 'A' ? Math.floor(at / other.cols) : at % other.cols] += x * x;
  });
  const factors = Array.from(squares, (square) => scale * Math.sqrt(length / square));
  for (let at = 0; at < entries.length; at++) {
    const component = of === 'A' ? at % k : Math.floor(at / M) % k;
    if (component < count) entries[at] *= factors[component];
  }
}

export function writeHeld(run: Run, tensors: HeldFactors, parts: HeldParts): void {
  for (const of of ['A', 'S'] as const) {
    const [t, F] = [tensors[of], parts[of]];
    if (!t || !F) continue;
    const k = t.free.rows;
    const count = of === 'A' ? F.cols : F.rows;
    const square = (entry: (i: number, j: number) => boolean) =>
      Float32Array.from({ length: k * k }, (_, at) => (entry(Math.floor(at / k), at % k) ? 1 : 0));
    const given = new Float32Array(t.given.rows * t.given.cols);
    if (of === 'A') holdColumns(given, k, parts);
    else given.set(F.data);
    const [held, block] = [square((i, j) => i === j && i < count), square((i, j) => i === j || (i >= count && j >= count))];
    run.write(t.given, given);
    run.write(
      t.free,
      square((i, j) => i === j && i >= count),
    );
    run.write(t.held, held);
    run.write(t.block, block);
    if (t.columnOfBlock) run.write(t.columnOfBlock, block);
    if (t.ones) run.write(t.ones, new Float32Array(t.ones.rows).fill(1));
  }
}
