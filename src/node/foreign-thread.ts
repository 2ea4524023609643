/** The thread in which foreign.ts has a file read. */
import { parentPort, workerData } from 'node:worker_threads';
import { isSparse } from '../data/sparse.js';
import { InputError } from '../errors.js';
import { formats } from '../formats/formats.js';
import type { Answer, Question, Task } from './foreign.js';
import { type OpenParquetFile, openParquetFile } from './parquet-file.js';

const { name, bytes, source } = workerData as Task;
const format = formats.find((one) => one.name === name)!;
let file: OpenParquetFile | undefined;

async function answer(question: Question): Promise<Answer> {
  try {
    if (question === 'columns') return { columns: await format.columns!(bytes!, source) };
    if (question === 'content') return { content: await format.read(bytes!, source) };
    file ??= await openParquetFile(source);
    if (question === 'ranges') return { ranges: file.shape };
    return { part: await file.part(question) };
  } catch (error) {
    const { message, row, column } = error as InputError;
    return { refused: { message: message ?? String(error), row, column, isInput: error instanceof InputError } };
  }
}

parentPort!.on('message', async (question: Question) => {
  const given = await answer(question);
  const X = given.content?.X ?? given.part;
  const moved = X === undefined ? [] : isSparse(X) ? [X.values, X.columns, X.rowStarts] : [X.data];
  parentPort!.postMessage(
    given,
    moved.map(({ buffer }) => buffer as ArrayBuffer),
  );
});
