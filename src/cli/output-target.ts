/** Where `transform` and `predict` put their result: a file, or standard output (-), where messages then go to standard error. */
import { Option } from 'commander';
import { InputError } from '../errors.js';
import type { FileFormat } from '../formats/file-format.js';
import { formats } from '../formats/formats.js';
import { encoderFor } from '../node/files.js';
import { checkOutputFile, writeOutput } from './apply-model.js';
import type { Io, Printer } from './io.js';

export interface OutputTarget {
  /** For people. */
  name: string;
  write(content: Uint8Array | string): Promise<void>;
  /** For the summary. */
  messages: Printer;
}

export function outputFormatOption(): Option {
  const written = formats.filter(({ write }) => write).map((format) => format.extensions[0].slice(1));
  return new Option('--output-format <form>', 'the form of what --out - writes on standard output (default: csv)').choices(written);
}

/** Throws InputError where nothing could be written there; for the time before a computation. */
export async function outputTarget(io: Io, out: string, { json }: { json?: boolean }): Promise<OutputTarget> {
  if (out !== '-') {
    await checkOutputFile(out);
    return { name: out, write: (content) => writeOutput(out, content), messages: io.stdout };
  }
  if (json) throw new InputError('--json and --out - both write on standard output; give one of them, or a file for --out.');
  return { name: 'standard output', write: async (content) => io.stdout.content(content), messages: io.stderr };
}

/** What makes the content of a matrix in the format of a file, or in that of --output-format for standard output. */
export function encoderOf(out: string, outputFormat?: string): NonNullable<FileFormat['write']> {
  if (out === '-') return encoderFor(`output.${outputFormat ?? 'csv'}`);
  if (outputFormat !== undefined)
    throw new InputError('--output-format is for --out -; the name of a file tells its format. Leave it out.');
  return encoderFor(out);
}
