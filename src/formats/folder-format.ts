/** What a format is whose matrix is a folder of files. */
import type { FileContent } from './file-format.js';

export interface FolderFormat {
  /** Its name, for people. */
  name: string;
  /** One line of the help on a folder of this format. */
  summary: string;
  /** Whether a folder with files of these names is one. */
  fits(names: readonly string[]): boolean;
  /**
   * The matrix in a folder. It says which side its samples are.
   *
   * @param names the names of the files in the folder, sorted.
   * @param readFile gives the bytes of one of them.
   * @param source the folder's name, which starts every message.
   * @throws InputError for files that are missing, or fit neither the format nor each other.
   */
  read(
    names: readonly string[],
    readFile: (name: string) => Promise<Uint8Array>,
    source: string,
  ): Promise<FileContent & { samples: 'rows' | 'columns' }>;
}
