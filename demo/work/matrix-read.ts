/** Matrices of the room Matrix: from files, pictures, sounds and examples, columns are samples, NaN where a value is missing. */
import { type DataMatrix, InputError, isSparse, type Matrix, matrix } from 'orthant';
import { type ImageSize, type MatrixFile, parseMatrix, type TableOptions } from 'orthant/formats';
import { exampleMatrix } from './matrix-examples.js';
import { cutPicture, type Grey, greyOf, pictureColumns } from './pictures-read.js';
import { magnitudes } from './stft.js';

/** The way in which files are read. */
export interface Reading extends TableOptions {
  samples?: 'rows' | 'columns';
  /** Of pictures: the longest side that they are scaled down to. */
  side?: number;
  /** Of one picture: the side of a patch, in pixels. */
  patch?: number;
  /** Of a sound: samples of a window, and from one window to the next. */
  window?: number;
  hop?: number;
}

/** A sound, as the page decoded it: one channel. */
export interface Sound {
  name: string;
  entries: Float32Array;
  /** Samples a second. */
  rate: number;
}

export type Source =
  | { kind: 'table'; file: File }
  | { kind: 'pictures'; files: readonly File[] }
  | { kind: 'sound'; sound: Sound }
  | { kind: 'example'; name: string };

export interface Data {
  /** Features × samples. */
  X: DataMatrix;
  name: string;
  kind: Source['kind'];
  features?: readonly string[];
  samples?: readonly string[];
  notes: readonly string[];
  /** The place of a sample in the file. */
  samplesAre: 'rows' | 'columns';
  /** Whether the format says where samples are, so that nobody can choose. */
  fixed: boolean;
  image?: ImageSize;
  /** Whether the columns are patches of one picture. */
  patches?: boolean;
  /** Of a spectrogram: the frequency of the last row in Hz, and the seconds from one column to the next. */
  sound?: { highest: number; step: number };
}

/** Whether a name is that of a table of text, which takes TableOptions. */
export const isTable = (name: string) => /\.(csv|tsv|txt)(\.gz)?$/i.test(name);

export async function readSource(source: Source, reading: Reading): Promise<Data> {
  if (source.kind === 'table') return readTable(source.file, reading);
  if (source.kind === 'pictures') return readPictures(source.files, reading);
  if (source.kind === 'sound') return readSound(source.sound, reading);
  const { X, features, samples, image, note } = exampleMatrix(source.name);
  return { X, name: source.name, kind: 'example', features, samples, image, notes: [note], samplesAre: 'columns', fixed: true };
}

/** Throws InputError for a file without a byte, in the words of the command line. */
export function checkNotEmpty(name: string, { size }: File): void {
  if (size === 0) throw new InputError(`The file '${name}' is empty.`);
}

/** A matrix in a file of any format of the package. */
export async function readMatrixFile(file: File, { samples = 'rows', ...reading }: Reading) {
  const { side, patch, window, hop, ...table } = reading;
  checkNotEmpty(file.name, file);
  return parseMatrix(new Uint8Array(await file.arrayBuffer()), file.name, { samples, ...(isTable(file.name) ? table : {}) });
}

async function readTable(file: File, reading: Reading): Promise<Data> {
  const { samples = 'rows' } = reading;
  const read = await readMatrixFile(file, reading);
  const { X, features, samples: names, weights, notes = [], samplesAre, image } = read;
  if (weights && !isSparse(X)) for (let at = 0; at < X.data.length; at++) if (weights.data[at] === 0) X.data[at] = Number.NaN;
  return {
    X,
    name: file.name,
    kind: 'table',
    features,
    samples: names,
    notes,
    samplesAre: samplesAre ?? samples,
    fixed: samplesAre !== undefined,
    image,
  };
}

async function readPictures(files: readonly File[], { side = 64, patch = 8 }: Reading): Promise<Data> {
  const base = { kind: 'pictures' as const, samplesAre: 'columns' as const, fixed: true };
  if (files.length === 1) {
    const { name } = files[0];
    const { X, image, samples, note } = cutPicture(await greyOf(files[0], 512), patch, name);
    return { ...base, X, name, image, samples, features: pixelNames(image), notes: [note], patches: true };
  }
  const greys: Grey[] = [];
  for (const file of files) greys.push(await greyOf(file, side));
  const { X, image, notes } = pictureColumns(greys);
  const names = files.map(({ name }) => name.replace(/\.\w+$/, ''));
  return { ...base, X, name: `${files.length} pictures`, image, samples: names, features: pixelNames(image), notes };
}

function pixelNames({ width, height }: ImageSize): string[] {
  return Array.from({ length: width * height }, (_, at) => `row ${Math.floor(at / width) + 1}, column ${(at % width) + 1}`);
}

function readSound({ name, entries, rate }: Sound, { window = 1024, hop = 512 }: Reading): Data {
  const X = magnitudes(entries, window, hop, name);
  const hertz = (i: number) => (i * rate) / window;
  return {
    X,
    name,
    kind: 'sound',
    features: Array.from({ length: X.rows }, (_, i) => `${Math.round(hertz(i))} Hz`),
    samples: Array.from({ length: X.cols }, (_, j) => `${((j * hop) / rate).toFixed(2)} s`),
    notes: [`Magnitudes of windows of ${window} samples, ${hop} apart, at ${rate} samples a second.`],
    samplesAre: 'columns',
    fixed: true,
    sound: { highest: hertz(X.rows - 1), step: hop / rate },
  };
}

/** The data as the file that they came from, for messages. */
export const asFile = ({ X, name, samplesAre, features, samples }: Data): MatrixFile => ({
  path: name,
  X,
  samples: samplesAre,
  features,
  sampleNames: samples,
});

/** X without NaN, and weights of 0 where it was; no weights where nothing is missing. */
export function withoutMissing(X: DataMatrix): { X: DataMatrix; weights?: Matrix } {
  if (isSparse(X) || !X.data.some(Number.isNaN)) return { X };
  const weights = matrix(X.rows, X.cols);
  const known = matrix(X.rows, X.cols);
  for (let at = 0; at < X.data.length; at++) {
    if (Number.isNaN(X.data[at])) continue;
    weights.data[at] = 1;
    known.data[at] = X.data[at];
  }
  return { X: known, weights };
}
