/** A matrix from the bytes of a file, by its name: for browsers, as `readMatrix` for Node. */
import { describe, inWords } from '../data/words.js';
import { InputError } from '../errors.js';
import { formats } from './formats.js';
import { gunzip } from './gzip.js';
import { oriented, type ReadMatrix } from './oriented.js';
import { checkTableOptions, type TableOptions } from './table-options.js';

/**
 * The matrix in the bytes of a file, features × samples. The end of its name tells the format, before a .gz.
 *
 * A damaged .parquet, .arrow or .h5ad may keep the package that reads it for ever: read files of others in a worker.
 *
 * @param options samples: the place of a sample in the file, 'rows' (default) or 'columns'. The others are for tables of text.
 * @throws InputError for a name that tells no format, and for content that its format refuses; OrthantError where a package is missing.
 */
export async function parseMatrix(
  bytes: Uint8Array,
  name: string,
  options: TableOptions & { samples?: 'rows' | 'columns' } = {},
): Promise<ReadMatrix> {
  checkTableOptions('parseMatrix', options, ['samples']);
  const { samples = 'rows', ...table } = options;
  if (samples !== 'rows' && samples !== 'columns')
    throw new InputError(`samples must be 'rows' or 'columns', not ${describe(samples)}.`, { option: 'samples' });
  const bare = name.toLowerCase().replace(/\.gz$/, '');
  const format = formats.find(({ extensions }) => extensions.some((extension) => bare.endsWith(extension)));
  if (!format)
    throw new InputError(
      `Cannot tell the format of '${name}' from its name; matrices are read from ${inWords(formats.flatMap(({ extensions }) => extensions))} files.`,
    );
  const option = Object.entries(table).find(([, value]) => value !== undefined)?.[0];
  if (option !== undefined && !format.pieces)
    throw new InputError(`${option} is for tables of text, and '${name}' is none; leave it out.`, { option });
  const content = bare === name.toLowerCase() ? bytes : await gunzip(bytes, name);
  return oriented(await format.read(content, name, table), samples);
}
