import { decodeText, type FileFormat } from '../../src/data/file-format.js';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';

export const savetxt: FileFormat = {
  name: 'savetxt',
  summary: 'numbers between blanks, as numpy.savetxt writes them',
  extensions: ['.dat'],
  read(bytes, source) {
    const lines = decodeText(bytes, source).trimEnd().split('\n');
    const cells = lines.map((line) => (line.match(/\S+/g) ?? []).map(Number));
    const cols = cells[0].length;
    cells.forEach((numbers, row) => {
      if (numbers.length === 0 || numbers.length !== cols)
        throw new InputError(`${source}: line ${row + 1} has ${numbers.length} numbers; each needs as many as the first.`, { row });
      const column = numbers.findIndex((x) => !Number.isFinite(Math.fround(x)));
      if (column < 0) return;
      const where = `${source} has no number of f32 in row ${row}, column ${column} (counted from 0)`;
      throw new InputError(`${where}; correct it.`, { row, column });
    });
    return { X: matrix(cells.length, cols, cells.flat()) };
  },
  write: ({ rows, cols, data }) =>
    Array.from({ length: rows }, (_, i) => `${data.subarray(i * cols, (i + 1) * cols).join(' ')}\n`).join(''),
};
