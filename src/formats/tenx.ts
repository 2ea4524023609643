/** Folders of 10x Genomics: counts of features in cells. https://www.10xgenomics.com/support/software/cell-ranger/latest/analysis/outputs/cr-outputs-mex-matrices */
import { InputError } from '../errors.js';
import { decodeText } from './file-format.js';
import type { FolderFormat } from './folder-format.js';
import { gunzip } from './gzip.js';
import { parseMtxMatrix } from './mtx.js';

export const tenx: FolderFormat = {
  name: '10x',
  summary: 'matrix.mtx, features.tsv or genes.tsv, and barcodes.tsv, each as it is or as .gz; cells are columns',
  fits: (names) => names.some((name) => /^matrix\.mtx(\.gz)?$/.test(name)),
  async read(names, readFile, source) {
    const find = (...stems: string[]) => stems.flatMap((stem) => [stem, `${stem}.gz`]).find((name) => names.includes(name));
    const text = async (name: string) => {
      const bytes = await readFile(name);
      return decodeText(name.endsWith('.gz') ? await gunzip(bytes, `${source}/${name}`) : bytes, `${source}/${name}`);
    };
    const file = find('matrix.mtx')!;
    const X = parseMtxMatrix(await text(file), { source: `${source}/${file}` });
    const namesIn = async (count: number, side: string, ...stems: string[]) => {
      const name = find(...stems);
      if (name === undefined) throw new InputError(`'${source}' has a ${file}, but no ${stems.join(' or ')}; a folder of 10x has both.`);
      const lines = (await text(name)).replace(/\r?\n$/, '').split(/\r?\n/);
      if (lines.length !== count)
        throw new InputError(`${source}/${name} has ${lines.length} lines, but the matrix has ${count} ${side}; it needs one each.`);
      return lines.map((line) => line.split('\t'));
    };
    const features = await namesIn(X.rows, 'rows', 'features.tsv', 'genes.tsv');
    const barcodes = await namesIn(X.cols, 'columns', 'barcodes.tsv');
    // The second column has names for people, where it has one for each feature; else the first one has the identifiers.
    const symbols = features.map(([id, symbol]) => symbol ?? id);
    const rowNames = new Set(symbols).size === symbols.length ? symbols : features.map(([id]) => id);
    return { X, rowNames, columnNames: barcodes.map(([barcode]) => barcode), samples: 'columns' };
  },
};
