/** The room Matrix, in the worker: the data and the model stay here, and the page gets what it shows. */
import {
  type Factorization,
  type FitOptions,
  factorize,
  InputError,
  isSparse,
  type Matrix,
  type Method,
  type MethodInfo,
  methodList,
  type SavedModel,
  svdBounds,
} from 'orthant';
import { parseLabels } from 'orthant/formats';
import { type Check, type Factors, type FitEvent, runFit } from './fits.js';
import {
  asModel,
  levelErrors,
  type Picture,
  partOf,
  partsOf,
  pictureOf,
  reconstructionOf,
  type Shape,
  type View,
} from './matrix-pictures.js';
import { type Data, type Reading, readMatrixFile, readSource, type Source } from './matrix-read.js';
import { type FitRequest, type Refusal, refusalOf, state } from './matrix-state.js';

export type { FitRequest, Refusal } from './matrix-state.js';

export const methods = (): MethodInfo[] => methodList();

/** The data in numbers, and their picture. */
export interface Facts extends Pick<Data, 'name' | 'kind' | 'notes' | 'samplesAre' | 'fixed' | 'image' | 'patches' | 'sound'> {
  rows: number;
  cols: number;
  /** The stored entries of a sparse matrix. */
  stored?: number;
  missing: number;
  zeros: number;
  least: number;
  most: number;
  features?: readonly string[];
  samples?: readonly string[];
  X: Picture;
}

/** Entries that the page draws: more at rest than on the way. */
const [mostAtRest, mostOnTheWay] = [2 ** 18, 2 ** 16];

export async function read(source: Source | undefined, reading: Reading): Promise<Facts | { refused: Refusal }> {
  const from = source ?? state.source;
  let data: Data;
  try {
    if (!from) throw new InputError('There are no data to read yet.');
    data = await readSource(from, reading);
  } catch (error) {
    return { refused: refusalOf(error) };
  }
  state.source = from;
  state.data = data;
  state.model = undefined;
  return factsOf(data);
}

