/** Commands on Matrix Market files: what they give for the same matrix as .csv, and what they refuse. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeNpy } from '../../src/formats/npy.js';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
/** 12 samples of 8 features, three classes of which each has features of its own. */
const rows = Array.from({ length: 12 }, (_, i) =>
  Array.from({ length: 8 }, (_, j) => (j % 3 === i % 3 || (i * j) % 11 === 5 ? 1 + Math.abs(Math.sin(i + 2 * j)) : 0)),
);
const csv = put('m.csv', rows.map((row) => row.join(',')).join('\n'));
const entries = rows.flatMap((row, i) => row.flatMap((x, j) => (x === 0 ? [] : [[i + 1, j + 1, x]])));
const mtxOf = (turned: boolean) => {
  const lines = entries.map(([i, j, x]) => (turned ? `${j} ${i} ${x}` : `${i} ${j} ${x}`)).reverse();
  return ['%%MatrixMarket matrix coordinate real general', turned ? `8 12 ${lines.length}` : `12 8 ${lines.length}`, ...lines].join('\n');
};
const mtx = put('m.mtx', mtxOf(false));
const turned = put('turned.MTX', mtxOf(true));
const labels = put('labels.txt', rows.map((_, i) => `${'abc'[i % 3]}\n`).join(''));

