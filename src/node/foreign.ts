/**
 * Files that packages read. A damaged one may keep such a reader for ever, or have it ask for all memory; so it works in a thread of its own,
 * which is ended after a time that no sound file takes.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { InputError, OrthantError } from '../errors.js';
import type { FileContent, FileFormat, TableColumns } from '../formats/file-format.js';

export interface Question {
  /** Of the format. */
  name: string;
  bytes: Uint8Array;
  source: string;
  /** What is wanted: the matrix, or the columns of the table. */
  as: 'content' | 'columns';
}

export interface Answer {
  content?: FileContent;
  columns?: TableColumns;
  refused?: { message: string; row?: number; column?: number; isInput: boolean };
}

const thread = new URL('./foreign-thread.js', import.meta.url);

/** What the format reads, in a thread if it is a `foreign` one. As long as the package is not built there is none, and it is read here. */
export async function readContent(
  format: FileFormat,
  bytes: Uint8Array,
  source: string,
  { limitMs = timeFor(bytes) }: { limitMs?: number } = {},
): Promise<FileContent> {
  if (!format.foreign || !existsSync(thread)) return format.read(bytes, source);
  return (await answerTo({ name: format.name, bytes, source, as: 'content' }, limitMs)).content!;
}

/** The columns of a table in the same way. */
export async function readColumns(format: FileFormat, bytes: Uint8Array, source: string): Promise<TableColumns> {
  if (!format.foreign || !existsSync(thread)) return format.columns!(bytes, source);
  return (await answerTo({ name: format.name, bytes, source, as: 'columns' }, timeFor(bytes))).columns!;
}

const timeFor = (bytes: Uint8Array) => 20_000 + bytes.length / 1000;

async function answerTo(question: Question, limitMs: number): Promise<Answer> {
  const answer = await ask(question, limitMs);
  if (!answer.refused) return answer;
  const { message, row, column, isInput } = answer.refused;
  throw isInput ? new InputError(message, { row, column }) : new OrthantError(message);
}

function ask(question: Question, limitMs: number): Promise<Answer> {
  const { name, bytes, source } = question;
  // Values that are no typed arrays take some tens of bytes each, and some thousand a column.
  const maxOldGenerationSizeMb = 512 + Math.ceil(bytes.length / 10_000);
  const worker = new Worker(thread, { workerData: question, resourceLimits: { maxOldGenerationSizeMb }, stderr: true });
  return new Promise<Answer>((resolve, reject) => {
    const damaged = (why: string, cause?: unknown) =>
      reject(new InputError(`${source} is damaged, or no ${name} file: ${why}.`, { cause }));
    const timer = setTimeout(() => damaged(`reading it took more than ${Math.round(limitMs / 1000)} s`), limitMs);
    worker.once('message', resolve);
    worker.once('error', (error) => damaged('reading it took too much memory', error));
    worker.once('exit', () => {
      clearTimeout(timer);
      damaged('its reader ended early');
    });
  }).finally(() => worker.terminate());
}
