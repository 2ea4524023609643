/** Rows or columns that have names, put into the order of others. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import { isSparse, sparseFromEntries } from '../data/sparse.js';
import { inWords, shortened } from '../data/words.js';
import { InputError } from '../errors.js';
import type { TextModel } from '../text/text-model.js';

/** Who has which names, for messages. */
export interface Named {
  names: readonly string[];
  /** What has them, such as 'new.csv'. */
  of: string;
}

/** The names of the features of a model: its own, else the terms of its texts. Undefined where it has none. */
export function featureNames({ features, text }: { features?: readonly string[]; text?: TextModel }): readonly string[] | undefined {
  return features ?? text?.terms;
}

/**
 * New data with its rows, those of weights too, in the order of the features of a model; undefined where they stand so, or where the data
 * or the model has no names. Every comparison of the features of new data with those of a model is this one.
 *
 * @param data X and its weights; `features` are the names of the rows, and `of` says in messages what has them.
 * @throws InputError where the features are not the same.
 */
export function inOrderOf<M extends DataMatrix>(
  { X, weights, features, of }: { X: M; weights?: Matrix; features?: readonly string[]; of: string },
  model: { features?: readonly string[]; text?: TextModel },
  ofModel: string,
): { X: M; weights?: Matrix } | undefined {
  const wanted = featureNames(model);
  if (features === undefined || wanted === undefined) return undefined;
  const advice = model.text && 'Texts take the rows of the model by its vocabulary: termDocumentMatrix(texts, { vocabulary: model.text })';
  const order = orderOf({ names: features, of }, { names: wanted, of: ofModel }, { advice });
  return order && { X: rowsInOrder(X, order), weights: weights && rowsInOrder(weights, order) };
}

/**
 * For each name of `wanted` its place in `given`; undefined where they are the same in the same order. Throws InputError where a name is
 * missing, not known, or there twice, with some of these names.
 */
export function orderOf(
  given: Named,
  wanted: Named,
  { what = 'features', advice = `Give the same ${what}` }: { what?: string; advice?: string } = {},
): number[] | undefined {
  if (given.names.length === wanted.names.length && given.names.every((name, at) => name === wanted.names[at])) return undefined;
  const places = new Map(given.names.map((name, at) => [name, at]));
  const known = new Set(wanted.names);
  const missing = [...known].filter((name) => !places.has(name));
  const unknown = [...places.keys()].filter((name) => !known.has(name));
  const faults = [
    ...(missing.length > 0 ? [`it lacks ${some(missing)}`] : []),
    ...(unknown.length > 0 ? [`${wanted.of} does not know ${some(unknown)}`] : []),
  ];
  if (faults.length > 0)
    throw new InputError(`The ${what} of ${given.of} are not those of ${wanted.of}: ${inWords(faults)}. ${advice}.`, {
      option: what === 'features' ? what : undefined,
    });
  for (const { names, of } of [given, wanted]) {
    const twice = names.find((name, at) => names.indexOf(name, at + 1) >= 0);
    if (twice !== undefined)
      throw new InputError(
        `The ${what} of ${given.of} stand in another order than those of ${wanted.of}, and ${of} has ${shortened(twice)} more than once; give the same order.`,
      );
  }
  return wanted.names.map((name) => places.get(name)!);
}

function some(names: readonly string[]): string {
  const first = names.slice(0, 4).map((name) => (name === '' ? 'one without a name' : shortened(name, 40)));
  return names.length > 4 ? `${first.join(', ')} and ${names.length - 4} more` : inWords(first);
}

/** Row i of the result is row order[i] of X. */
export function rowsInOrder<M extends DataMatrix>(X: M, order: readonly number[]): M {
  if (isSparse(X)) {
    const to = new Uint32Array(X.rows);
    order.forEach((from, row) => {
      to[from] = row;
    });
    const rows = new Uint32Array(X.values.length);
    for (let i = 0; i < X.rows; i++) rows.fill(to[i], X.rowStarts[i], X.rowStarts[i + 1]);
    return sparseFromEntries(X.rows, X.cols, { rowIndices: rows, columns: X.columns, values: X.values }) as M;
  }
  const data = new Float32Array(X.data.length);
  order.forEach((from, row) => {
    data.set(X.data.subarray(from * X.cols, (from + 1) * X.cols), row * X.cols);
  });
  return { ...X, data };
}
