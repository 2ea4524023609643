/** All that a command touches of the process, and the one place where text goes to a terminal. */
import { CancelledError, InputError } from '../errors.js';

/** A stream to print on: `process.stdout`, or what a test put in its place. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** What a process gives to a command line. */
export interface ProcessIo {
  stdout: Output;
  stderr: Output;
  /** Standard input. It is read only where a command is told to. */
  stdin?: () => AsyncIterable<Uint8Array | string>;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** The same for commands, which can print nothing that a terminal would obey. */
export interface Io extends Omit<ProcessIo, 'stdout' | 'stderr'> {
  stdout: Printer;
  stderr: Printer;
  /** The words after the name of the command line. */
  argv: readonly string[];
}

export interface Printer {
  /** Whether progress can be shown on it. */
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  /** Prints text of lines, or JSON. */
  write(text: string): void;
  /** Prints lines for people, unless it is silent. A line break in one of them, from a name of somebody's, is no line break. */
  print(lines: readonly string[]): void;
  /** Passes on what would be the content of a file, as it is. A terminal gets text alone, and none that it would obey. */
  content(content: Uint8Array | string): void;
  /** From now on `print` prints nothing and no progress is shown. */
  silence(): void;
  /** The stream itself, for progress bars, which move the cursor. Nothing that was read from anywhere may go there. */
  readonly stream: Output;
  /** Waits until all is written, and returns the first error that writing met. */
  end(): Promise<NodeJS.ErrnoException | undefined>;
}

/** Control characters (C0, C1, DEL), and the marks that turn the direction of the text around them. */
const obeyed = /[\p{Cc}\p{Bidi_Control}]/gu;

/** The text with such characters as \u001b, which is the same in JSON; line breaks and tabs stay. */
export function visible(text: string): string {
  return text.replace(obeyed, (character) => (character === '\n' || character === '\t' ? character : escaped(character)));
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

export function printer(stream: Output): Printer {
  let failure: NodeJS.ErrnoException | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error;
  });
  const pass = (content: Uint8Array | string) => {
    if (failure === undefined) stream.write(content);
  };
  const write = (text: string) => pass(visible(text));
  let silent = false;
  return {
    stream,
    get isTTY() {
      return !silent && (stream.isTTY ?? false);
    },
    get columns() {
      return stream.columns;
    },
    write,
    print(lines) {
      if (!silent) write(`${lines.map((line) => line.replace(obeyed, escaped)).join('\n')}\n`);
    },
    content(content) {
      if (!stream.isTTY) pass(content);
      else if (typeof content === 'string') write(content);
      else throw new InputError('Standard output is a terminal, which cannot show this format; send it to a file or another program.');
    },
    silence() {
      silent = true;
    },
    async end() {
      if (failure === undefined) await new Promise<void>((resolve) => stream.write('', () => resolve()));
      return failure;
    },
  };
}

export function processIo(): ProcessIo {
  const interrupted = new AbortController();
  // Once: a second Ctrl-C meets the system's own handler, which ends the process on the spot.
  process.once('SIGINT', () => interrupted.abort());
  return { stdout: process.stdout, stderr: process.stderr, stdin: () => process.stdin, env: process.env, signal: interrupted.signal };
}

/** The result of `work`, or CancelledError as soon as the signal is aborted, without waiting for what is still running. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let cancel = () => {};
  const aborted = new Promise<never>((_, reject) => {
    cancel = () => reject(new CancelledError('Interrupted.'));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
