/** The thread in which foreign.ts has a file read. */
import { parentPort, workerData } from 'node:worker_threads';
import { isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { formats } from '../formats/formats.js';
import type { Answer, Question } from './foreign.js';

const { name, bytes, source, as } = workerData as Question;
const format = formats.find((one) => one.name === name)!;

async function answer(): Promise<Answer> {
  try {
    return as === 'columns' ? { columns: await format.columns!(bytes, source) } : { content: await format.read(bytes, source) };
  } catch (error) {
    const { message, row, column } = error as InputError;
    return { refused: { message: message ?? String(error), row, column, isInput: error instanceof InputError } };
  }
}

const given = await answer();
const X = given.content?.X;
const moved = X === undefined ? [] : isSparse(X) ? [X.values, X.columns, X.rowStarts] : [X.data];
parentPort!.postMessage(
  given,
  moved.map(({ buffer }) => buffer as ArrayBuffer),
);