function factsOf({ X, features, samples, ...rest }: Data): Facts {
  const { rows, cols } = X;
  const values = isSparse(X) ? X.values : X.data;
  let [missing, zeros, least, most] = [
    0,
    isSparse(X) ? rows * cols - values.length : 0,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (const x of values) {
    if (Number.isNaN(x)) missing++;
    else {
      if (x === 0) zeros++;
      if (x < least) least = x;
      if (x > most) most = x;
    }
  }
  if (isSparse(X) && values.length < rows * cols) [least, most] = [Math.min(least, 0), Math.max(most, 0)];
  return {
    ...rest,
    rows,
    cols,
    stored: isSparse(X) ? values.length : undefined,
    missing,
    zeros,
    least,
    most,
    features,
    samples,
    X: pictureOf(X, mostAtRest),
  };
}

/** Factors as the page shows them. */
export interface Drawing {
  layer: number;
  errors: (number | null)[];
  reconstruction?: Picture;
  A: Picture;
  S?: Picture;
  /** Of pictures and sounds: the columns of the layer in data space. */
  parts?: Matrix;
}

export interface Learned {
  method: Method;
  ranks: number[];
  layers: { rank: number; relativeError: number; svdBound: number | null }[];
  iterations: number;
  converged: boolean;
  stopReason: string;
  restart: number;
  seed: number;
  accuracy?: { labelled: number; unlabelled: number | null };
  seconds: number;
  drawing: Drawing;
}

/** Multiplications of a Gram matrix for the bound before a fit, a fraction of a second; others have it at the end. */
const boundAtOnce = 2 ** 28;

/** The bounds of these ranks where they hold and are cheap; null elsewhere. */
function boundsBefore({ X }: Data, ranks: readonly number[], { weights }: Readonly<Record<string, unknown>>): (number | null)[] {
  const [few, many] = [Math.min(X.rows, X.cols), Math.max(X.rows, X.cols)];
  const gone = weights !== undefined || (!isSparse(X) && X.data.some(Number.isNaN));
  if (gone || few * few * many > boundAtOnce) return ranks.map(() => null);
  return svdBounds(X, ranks).values;
}

export async function fit(
  request: FitRequest,
  id: number,
  hear: (event: FitEvent) => void,
  begin: (ranks: number[], bounds: (number | null)[]) => void,
  draw: (drawing: Drawing, check: Check) => void,
): Promise<Learned | { refused: Refusal }> {
  const { data, model: before } = state;
  try {
    if (!data) throw new InputError('There are no data yet; drop a file, or take an example.');
    const { method, goOn } = request;
    const options: FitOptions & Record<string, unknown> = { ...request.options, ...(await filesOf(request, data)) };
    if (goOn) Object.assign(options, { start: before, restarts: 1 }); // every restart would begin alike
    const info = methodList().find(({ name }) => name === method);
    const given = goOn ? (before?.ranks ?? []) : [options.ranks ?? []].flat();
    // The checks of the fit itself come first: a bound of ranks that cannot be says nothing.
    const fits = given.every((rank) => Number.isInteger(rank) && rank >= 1 && rank <= Math.min(data.X.rows, data.X.cols));
    const shape = { method, options };
    state.layer = Math.min(state.layer, Math.max(0, given.length - 1));
    const fitted = await runFit(
      (engine, hooks) => {
        if (fits && given.length > 0 && options.svdBound !== false && !info?.signed.X)
          begin([...given], boundsBefore(data, given, options));
        else
          begin(
            [...given],
            given.map(() => null),
          );
        return factorize(engine, data.X, method, { ...options, ...hooks });
      },
      {
        id,
        hear,
        draw: (factors, check) => draw(drawingOf(data, shape, factors, mostOnTheWay), check),
      },
    );
    const { features, samples, image } = data;
    const { labels, truth } = options as NonNullable<typeof state.labels>;
    state.labels = { labels, truth };
    state.model = { ...fitted, ...(features && { features }), ...(samples && { samples }), ...(image && { image }) };
    return learnedOf(data, state.model);
  } catch (error) {
    return { refused: refusalOf(error, data) };
  }
}

/** The options whose values are in files. */
async function filesOf({ files, reading }: FitRequest, { X, samples }: Data): Promise<Record<string, unknown>> {
  const given: Record<string, unknown> = {};
  for (const [option, file] of Object.entries(files)) {
    try {
      if (option === 'weights') {
        const { X: weights } = await readMatrixFile(file, reading);
        given[option] = weights;
      } else given[option] = parseLabels(await file.text(), X.cols, file.name, samples);
    } catch (error) {
      if (error instanceof InputError) throw new InputError(error.message, { option, cause: error });
      throw error;
    }
  }
  return given;
}

function drawingOf(data: Data, shape: Shape, factors: Factors, most: number): Drawing {
  const model = asModel(shape, factors);
  return { ...drawn(data, model, most), errors: levelErrors(data.X, model) };
}

function drawn({ image, sound }: Partial<Data>, model: Factorization, most: number): Omit<Drawing, 'errors'> {
  const layer = Math.min(state.layer, model.S.length - 1);
  const A = model.A[Math.min(layer, model.A.length - 1)];
  const applied = model.S[layer].cols > 0;
  return {
    layer,
    reconstruction: applied ? reconstructionOf(model, layer, most) : undefined,
    A: pictureOf(A, most),
    S: applied ? pictureOf(model.S[layer], most) : undefined,
    parts: image || sound ? partsOf(model, layer) : undefined,
  };
}

/** A model as the page shows it; `data` is what it was fitted to, as far as that is known. */
export function learnedOf(data: Partial<Data>, model: SavedModel): Learned {
  const { method, ranks, layers, iterations, converged, stopReason, restart, supervision, elapsedMs, seed } = model;
  const { accuracy } = supervision ?? {};
  return {
    method,
    ranks,
    layers,
    iterations,
    converged,
    stopReason,
    restart,
    seed,
    accuracy: accuracy && { labelled: accuracy.labelled, unlabelled: accuracy.unlabelled },
    seconds: elapsedMs / 1000,
    drawing: { ...drawn(data, model, mostAtRest), errors: layers.map(({ relativeError }) => relativeError) },
  };
}

/** Chooses the layer that drawings are of, and draws it where a model is there. */
export function show(layer: number): Drawing | undefined {
  state.layer = layer;
  const { data, model } = state;
  return model && learnedOf(data ?? { image: model.image }, model).drawing;
}

/** The entries of a part of what is shown. */
export function part(what: 'X' | 'reconstruction' | 'A' | 'S', view: View): Matrix | undefined {
  const { data, model, layer } = state;
  if (what === 'X') return data && partOf(data.X, view);
  if (!model) return undefined;
  const l = Math.min(layer, model.S.length - 1);
  if (what === 'A') return partOf(model.A[Math.min(l, model.A.length - 1)], view);
  if (what === 'S') return partOf(model.S[l], view);
  const { row, column, rows, cols } = view;
  const A0 = partOf(model.A[0], { row, rows, column: 0, cols: model.A[0].cols });
  const S = partOf(model.S[l], { row: 0, rows: model.S[l].rows, column, cols });
  return reconstructionOf({ ...model, A: [A0, ...model.A.slice(1)], S: model.S.with(l, S) } as Factorization, l, Number.POSITIVE_INFINITY)
    ?.entries;
}
