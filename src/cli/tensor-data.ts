/** Tensors that the command line reads, with what is known of their modes. */
import { checkNonnegativeTensor, type DataTensor, isSparseTensor } from '../data/tensors.js';
import { inWords, quoted } from '../data/words.js';
import { InputError } from '../errors.js';
import type { Mode } from '../formats/coordinates.js';
import { decodeText } from '../formats/file-format.js';
import { readBytes } from '../node/files.js';
import { readTensor } from '../node/tensor-file.js';
import { fromStandardInput, type StandardInput } from './standard-input.js';

/** What the options of a command say of the modes. */
export interface ModeOptions {
  /** A name for each mode. */
  modeNames?: string[];
  /** 'words=words.txt': the mode by its name or number, and a file with a name a line for its entries. */
  entries?: string[];
  /** Modes of a table whose numbers are names. */
  named?: string[];
  /** The number of the first entry of a mode in a table. */
  first?: number;
}

export interface TensorData {
  path: string;
  X: DataTensor;
  /** The entries that the file has, of a sparse tensor. */
  stored?: number;
  modes: Mode[];
  notes: string[];
}

/**
 * The tensor in a file, every entry of which is ≥ 0. `known` is what a model knows of the modes: the names of entries, or their number.
 */
export async function readTensorData(
  path: string,
  { modeNames, entries = [], named = [], first }: ModeOptions,
  input: StandardInput,
  known: readonly (readonly string[] | number | undefined)[] = [],
): Promise<TensorData> {
  const lists = await Promise.all(entries.map(readEntries));
  // The header of a table may have the names that the options use, so it is read twice where they are used: names of columns come first.
  const read = (options: { known: (readonly string[] | number | undefined)[]; named: number[] }) => {
    const one = (file: string) => readTensor(file, { ...options, ...(first !== undefined && { first }) });
    return path === '-' ? fromStandardInput(input, one) : one(path).then((found) => ({ ...found, path }));
  };
  const numbered = (text: string, order: number, names: readonly (string | undefined)[]) => modeCalled(text, order, names);
  let names: readonly (string | undefined)[] = modeNames ?? [];
  const byName = [...lists.map(({ mode }) => mode), ...named].some((mode) => !/^\d+$/.test(mode));
  if (byName && modeNames === undefined) {
    if (path === '-')
      throw new InputError('Modes of standard input are named by their numbers, from 0 on, unless --mode-names names them.', {
        option: 'entries',
      });
    names = (await readTensor(path, first === undefined ? {} : { first })).modes.map(({ name }) => name);
  }
  const most = names.length > 0 ? names.length : 6;
  const wanted = [...known];
  for (const { mode, names: list } of lists) wanted[numbered(mode, most, names)] = list;
  const content = await read({ known: wanted, named: named.map((mode) => numbered(mode, most, names)) });
  const { X, notes } = content;
  const order = X.shape.length;
  if (modeNames !== undefined && modeNames.length !== order)
    throw new InputError(`--mode-names has ${modeNames.length} names, but ${content.path} has ${order} modes; give one for each.`);
  const modes = content.modes.map((mode, n) => ({ ...mode, ...(modeNames && { name: modeNames[n] }) }));
  for (const { mode, names: list, file } of lists) {
    const n = numbered(
      mode,
      order,
      modes.map(({ name }) => name),
    );
    if (list.length !== X.shape[n])
      throw new InputError(
        `${file} has ${list.length} names, but mode ${mode} of ${content.path} has ${X.shape[n]} entries; give one a line for each.`,
      );
    modes[n] = { ...modes[n], entries: list };
  }
  checkTensorFile(X, content.path);
  return { path: content.path, X, modes, notes, ...(isSparseTensor(X) && { stored: X.values.length }) };
}

function checkTensorFile(X: DataTensor, path: string): void {
  try {
    checkNonnegativeTensor(X);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message.replace(/^X has/, `${path} has`), { cause: error });
  }
}

/** The number of a mode that is called so: by its name, or by its number from 0 on. */
export function modeCalled(text: string, order: number, names: readonly (string | undefined)[], option = 'mode'): number {
  const named = names.indexOf(text);
  if (named >= 0) return named;
  if (/^\d+$/.test(text) && Number(text) < order) return Number(text);
  const known = names.filter((name) => name !== undefined);
  throw new InputError(
    `There is no mode ${quoted(text)}: modes are 0 to ${order - 1}${known.length > 0 ? `, or ${inWords(known.map(quoted), 'or')}` : ''}.`,
    { option },
  );
}

async function readEntries(given: string): Promise<{ mode: string; file: string; names: string[] }> {
  const at = given.indexOf('=');
  if (at < 1 || at === given.length - 1)
    throw new InputError(`--entries must be a mode and a file, such as words=words.txt or 1=words.txt, not '${given}'.`);
  const [mode, file] = [given.slice(0, at), given.slice(at + 1)];
  const lines = decodeText(await readBytes(file), file).split(/\r\n|\n|\r/);
  if (lines[lines.length - 1] === '') lines.pop();
  const names = lines.map((line) => line.trim());
  const seen = new Map<string, number>();
  names.forEach((name, i) => {
    if (name === '') throw new InputError(`${file} has no name in line ${i + 1}; every entry of the mode needs one.`);
    const before = seen.get(name);
    if (before !== undefined)
      throw new InputError(`${file} has ${quoted(name)} in lines ${before} and ${i + 1}; give every entry its own name.`);
    seen.set(name, i + 1);
  });
  return { mode, file, names };
}
