/** Matrices that are written panel by panel: S.npy of a fit whose S is never whole in memory. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Matrix } from '../data/matrix.js';
import { npyHeader } from '../formats/npy.js';
import { cannotWrite } from './files.js';
import { removeAbandoned, temporaryName } from './temporary.js';

export interface PanelWriter {
  /** Writes columns `from` on of matrix number `n`. */
  write(n: number, from: number, panel: Matrix): Promise<void>;
  /** Puts the files in their places. Returns their names. */
  finish(): Promise<string[]>;
  /** Removes what was written. */
  drop(): Promise<void>;
}

/**
 * Files `names` of float32 in the folder `dir`, a matrix of `shapes` each, row by row as numpy has it. Until `finish` they have another name,
 * so no reader meets half of them.
 *
 * @throws InputError if the folder cannot be written to; OrthantError for a full disk.
 */
export async function panelWriter(
  dir: string,
  names: readonly string[],
  shapes: readonly { rows: number; cols: number }[],
): Promise<PanelWriter> {
  await mkdir(dir, { recursive: true });
  await removeAbandoned(dir);
  const place = join(dir, temporaryName());
  await mkdir(place);
  const headers = shapes.map(({ rows, cols }) => npyHeader(rows, cols));
  const files = await Promise.all(names.map((name) => open(join(place, name), 'w')));
  const drop = async () => {
    for (const file of files) await file.close().catch(() => {});
    await rm(place, { recursive: true, force: true });
  };
  const orDrop = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      await drop();
      throw cannotWrite(dir, error);
    }
  };
  await orDrop(Promise.all(files.map((file, n) => file.write(headers[n], 0, headers[n].length, 0))));
  return {
    write: (n, from, { rows, cols, data }) =>
      orDrop(
        (async () => {
          const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
          for (let i = 0; i < rows; i++)
            await files[n].write(bytes, i * cols * 4, cols * 4, headers[n].length + (i * shapes[n].cols + from) * 4);
        })(),
      ),
    finish: () =>
      orDrop(
        (async () => {
          for (const file of files) {
            await file.sync();
            await file.close();
          }
          for (const name of names) await rename(join(place, name), join(dir, name));
          await rm(place, { recursive: true, force: true });
          return [...names];
        })(),
      ),
    drop,
  };
}
