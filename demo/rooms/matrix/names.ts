/** Names of rows and columns for the value under the pointer, of matrices that are shown in blocks, too. */
import type { Picture } from '../../work/matrix-pictures.js';

type NameOf = (index: number) => string;

/** The name of an entry, or of the first and the last of a block. */
function named(noun: string, size: number, block: number, names: readonly string[] | undefined): NameOf {
  const one = (at: number) => names?.[at] ?? `${noun} ${at + 1}`;
  if (block === 1) return one;
  return (at) => {
    const last = Math.min(size, (at + 1) * block) - 1;
    return names ? `${one(at * block)} to ${one(last)}` : `${noun}s ${at * block + 1} to ${last + 1}`;
  };
}

export function namesOf(
  { rows, cols, high, wide }: Picture,
  rowNames: readonly string[] | undefined,
  columnNames: readonly string[] | undefined,
  [row, column]: readonly [string, string] = ['feature', 'sample'],
): { rowName: NameOf; columnName: NameOf } {
  return { rowName: named(row, rows, high, rowNames), columnName: named(column, cols, wide, columnNames) };
}
