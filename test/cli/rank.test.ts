/** `orthant rank`, and --order and --scale of `fit`. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeNpy } from '../../src/formats/npy.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const matrix = put('m.csv', lowRankCsv(18, 14, 3));
const quick = ['--device', 'cpu', '--restarts', '4', '--masks', '2', '--max-iterations', '60'];

describe('rank', () => {
  test('prints a table and the choice, and writes curves, heat map and factors', async () => {
    const { status, stdout, stderr } = await runCli(['rank', matrix, '--ranks', '1..4', ...quick, '--out', at('ranks')]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^fits +4 restarts a rank, 2 masks that hide 10 % of the entries, entries perturbed by 1.5 %$/m);
    expect(stdout).toMatch(/^ *rank +error +held out +cophenetic +dispersion +stable A +stable S$/m);
    expect(stdout).toMatch(/^ *→ 3 +0\.\d{4} +0\.\d{4} +± 0\.\d{4} /m);
    expect(stdout).toContain('Rank 3 ');
    expect(readdirSync(at('ranks')).sort()).toEqual(['A.npy', 'S.npy', 'consensus.svg', 'ranks.json', 'ranks.svg']);
    const { ranks, layers } = JSON.parse(readFileSync(at('ranks/ranks.json'), 'utf8'));
    expect(ranks).toEqual([3]);
    expect(layers[0].results.map(({ rank }: { rank: number }) => rank)).toEqual([1, 2, 3, 4]);
    expect(layers[0].settings).toMatchObject({ restarts: 4, masks: 2, hidden: 0.1 });
    const curves = readFileSync(at('ranks/ranks.svg'), 'utf8');
    expect(curves.match(/<circle /g)).toHaveLength(5 * 4);
    expect(curves).not.toMatch(/NaN|Infinity|undefined/);
    expect(readFileSync(at('ranks/consensus.svg'), 'utf8')).toContain('Consensus at rank 3');
    const A = decodeNpy(readFileSync(at('ranks/A.npy')));
    expect(A).toMatchObject({ rows: 14, cols: 3 });
  });

  test('--json prints what ranks.json holds; --layers gives a rank for each', async () => {
    const { status, stdout } = await runCli([
      'rank',
      matrix,
      '--ranks',
      '1,2..3',
      ...quick,
      '--layers',
      '2',
      '--perturbation',
      '0',
      '--json',
    ]);
    expect(status).toBe(0);
    const { ranks, layers, options } = JSON.parse(stdout);
    expect(ranks).toHaveLength(2);
    expect(ranks[1]).toBeLessThan(ranks[0]);
    expect(layers[1].chosen).toBe(ranks[1]);
    expect(layers[0].results[0].stability).toBeNull();
    expect(options).toMatchObject({ ranks: [1, 2, 3], layers: 2, perturbation: 0 });
    const told = await runCli(['rank', matrix, '--ranks', '1..3', ...quick, '--layers', '2', '--perturbation', '0']);
    expect(told.stdout).toContain(`--method hierarchical --ranks ${ranks.join(',')}`);
  });

  test('cells without a value are missing', async () => {
    const lines = lowRankCsv(18, 14, 3).split('\n');
    lines[3] = lines[3].replace(/^[^,]*,/, ',');
    const { status, stdout } = await runCli(['rank', put('gap.csv', lines.join('\n')), '--ranks', '2..3', ...quick, '--perturbation', '0']);
    expect(status).toBe(0);
    expect(stdout).toContain('→ 3');
  });

  test.each([
    [['--ranks', '15..2'], "option '--ranks <range>' argument '15..2' is invalid. The range runs backwards; write 2..15."],
    [['--ranks', '4,2'], '--ranks is [4, 2], which runs backwards, 2 after 4; give the smallest first.'],
    [['--ranks', '2..3,3'], '--ranks is [2, 3, 3], which has 3 twice; give each rank once.'],
    [['--ranks', '2,15'], '--ranks is [2, 15], but rank 15 is more than a 14×18 matrix can use; the largest is 14.'],
    [['--ranks', '2..3', '--restarts', '1'], '--restarts is 1, but a consensus compares restarts with each other; give 4 or more.'],
    [['--ranks', '1..1000000000'], 'The largest rank is 128.'],
    [['--ranks', 'two'], 'It must be a range such as 2..15'],
  ])('%j is refused', async (flags, message) => {
    const { status, stdout, stderr } = await runCli(['rank', matrix, '--device', 'cpu', ...flags]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('fit --order, --scale', () => {
  const fitted = (...flags: string[]) => runCli(['fit', matrix, '--method', 'nmf', '--ranks', '3', '--device', 'cpu', ...flags]);

  test('components stand by what they explain, and columns of A sum to 1', async () => {
    const { status, stdout } = await fitted('--order', 'explained', '--scale', 'l1', '--out', at('model'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^component +explains of ‖X‖² +mass$/m);
    const { components, options } = JSON.parse(readFileSync(at('model/model.json'), 'utf8'));
    expect(options).toMatchObject({ order: 'explained', scale: 'l1' });
    const explained = components[0].map((one: { explained: number }) => one.explained);
    expect(explained).toEqual([...explained].sort((a, b) => b - a));
    const { rows, cols, data } = decodeNpy(readFileSync(at('model/A0.npy')));
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += data[i * cols + j];
      expect(sum).toBeCloseTo(1, 5);
    }
  });

  test('what has no components or scale is refused before the fit', async () => {
    const { status, stderr } = await runCli(['fit', matrix, '--method', 'deep', '--ranks', '3,2', '--order', 'mass']);
    expect(status).toBe(2);
    expect(stderr).toContain("--order is 'mass', but the layers of deep are no product");
    const other = await runCli(['fit', matrix, '--method', 'sparse-coding', '--ranks', '3', '--scale', 'l2']);
    expect(other.stderr).toContain("--scale is 'l2', but S of sparse-coding hangs on the scale of A");
  });
});
