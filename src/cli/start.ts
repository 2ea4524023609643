/** The option --start: a word of the method, or a folder of factors, whose rows and columns are put in the order of the data. */
import { type Command, Option } from 'commander';
import { type Matrix, transpose } from '../data/matrix.js';
import { inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { type Factorization, type Method, methodOf } from '../methods/methods.js';
import { ranksOfStart, type StartFactors } from '../methods/start.js';
import { orderOf, rowsInOrder } from '../models/align.js';
import { isStartFolder, readStart, type StartFolder } from '../node/start-folder.js';

/** The help of the part of --start that every method has. */
export const startHelp = 'or a folder of factors to begin with: a model, or A0.npy, S0.npy, …';

/** The option for a command of one method. */
export function startOption(method: Method): Option {
  const { help, values = [], default: byDefault } = methodOf(method).options.start;
  return new Option('--start <name>', `${help}; default ${byDefault}; ${startHelp}`).choices(values.map(String)).argParser((text) => text);
}

/** The folder that --start names; undefined where it is a word of the method, or was not given. Throws InputError for neither. */
export async function startFolder(start: unknown, method: Method): Promise<StartFolder | undefined> {
  if (typeof start !== 'string') return undefined;
  const values = (methodOf(method).options.start.values ?? []).map(String);
  if (values.includes(start)) return undefined;
  if (await isStartFolder(start)) return readStart(start);
  throw new InputError(
    `--start of ${method} must be ${inWords([...values, 'a folder of factors'], 'or')}, and there is no folder '${start}'.`,
    { option: 'start' },
  );
}

/**
 * The ranks of a fit, and its restarts: those that were asked for, else those of the start, and 1 where every restart would begin alike.
 * Ends the command where ranks are missing.
 */
export function ranksAndRestarts(
  command: Command,
  { ranks, restarts }: { ranks?: number[]; restarts?: number },
  start: unknown,
  folder: StartFolder | undefined,
  method: Method,
): { ranks: number[]; restarts?: number } {
  const found = ranks ?? ranksOfStart(undefined, folder?.factors, methodOf(method).layers);
  if (found === undefined) command.error("error: required option '--ranks <list>' not specified");
  const single = folder !== undefined || start === 'nndsvd' || start === 'nndsvda';
  const asked = command.getOptionValueSource('restarts') === 'cli';
  return { ranks: [found].flat() as number[], restarts: single && !asked ? 1 : restarts };
}

/** The data of a fit, as far as names go. */
interface NamedData {
  path: string;
  features?: readonly string[];
  sampleNames?: readonly string[];
  notes: string[];
}

/**
 * The factors in the order of the data, where both have names, which a note says. S that the method does not begin with is left out.
 *
 * @throws InputError where the names are not the same.
 */
export function startInOrder(
  { path, factors, features, samples }: StartFolder,
  data: NamedData,
  method: Method,
  what = 'features',
): StartFactors {
  const { factors: used = [] } = methodOf(method).options.start;
  const moved = { ...factors };
  const note = (which: string) =>
    data.notes.push(`The ${which} of ${path} stand in another order than those of ${data.path}; they were put into that order.`);
  const rows = features && data.features && orderOf({ names: features, of: path }, { names: data.features, of: data.path }, { what });
  if (rows && factors.A) {
    moved.A = factors.A.map((A, l) => (l === 0 || method === 'unfolded' ? rowsInOrder(A, rows) : A));
    note(what);
  }
  if (!used.includes('S')) return { ...moved, S: moved.A ? undefined : moved.S } as StartFactors;
  const named = factors.S !== undefined && factors.S[0].cols > 0 && samples && data.sampleNames;
  const advice = 'Give the same samples, or a folder with A alone';
  const columns = named && orderOf({ names: samples, of: path }, { names: data.sampleNames!, of: data.path }, { what: 'samples', advice });
  if (columns) {
    moved.S = factors.S!.map((S) => columnsInOrder(S, columns, path));
    note('samples');
  }
  return moved as StartFactors;
}

function columnsInOrder(S: Matrix, order: readonly number[], path: string): Matrix {
  if (S.cols === order.length) return transpose(rowsInOrder(transpose(S), order));
  throw new InputError(`The samples of ${path} stand in another order, and a layer has pooled them; give the same order.`);
}

/** A sentence about zeros that a fit could not leave. */
export function startNotes(start: unknown, { method, settings }: Factorization): string[] {
  const stays = start === 'nndsvd' && 'solver' in settings && [settings.solver].flat().includes('mu');
  return stays ? [`With --start nndsvd entries that begin at 0 stay 0 in ${method} with mu; nndsvda fills them.`] : [];
}