async function run(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli([...argv, '--device', 'cpu']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

const model = (text: string) => {
  const { relativeError, svdBound, restartErrors } = JSON.parse(text);
  return { relativeError, svdBound, restartErrors };
};

describe('orthant fit <sparse>.mtx', () => {
  test.each(['nmf', 'ssnmf', 'hierarchical', 'deep', 'deep-semi', 'unfolded', 'sparse-coding', 'neural'])(
    '%s as of the .csv',
    async (method) => {
      const ranks = ['nmf', 'ssnmf', 'unfolded'].includes(method) ? '3' : '4,3';
      const fitted = (file: string, ...more: string[]) =>
        run('fit', file, '--method', method, '--ranks', ranks, '--max-iterations', '20', '--json', ...more);
      const ofCsv = model(await fitted(csv));
      const close = JSON.parse(JSON.stringify(ofCsv), (_, value) => (typeof value === 'number' ? expect.closeTo(value, 5) : value));
      expect(model(await fitted(mtx))).toEqual(close);
      expect(model(await fitted(turned, '--samples', 'columns'))).toEqual(close);
    },
  );

  test('says how sparse the data is; transform and predict read the same files', async () => {
    const said = await run('fit', mtx, '--ranks', '4,3', '--labels', labels, '--out', at('model'), '--no-svd-bound');
    expect(said).toContain(
      `m.mtx: 8 features × 12 samples, sparse: ${entries.length} entries, ${((100 * entries.length) / 96).toPrecision(2)} %`,
    );
    await run('transform', at('model'), mtx, '--out', at('S.npy'));
    await run('transform', at('model'), csv, '--out', at('S-of-csv.npy'));
    const [S, T] = ['S.npy', 'S-of-csv.npy'].map((name) => decodeNpy(readFileSync(at(name))));
    S.data.forEach((s, i) => {
      expect(s).toBeCloseTo(T.data[i], 5);
    });
    expect(await run('predict', at('model'), turned, '--samples', 'columns')).toBe(await run('predict', at('model'), csv));
  });

  test('an array is dense, and so can have a mask', async () => {
    const columns = Array.from({ length: 8 }, (_, j) => rows.map((row) => row[j]));
    const array = put('array.mtx', ['%%MatrixMarket matrix array real general', '12 8', ...columns.flat()].join('\n'));
    const mask = put('mask.mtx', mtxOf(false).replaceAll(/^(\d+ \d+) \d+\.\d+$/gm, '$1 1'));
    const said = await run('fit', array, '--method', 'nmf', '--ranks', '3', '--weights', mask, '--max-iterations', '5');
    expect(said).toContain('array.mtx: 8 features × 12 samples\n');
  });
});

test('--absent missing: what the file does not store is as an empty cell of a table, in fit and transform', async () => {
  const holes = put('holes.csv', rows.map((row) => row.map((x) => (x === 0 ? '' : x)).join(',')).join('\n'));
  const options = ['--method', 'nmf', '--ranks', '2', '--max-iterations', '20'];
  const fitted = async (...args: string[]) => JSON.parse(await run('fit', ...args, ...options, '--json'));
  const [sparse, dense] = [await fitted(mtx, '--absent', 'missing', '--out', at('ratings')), await fitted(holes)];
  expect(sparse.relativeError).toBeCloseTo(dense.relativeError, 6);
  expect(sparse.svdBound).toBe(null);
  expect(sparse.settings).toMatchObject({ absent: 'missing', solver: 'mu' });
  const coefficients = async (file: string, ...more: string[]) =>
    JSON.parse(await run('transform', at('ratings'), file, '--json', ...more)).S.flat();
  const expected = await coefficients(holes);
  (await coefficients(mtx)).forEach((s: number, i: number) => {
    expect(s).toBeCloseTo(expected[i], 5);
  });
  expect(await coefficients(mtx, '--absent', 'zero')).not.toEqual(expected);
  expect(await run('fit', mtx, ...options, '--absent', 'missing')).toContain('The error is that of the stored entries');
});

const header = '%%MatrixMarket matrix coordinate real general\n';
const cases: Record<string, [argv: string[], says: RegExp]> = {
  'a sample without entries, where others are missing': [
    ['fit', put('few.mtx', `${header}3 2 2\n1 1 1\n3 2 1\n`), '--method', 'nmf', '--ranks', '1', '--absent', 'missing'],
    /few\.mtx: row 2 has no value at all, so nothing can be learned of that sample/,
  ],
  'a feature without entries, where others are missing': [
    ['fit', put('gap.mtx', `${header}2 3 2\n1 1 1\n2 3 1\n`), '--method', 'nmf', '--ranks', '1', '--absent', 'missing'],
    /gap\.mtx: column 2 has no value at all, so nothing can be learned of that feature/,
  ],
  'missing entries of a dense matrix': [
    ['fit', csv, '--method', 'nmf', '--ranks', '1', '--absent', 'missing'],
    /--absent is 'missing', .* m\.csv is dense; mark its missing values by NaN|--absent.*m\.csv is dense/,
  ],
  'missing entries beside another loss': [
    ['fit', mtx, '--method', 'nmf', '--ranks', '1', '--absent', 'missing', '--loss', 'kullback-leibler'],
    /--absent 'missing' goes with the loss 'frobenius' alone, but --loss is 'kullback-leibler'/,
  ],
  'an index out of range': [
    ['fit', put('range.mtx', `${header}2 2 1\n1 3 1\n`), '--ranks', '1'],
    /range\.mtx: line 3 names column 3, but columns run from 1 to 2/,
  ],
  'a place twice': [
    ['fit', put('twice.mtx', `${header}2 2 2\n1 2 1\n1 2 1\n`), '--ranks', '1'],
    /twice\.mtx has two entries for row 1, column 2/,
  ],
  'a negative entry': [
    ['fit', put('negative.mtx', `${header}3 2 2\n3 1 -2\n1 2 1\n`), '--ranks', '1'],
    /negative\.mtx: row 3, column 1 is -2, but every entry must be ≥ 0/,
  ],
  'a mask': [['fit', mtx, '--method', 'nmf', '--ranks', '2', '--weights', csv], /With --weights.* cannot be sparse; give it as \.csv/],
  'a divergence': [['fit', mtx, '--method', 'nmf', '--loss', '-0.5', '--ranks', '2', '--device', 'cpu'], /-0\.5.* needs a dense matrix/],
  'mini-batches': [
    ['fit', mtx, '--ranks', '2', '--optimiser', 'adam', '--batch-columns', '3', '--device', 'cpu'],
    /: --batch-columns needs a dense matrix/,
  ],
};

describe('what cannot be done with a sparse file is said in one line', () => {
  test.each(Object.entries(cases))('%s', async (_name, [argv, says]) => {
    const { status, stdout, stderr } = await runCli(argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
