/** --fixed-a, --fixed-s and --neighbours: matrices of an option from files, in the order of the data. */
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/node/model-folder.js';
import { runCli, workFolder } from '../support/cli.js';

const work = workFolder();
const features = ['f0', 'f1', 'f2', 'f3', 'f4'];
const samples = ['s0', 's1', 's2', 's3', 's4', 's5', 's6'];
const value = (i: number, j: number) => 1 + ((3 * i + 5 * j + i * j) % 7);
const data = work.put(
  'x.csv',
  [`id,${features.join(',')}`, ...samples.map((s, j) => [s, ...features.map((_, i) => value(i, j))].join(','))].join('\n'),
);
const fitWith = (...more: string[]) =>
  runCli(['fit', data, '--method', 'nmf', '--ranks', '2', '--max-iterations', '5', '--device', 'cpu', '--no-svd-bound', ...more]);
let fits = 0;
const modelOf = async (...more: string[]) => {
  const folder = work.at(`model${fits++}`);
  const { status, stdout, stderr } = await fitWith(...more, '--out', folder);
  expect(status, stderr).toBe(0);
  return { ...(await loadModel(folder)), stdout };
};
const column = work.put('a.csv', ['feature,known', ...[3, 1, 0, 4, 2].map((i) => `f${i},${i + 0.5}`)].join('\n'));
const row = work.put('s.csv', [['component', ...[...samples].reverse()].join(','), ['known', 6, 5, 4, 3, 2, 1, 0.25].join(',')].join('\n'));
const mtx = (name: string, symmetry: string, entries: string[]) =>
  work.put(name, [`%%MatrixMarket matrix coordinate real ${symmetry}`, `7 7 ${entries.length}`, ...entries].join('\n'));
const chain = mtx('chain.mtx', 'symmetric', ['2 1 1', '3 2 1', '4 3 1', '5 4 1', '6 5 1', '7 6 1']);
const dense = work.put('chain.csv', samples.map((_, i) => samples.map((_, j) => (Math.abs(i - j) === 1 ? 1 : 0)).join(',')).join('\n'));

describe('files of known components', () => {
  test('are held in the order of the data', async () => {
    const { A, S, stdout } = await modelOf('--fixed-a', column, '--fixed-s', row);
    expect([...A[0].data].filter((_, at) => at % 2 === 0)).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
    expect([...S[0].data.subarray(0, 7)]).toEqual([0.25, 1, 2, 3, 4, 5, 6]);
    expect(stdout).toContain('The features of');
    expect(stdout).toContain('The samples of');
  });

  test('neighbours are a sparse or a dense file, to the same result', async () => {
    const more = ['--laplacian', '0.5', '--l2-a', '0.1'];
    const [sparse, full] = [await modelOf('--neighbours', chain, ...more), await modelOf('--neighbours', dense, ...more)];
    expect(full.S).toEqual(sparse.S);
    expect(sparse.S).not.toEqual((await modelOf('--l2-a', '0.1', '--solver', 'anls')).S);
  });

  test.each([
    [['--fixed-a', dense], /--fixed-a is 7×7, but X has 5 rows/],
    [['--fixed-a', work.put('names.csv', ['feature,known', 'f0,1', 'f1,1', 'f2,1', 'f3,1', 'other,1'].join('\n'))], /lacks f4/],
    [['--fixed-s', work.put('empty.csv', ['1,2,,4,5,6,7'].join('\n'))], /cells without a value/],
    [['--neighbours', chain], /--neighbours does nothing without --laplacian/],
    [['--laplacian', '1'], /--laplacian does nothing without --neighbours/],
    [['--neighbours', chain, '--laplacian', '1'], /--laplacian 1 does nothing without --l1-a or --l2-a/],
    [
      ['--neighbours', mtx('directed.mtx', 'general', ['2 1 1']), '--laplacian', '1', '--l2-a', '1'],
      /--neighbours has the entry 1 in row 2, column 1, but 0 at the same place of its transpose/,
    ],
  ])('%j is refused', async (more, message) => {
    const { status, stderr } = await fitWith(...more);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});
