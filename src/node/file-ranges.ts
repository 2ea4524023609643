/** Ranges of the bytes of a file, and matrices that are read by them. */
import type { FileHandle } from 'node:fs/promises';
import type { Matrix } from '../data/matrix.js';
import { InputError } from '../errors.js';

/** A matrix in a file whose samples are read by ranges. */
export interface MatrixRanges {
  /** N, features. */
  rows: number;
  /** M, samples. */
  cols: number;
  samplesAre: 'rows' | 'columns';
  /** Names of the features and of the samples, where the file has them. */
  features?: readonly string[];
  sampleNames?: readonly string[];
  opened(): Promise<OpenRanges>;
}

export interface OpenRanges {
  /** Samples `from` up to `to`, features × samples. */
  read(from: number, to: number): Promise<Matrix>;
  close(): Promise<void>;
}

export async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await readInto(file, bytes, position);
  return bytes;
}

export async function readInto(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let read = 0; read < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, position + read);
    if (bytesRead === 0) throw new InputError('The file became shorter while it was read; start again once nothing writes to it.');
    read += bytesRead;
  }
}
