/**
 * Files that packages read. A damaged one may keep such a reader for ever, or have it ask for all memory; so it works in a thread of its own,
 * which is ended after a time that no sound file takes.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Matrix } from '../data/matrix.js';
import { InputError, OrthantError } from '../errors.js';
import type { FileContent, FileFormat, TableColumns } from '../formats/file-format.js';

/** What a thread is for: a file of a format, whose bytes it gets, or that it opens itself to answer for ranges of it. */
export interface Task {
  /** Of the format. */
  name: string;
  source: string;
  bytes?: Uint8Array;
}

/** What is wanted: the matrix, the columns of the table, the shape of a file to be read by ranges, or such a range. */
export type Question = 'content' | 'columns' | 'ranges' | { of: 'rows' | 'columns'; from: number; to: number };

/** Of a file that is read by ranges. */
export interface RangesShape {
  rows: number;
  columns: number;
  groupEnds: number[];
  rowNames?: readonly string[];
  columnNames?: readonly string[];
}

export interface Answer {
  content?: FileContent;
  columns?: TableColumns;
  ranges?: RangesShape;
  part?: Matrix;
  refused?: { message: string; row?: number; column?: number; isInput: boolean };
}

const thread = new URL('./foreign-thread.js', import.meta.url);

/** Whether threads can be had. As long as the package is not built there is none, and files are read in this one. */
export const haveThreads = (): boolean => existsSync(thread);

/** What the format reads, in a thread if it is a `foreign` one. */
export async function readContent(
  format: FileFormat,
  bytes: Uint8Array,
  source: string,
  { limitMs = timeFor(bytes.length) }: { limitMs?: number } = {},
): Promise<FileContent> {
  if (!format.foreign || !haveThreads()) return format.read(bytes, source);
  return (await answerOnce({ name: format.name, bytes, source }, 'content', limitMs)).content!;
}

/** The columns of a table in the same way. */
export async function readColumns(format: FileFormat, bytes: Uint8Array, source: string): Promise<TableColumns> {
  if (!format.foreign || !haveThreads()) return format.columns!(bytes, source);
  return (await answerOnce({ name: format.name, bytes, source }, 'columns', timeFor(bytes.length))).columns!;
}

async function answerOnce(task: Task, question: Question, limitMs: number): Promise<Answer> {
  const { ask, end } = foreignThread(task, task.bytes!.length);
  try {
    return await ask(question, limitMs);
  } finally {
    await end();
  }
}

/** The longest that a sound file of so many bytes takes. */
const timeFor = (bytes: number) => 20_000 + bytes / 1000;

export interface ForeignThread {
  /** The answer to a question, one after the other. Throws InputError for a file that cannot be read, or not within the time. */
  ask(question: Question, limitMs?: number): Promise<Answer>;
  end(): Promise<void>;
}

/** A thread that reads a file of so many bytes. */
export function foreignThread(task: Task, size: number): ForeignThread {
  const { name, source } = task;
  // Values that are no typed arrays take some tens of bytes each, and some thousand a column.
  const maxOldGenerationSizeMb = 512 + Math.ceil(size / 10_000);
  const worker = new Worker(thread, { workerData: task, resourceLimits: { maxOldGenerationSizeMb }, stderr: true });
  let failed: ((why: string, cause?: unknown) => void) | undefined;
  let answered: ((answer: Answer) => void) | undefined;
  let over: { why: string; cause?: unknown } | undefined;
  const fail = (why: string, cause?: unknown) => {
    over ??= { why, cause };
    failed?.(why, cause);
  };
  worker.on('message', (answer: Answer) => answered?.(answer));
  worker.once('error', (error) => fail('reading it took too much memory', error));
  worker.once('exit', () => fail('its reader ended early'));
  worker.unref();
  let last: Promise<unknown> = Promise.resolve();
  async function next(question: Question, limitMs: number): Promise<Answer> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    worker.ref();
    const answer = await new Promise<Answer>((resolve, reject) => {
      failed = (why, cause) => reject(new InputError(`${source} is damaged, or no ${name} file: ${why}.`, { cause }));
      answered = resolve;
      if (over) return failed(over.why, over.cause);
      timer = setTimeout(() => {
        fail(`reading it took more than ${Math.round(limitMs / 1000)} s`);
        void worker.terminate();
      }, limitMs);
      worker.postMessage(question);
    }).finally(() => {
      clearTimeout(timer);
      [failed, answered] = [undefined, undefined];
      worker.unref();
    });
    if (!answer.refused) return answer;
    const { message, row, column, isInput } = answer.refused;
    throw isInput ? new InputError(message, { row, column }) : new OrthantError(message);
  }
  return {
    ask(question, limitMs = timeFor(size)) {
      const answer = last.then(() => next(question, limitMs));
      last = answer.catch(() => undefined);
      return answer;
    },
    async end() {
      await worker.terminate();
    },
  };
}
