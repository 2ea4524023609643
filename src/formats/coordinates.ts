/** Sparse tensors as tables: a line for an entry, a column for each mode and a last one of values. */
import { isDecimal } from '../data/numbers.js';
import { largestOrder, type SparseTensor, smallestOrder, sparseTensor } from '../data/tensors.js';
import { quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import type { TableColumns } from './file-format.js';

/** A mode as far as it is known. */
export interface Mode {
  name?: string;
  /** The names of its entries. */
  entries?: readonly string[];
}

export interface CoordinateOptions {
  /** What is known of the modes: the names of entries, in whose order they stand, or how many there are. */
  known?: readonly (readonly string[] | number | undefined)[];
  /** The modes whose numbers are names, such as years, counted from 0. */
  named?: readonly number[];
  /** The number of the first entry where numbers are places; default 0. */
  first?: number;
}

/**
 * The tensor in a table. A mode whose column has whole numbers alone is counted by them. Any other has names, which stand in the order in
 * which they come first, or in the order that is known. The values of lines with the same place are added up, which a note says.
 *
 * @throws InputError for fewer than 2 or more than 6 modes, a cell without a value, a value that is no number, a name or number that is not
 * among the known ones.
 */
export function tensorOfColumns(
  { rows, columns }: TableColumns,
  source: string,
  { known = [], named = [], first = 0 }: CoordinateOptions = {},
): { X: SparseTensor; modes: Mode[]; notes: string[] } {
  const order = columns.length - 1;
  if (order < smallestOrder || order > largestOrder)
    throw new InputError(
      `${source} has ${columns.length} columns, but a tensor needs one for each of its ${smallestOrder} to ${largestOrder} modes and a last one of values.`,
    );
  const places = columns.slice(0, -1).map(({ name, values }, n) => {
    const called = name === '' ? `${n + 1}` : quoted(name);
    return placesOf(values, `${source}: column ${called}`, { known: known[n], named: named.includes(n), first });
  });
  const shape = places.map(({ size }) => size);
  const { coordinates, values, repeated } = addedUp(
    places.map(({ at }) => at),
    columns[order].values.map((value, e) => numberOf(value, `${source}: the last column`, e)),
  );
  const modes = places.map(({ entries }, n) => ({
    ...(columns[n].name !== '' && { name: columns[n].name }),
    ...(entries && { entries }),
  }));
  const notes =
    repeated > 0 ? [`${source}: ${repeated} of ${rows} lines have a place that a line before them has; their values were added up.`] : [];
  return { X: sparseTensor(shape, { coordinates, values }), modes, notes };
}

interface Places {
  at: Uint32Array;
  size: number;
  entries?: readonly string[];
}

function placesOf(
  values: readonly unknown[],
  where: string,
  { known, named, first }: { known?: readonly string[] | number; named: boolean; first: number },
): Places {
  const numbers = new Map<string, number>();
  const at = new Uint32Array(values.length);
  const fixed = typeof known === 'object' ? known : [];
  for (const name of fixed) numbers.set(name, numbers.size);
  values.forEach((value, e) => {
    if (value === null || value === undefined || value === '') throw new InputError(`${where} has no value in row ${e + 1} of the data.`);
    const text = value instanceof Date ? value.toISOString().replace(/T00:00:00\.000Z$/, '') : String(value);
    const found = numbers.get(text) ?? numbers.size;
    numbers.set(text, found);
    at[e] = found;
  });
  const counted = !named && [...numbers.keys()].slice(fixed.length).every((text) => /^\d{1,10}$/.test(text));
  // Names that are known are looked for as names first: those of years are numbers.
  if (typeof known === 'object' && (numbers.size === fixed.length || !counted)) {
    const other = [...numbers.keys()][fixed.length];
    if (other === undefined) return { at, size: fixed.length, entries: fixed };
    throw new InputError(`${where} has ${quoted(other)}, which is not among the ${fixed.length} entries that this mode has.`);
  }
  if (!counted) {
    if (known !== undefined)
      throw new InputError(`${where} has names, but the entries of this mode have none; give their numbers, from ${first} on.`);
    return { at, size: numbers.size, entries: [...numbers.keys()] };
  }
  const most = typeof known === 'object' ? fixed.length : known;
  const texts = [...numbers.keys()];
  let size = most ?? 0;
  at.forEach((number, e) => {
    const place = Number(texts[number]) - first;
    if (place < 0 || (most !== undefined && place >= most) || place >= 2 ** 32 - 1)
      throw new InputError(
        `${where} has ${texts[number]} in row ${e + 1} of the data, but ${most === undefined ? `places are counted from ${first}` : `the places of this mode are ${first} to ${most - 1 + first}`}.`,
      );
    at[e] = place;
    size = Math.max(size, place + 1);
  });
  return { at, size, ...(typeof known === 'object' && { entries: fixed }) };
}

function numberOf(value: unknown, where: string, e: number): number {
  const number = typeof value === 'string' && isDecimal(value) ? Number(value) : typeof value === 'boolean' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new InputError(
    `${where} has ${value === null ? 'no value' : quoted(String(value))} in row ${e + 1} of the data; the value of an entry is a number.`,
  );
}

/** Entries of one place as one, in the order in which they come first; sums are in f64. */
function addedUp(places: readonly Uint32Array[], values: readonly number[]) {
  const order = places.length;
  const at = values.map((_, e) => e);
  const compare = (a: number, b: number) => {
    for (const mode of places) if (mode[a] !== mode[b]) return mode[a] - mode[b];
    return a - b;
  };
  const inOrder = values.every((_, e) => e === 0 || compare(e - 1, e) < 0);
  if (!inOrder) at.sort(compare);
  const coordinates = new Uint32Array(order * values.length);
  const sums: number[] = [];
  at.forEach((e, i) => {
    if (i > 0 && places.every((mode) => mode[e] === mode[at[i - 1]])) {
      sums[sums.length - 1] += values[e];
      return;
    }
    places.forEach((mode, n) => {
      coordinates[order * sums.length + n] = mode[e];
    });
    sums.push(values[e]);
  });
  return { coordinates: coordinates.slice(0, order * sums.length), values: sums, repeated: values.length - sums.length };
}
