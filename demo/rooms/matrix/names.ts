/** Names of rows and columns for the value under the pointer, and the matrix that blocks stand for. */
import type { Blocks } from '../../page/heat-map.js';
import { work } from '../../page/session.js';
import type { Picture } from '../../work/matrix-pictures.js';

type NameOf = (index: number) => string;

const named =
  (noun: string, names: readonly string[] | undefined): NameOf =>
  (at) =>
    names?.[at] ?? `${noun} ${at + 1}`;

/** What a heat map says of a picture. `what` is the matrix in the worker, whose parts can be read; undefined while it changes. */
export function namesOf(
  { rows, cols, high, wide }: Picture,
  what: 'X' | 'reconstruction' | 'A' | 'S' | undefined,
  rowNames: readonly string[] | undefined,
  columnNames: readonly string[] | undefined,
  [row, column]: readonly [string, string] = ['feature', 'sample'],
): { rowName: NameOf; columnName: NameOf; blocks: Blocks } {
  const read = what && high * wide > 1 ? (part: Parameters<NonNullable<Blocks['read']>>[0]) => work.matrix.part(what, part) : undefined;
  return { rowName: named(row, rowNames), columnName: named(column, columnNames), blocks: { rows, cols, high, wide, read } };
}
