/** The file format that CONTRIBUTING.md adds as its example, added as it says there: all that reads the list of formats knows it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { withLoader } from '../../scripts/load-typescript.mjs';
import { byExtension } from '../../src/formats/file-format.js';
import { decodeNpy } from '../../src/formats/npy.js';
import { runCli, workFolder } from '../support/cli.js';
import { examplePieces, root } from '../support/examples.js';
import { formatContract } from '../support/format-contract.js';

const [file, list] = ['src/formats/savetxt.ts', 'src/formats/formats.ts'];
const pieces = await examplePieces('Add a format');
const [imported, line] = pieces.get(list)!.trimEnd().split('\n');
const before = readFileSync(`${root}/${list}`, 'utf8');
const changed = `${imported}\n${before.replace(/^export const formats\b.*$/m, line)}`;

const { main, formats, InputError, readMatrix } = await withLoader(
  async (load) => ({
    ...((await load('src/cli/main.ts')) as typeof import('../../src/cli/main.js')),
    ...((await load(list)) as typeof import('../../src/formats/formats.js')),
    ...((await load('src/errors.ts')) as typeof import('../../src/errors.js')),
    ...((await load('src/node/files.ts')) as typeof import('../../src/node/files.js')),
  }),
  new Map([
    [file, pieces.get(file)!],
    [list, changed],
  ]),
);
const run = (...argv: string[]) => runCli(argv, {}, main);

test('it takes a file and a line', () => {
  expect([...pieces.keys()]).toEqual([file, list]);
  expect(changed.split('\n').filter((one) => !before.includes(one))).toEqual([imported, line]);
});

formatContract(formats.slice(-1), InputError);

describe('on the command line', () => {
  const { at, put } = workFolder();
  const rows = Array.from({ length: 6 }, (_, i) => Array.from({ length: 4 }, (_, j) => 1 + Math.sin(i + 2 * j) ** 2));
  const dat = put('m.DAT', rows.map((row) => `  ${row.join('  ')}\r\n`).join(''));
  const csv = put('m.csv', rows.map((row) => `${row.join(',')}\n`).join(''));
  const help = async (command: string) => (await run(command, '--help')).stdout.replaceAll(/\s+/g, ' ');

  test('it is read as a .csv of the same numbers, and written', async () => {
    expect((await readMatrix(dat)).X).toEqual((await readMatrix(csv)).X);
    const fitted = await run('fit', dat, '--ranks', '2', '--device', 'cpu', '--out', at('model'));
    expect(fitted).toMatchObject({ status: 0, stderr: '' });
    for (const out of ['S.dat', 'S.npy']) {
      const { status, stdout } = await run('transform', at('model'), dat, '--out', at(out), '--device', 'cpu');
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('S of layer 0 (6×2) for 6 samples') });
    }
    expect((await readMatrix(at('S.dat'), { samples: 'columns' })).X).toEqual(decodeNpy(readFileSync(at('S.npy'))));
  });

  test('help names it', async () => {
    expect(await help('fit')).toContain(`numeric ${byExtension(formats)}, see below`);
    expect(await help('fit')).toContain('.dat savetxt: numbers between blanks, as numpy.savetxt writes them');
    for (const command of ['transform', 'predict']) expect(await help(command)).toContain(`numeric ${byExtension(formats)} with`);
    expect(await help('transform')).toContain(`write S into this ${byExtension(formats.filter(({ write }) => write))}`);
  });

  test.each([
    ['fit', [put('m.xyz', '1'), '--ranks', '1'], '.arrows, .h5ad and .dat files.'],
    ['transform', [at('model'), csv, '--out', at('S.xyz')], 'matrices are written as .csv, .npy, .npz, .parquet, .json or .dat.'],
    [
      'fit',
      [put('s.mtx', '%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1\n'), '--method', 'nmf', '--ranks', '1', '--weights', csv],
      'give it as .csv, .npy, a .npz in dense form, a .mtx in array format, .parquet, .json, .arrow, a .h5ad in dense form or .dat.',
    ],
    ['fit', [put('nan.dat', '1 2\n3 x\n'), '--ranks', '1'], 'nan.dat has no number of f32 in row 2, column 2; correct it.'],
    ['fit', [put('minus.dat', '1 2\n-3 4\n'), '--ranks', '1'], 'minus.dat: row 2, column 1 is -3, but every entry must be ≥ 0;'],
  ])('errors of %s name it: %j', async (command, argv, said) => {
    const { status, stderr } = await run(command, ...argv);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
  });
});
