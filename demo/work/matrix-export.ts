/** What leaves the room Matrix as files, and models that come back. */
import { InputError, inverseTransform, isSparse, type Matrix, modelFiles, modelFromFiles, toDense, transpose } from 'orthant';
import { encodeCsv, encodeNpy, type FactorForm, factorFiles } from 'orthant/formats';
import { type Learned, learnedOf } from './matrix.js';
import { type Data, withoutMissing } from './matrix-read.js';
import { state } from './matrix-state.js';

export type Files = Record<string, Uint8Array | string>;

function theModel() {
  if (!state.model) throw new InputError('There is no model yet; start a fit first.');
  return state.model;
}

/** The model in the format of the package. `settings` says how it was made. */
export function modelExport(settings: Record<string, unknown>): Files {
  return modelFiles(theModel(), { settings });
}

/** The factors alone, for other programs. */
export function factorsExport(form: FactorForm): Promise<Files> {
  return factorFiles(theModel(), form);
}

/** What only the page knows of a fit. */
export interface Origin {
  device: string;
  /** The command line that repeats it, and its options; of a model from a file there are none. */
  command?: string;
  settings: Record<string, unknown>;
}

/** The page that `orthant fit --report` writes. */
export async function reportExport({ device, command, settings }: Origin): Promise<{ name: string; content: string }> {
  const { data, labels } = state;
  const model = theModel();
  if (!data) throw new InputError('A report needs the data, and this model was opened without them; read its matrix first.');
  const { reportData, reportPage, reportParts } = await import('orthant/report');
  const { X, weights } = withoutMissing(data.X);
  const gone = weights ? weights.data.reduce((sum, weight) => sum + (weight === 0 ? 1 : 0), 0) : 0;
  const { method, ranks, seed, iterations, stopReason, kktResidual, elapsedMs, restart, restartErrors } = model;
  const page = reportData({
    title: data.name,
    model,
    X,
    features: data.features,
    samples: data.samples,
    ...labels,
    facts: [
      ['KKT residual', kktResidual.toExponential(1)],
      ['iterations', `${iterations} (${stopReason})`],
      ['restarts', restartErrors.length === 1 ? '1' : `${restartErrors.length}, kept number ${restart + 1}`],
      ['time', `${(elapsedMs / 1000).toFixed(1)} s`],
    ],
    settings: { method, ranks, seed, ...settings },
    origin: [
      ['device', device],
      ['made by', 'the page of orthant'],
      ['made', `${new Date().toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ],
    command,
    notes: [
      ...data.notes,
      ...(gone > 0
        ? [`${gone} of ${X.rows * X.cols} entries are missing: the error is that of the others, and the picture of X has 0 there.`]
        : []),
    ],
  });
  return { name: `${stemOf(data)}.html`, content: reportPage(page, await reportParts()) };
}

/** The matrix as it was read, or with its missing values filled in from the model; it lies as its file did. */
export function matrixExport(what: 'read' | 'filled', form: 'csv' | 'npy'): { name: string; content: Uint8Array | string } {
  const { data } = state;
  if (!data) throw new InputError('There are no data yet; drop a file, or take an example.');
  const X = what === 'filled' ? filled() : isSparse(data.X) ? toDense(data.X) : data.X;
  const rowsAreSamples = data.samplesAre === 'rows';
  const lying = rowsAreSamples ? transpose(X) : X;
  const [rowNames, columnNames] = rowsAreSamples ? [data.samples, data.features] : [data.features, data.samples];
  const name = `${stemOf(data)}${what === 'filled' ? '-filled' : ''}.${form}`;
  return { name, content: form === 'npy' ? encodeNpy(lying) : encodeCsv(lying, { rowNames, columnNames }) };
}

/** The name of the data without its ending. */
const stemOf = ({ name }: Data) =>
  name
    .replace(/\.gz$/, '')
    .replace(/\.\w+$/, '')
    .replaceAll(' ', '-');

/** X with X̂ where X has no value. */
function filled(): Matrix {
  const { data } = state;
  const model = theModel();
  if (!data) throw new InputError('There are no data yet; drop a file, or take an example.');
  if (isSparse(data.X)) return toDense(data.X);
  const reconstruction = inverseTransform(model, model.S[model.S.length - 1]);
  return { ...data.X, data: data.X.data.map((x, at) => (Number.isNaN(x) ? reconstruction.data[at] : x)) };
}

/** The model in an archive that `modelExport` made. It belongs to the data that are here, if there are any. */
export async function modelImport(file: File): Promise<Learned> {
  const { unzipSync } = await import('fflate');
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    throw new InputError(`${file.name} is no .zip archive, or damaged; give one that holds model.json and factors.safetensors.`, {
      cause: error,
    });
  }
  const place = Object.keys(entries).find((path) => /(^|\/)model\.json$/.test(path));
  if (place === undefined)
    throw new InputError(`${file.name} holds no model.json; give the archive of a model, with model.json and factors.safetensors.`);
  const folder = place.slice(0, -'model.json'.length);
  const model = await modelFromFiles(async (name) => {
    const bytes = entries[folder + name];
    if (!bytes) throw new InputError(`${file.name} holds no ${name}.`);
    return bytes;
  });
  const { data } = state;
  const [rows, cols] = [model.A[0].rows, model.S[0].cols];
  if (data && (data.X.rows !== rows || (cols > 0 && data.X.cols !== cols)))
    throw new InputError(
      `The model in ${file.name} is of ${rows} features and ${cols} samples, but the data here have ${data.X.rows} and ${data.X.cols}; read its own data first.`,
    );
  state.model = model;
  state.labels = undefined;
  return learnedOf(data ?? { image: model.image }, model);
}
