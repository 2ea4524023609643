/** The data of the room Matrix and what was learned of them last. They stay in the worker. */
import type { InputError, SavedModel } from 'orthant';
import { inFile } from 'orthant/formats';
import type { Shape } from './matrix-pictures.js';
import { asFile, type Data, type Reading, type Source } from './matrix-read.js';

export interface FitRequest extends Shape {
  /** Whether it goes on from the factors that are there. */
  goOn: boolean;
  /** Files of options whose values are matrices or labels. */
  files: Readonly<Record<string, File>>;
  reading: Reading;
}

export const state: {
  data?: Data;
  model?: SavedModel;
  /** The labels that the model was fitted with. */
  labels?: { labels?: readonly string[]; truth?: readonly string[] };
  source?: Source;
  /** The layer that is drawn. */
  layer: number;
} = { layer: 0 };

/** What an error says to the page: which option or which entry is to blame. */
export interface Refusal {
  message: string;
  option?: string;
  cancelled: boolean;
}

/** `data` is the matrix that the error speaks of as X: its places are told as they lie in the file. */
export function refusalOf(error: unknown, data?: Data): Refusal {
  if (!(error instanceof Error)) return { message: String(error), cancelled: false };
  const { name, option } = error as InputError;
  const message = data && option === undefined ? inWordsOf(data, error as InputError) : error.message;
  return { message, option, cancelled: name === 'CancelledError' };
}

function inWordsOf(data: Data, { message, row, column }: InputError): string {
  if (row !== undefined && column !== undefined) return inFile({ message, row, column }, asFile(data));
  if ((row === undefined && column === undefined) || !message.includes(' has no value in all of ')) return message;
  const [line, at, name] = row === undefined ? ['sample', column!, data.samples?.[column!]] : ['feature', row, data.features?.[row]];
  const side = (line === 'sample') === (data.samplesAre === 'rows') ? 'row' : 'column';
  return `${data.name}: ${side} ${at + 1}${name ? ` (${name})` : ''} has no value at all, so nothing can be learned of that ${line}; leave it out.`;
}
