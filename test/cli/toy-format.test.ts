/** A format that is added as CONTRIBUTING says, in a file and a line of the list: everything that reads the list knows it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { decodeNpy } from '../../src/data/npy.js';
import { readMatrix } from '../../src/node/files.js';
import { runCli, workFolder } from '../support/cli.js';
import { formatContract } from '../support/format-contract.js';
import { savetxt } from '../support/savetxt.js';

vi.mock('../../src/data/formats.js', async (original) => {
  const { formats } = await original<typeof import('../../src/data/formats.js')>();
  return { formats: [...formats, (await import('../support/savetxt.js')).savetxt] };
});

formatContract([savetxt]);

describe('on the command line', () => {
  const { at, put } = workFolder();
  const rows = Array.from({ length: 6 }, (_, i) => Array.from({ length: 4 }, (_, j) => 1 + Math.sin(i + 2 * j) ** 2));
  const dat = put('m.DAT', rows.map((row) => `  ${row.join('  ')}\r\n`).join(''));
  const csv = put('m.csv', rows.map((row) => `${row.join(',')}\n`).join(''));
  const help = async (command: string) => (await runCli([command, '--help'])).stdout.replaceAll(/\s+/g, ' ');

  test('it is read as a .csv of the same numbers, and written', async () => {
    expect((await readMatrix(dat)).X).toEqual((await readMatrix(csv)).X);
    const fitted = await runCli(['fit', dat, '--ranks', '2', '--device', 'cpu', '--out', at('model')]);
    expect(fitted).toMatchObject({ status: 0, stderr: '' });
    for (const out of ['S.dat', 'S.npy']) {
      const { status, stdout } = await runCli(['transform', at('model'), dat, '--out', at(out), '--device', 'cpu']);
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('S of layer 0 (6×2) for 6 samples') });
    }
    expect(savetxt.read(readFileSync(at('S.dat')), 'S.dat').X).toEqual(decodeNpy(readFileSync(at('S.npy'))));
  });

  test('help names it', async () => {
    expect(await help('fit')).toContain('numeric .csv, .npy, .mtx or .dat, see below');
    expect(await help('fit')).toContain('.dat savetxt: numbers between blanks, as numpy.savetxt writes them');
    for (const command of ['transform', 'predict']) expect(await help(command)).toContain('numeric .csv, .npy, .mtx or .dat with');
    expect(await help('transform')).toContain('write S into this .csv, .npy or .dat');
  });

  test.each([
    ['fit', [put('m.xyz', '1'), '--ranks', '1'], 'matrices are read from .csv, .tsv, .txt, .npy, .mtx and .dat files.'],
    ['transform', [at('model'), csv, '--out', at('S.xyz')], 'matrices are written as .csv, .npy or .dat.'],
    [
      'fit',
      [put('s.mtx', '%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1\n'), '--method', 'nmf', '--ranks', '1', '--weights', csv],
      'give it as .csv, .npy, a .mtx in array format or .dat.',
    ],
    ['fit', [put('nan.dat', '1 2\n3 x\n'), '--ranks', '1'], 'nan.dat has no number of f32 in row 2, column 2; correct it.'],
    ['fit', [put('minus.dat', '1 2\n-3 4\n'), '--ranks', '1'], 'minus.dat: row 2, column 1 is -3, but every entry must be ≥ 0;'],
  ])('errors of %s name it: %j', async (command, argv, said) => {
    const { status, stderr } = await runCli([command, ...argv]);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
  });
});

test('CONTRIBUTING shows it, line by line', () => {
  const contributing = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
  const source = readFileSync(new URL('../support/savetxt.ts', import.meta.url), 'utf8');
  expect(contributing).toContain(source.slice(source.indexOf('export const')));
});
