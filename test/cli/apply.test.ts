import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Matrix, matrix, multiply, transpose } from '../../src/data/matrix.js';
import { parseCsvMatrix } from '../../src/formats/csv.js';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
/** 12 samples of 6 features: a third of the samples for each class, which has two features of its own. */
const rows = Array.from({ length: 12 }, (_, i) =>
  Array.from({ length: 6 }, (_, j) => (j % 3 === i % 3 ? 1 + Math.abs(Math.sin(i + 2 * j)) : 0.05 * Math.abs(Math.sin(3 * i + j)))),
);
const data = put('m.csv', rows.map((row) => row.join(',')).join('\n'));
const truth = rows.map((_, i) => ['red', '"pale, blue"', 'green'][i % 3]);
const labels = put('labels.csv', `${truth.join('\n')}\n`);

async function run(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli(argv);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

const fitTo = (name: string, ...options: string[]) => run('fit', data, '--device', 'cpu', '--out', at(name), ...options);
await fitTo('model', '--ranks', '4,3', '--labels', labels, '--label-layers', '0,1');
const factor = (name: string) => decodeNpy(readFileSync(at(name)));

describe('orthant predict', () => {
  test.each(['ssnmf', 'hierarchical', 'deep', 'deep-semi', 'sparse-coding', 'neural'])(
    '%s gives the training data its labels',
    async (method) => {
      const ranks = method === 'ssnmf' ? '3' : '4,3';
      await fitTo(method, '--method', method, '--ranks', ranks, '--labels', labels);
      expect(await run('predict', at(method), data, '--device', 'cpu')).toBe(`${truth.join('\n')}\n`);
    },
  );

  test('--out writes a file that is good for --labels, and --json has the scores', async () => {
    const stdout = await run('predict', at('model/model.json'), data, '--device', 'software', '--out', at('labels-out.txt'));
    expect(stdout).toMatch(/labels-out\.txt: labels of 12 samples, 4 × red, 4 × pale, blue, 4 × green; by neural on /);
    expect(readFileSync(at('labels-out.txt'), 'utf8')).toBe(readFileSync(labels, 'utf8'));
    const json = JSON.parse(await run('predict', at('model'), data, '--device', 'cpu', '--layer', '0', '--json'));
    expect(json).toMatchObject({ layer: 0, classes: ['green', 'pale, blue', 'red'] });
    const scores = json.scores as number[][];
    expect(scores.map((of) => json.classes[of.indexOf(Math.max(...of))])).toEqual(json.labels);
  });
});

describe('orthant transform', () => {
  test('NaN in an .npy is a cell without a value, in fits and new samples', async () => {
    const holed = rows.map((row, i) => row.map((x, j) => (i % 6 === j ? Number.NaN : x)));
    const csv = put('holed.csv', holed.map((row) => row.map((x) => (Number.isNaN(x) ? '' : x)).join(',')).join('\n'));
    const npy = put('holed.npy', encodeNpy(matrix(12, 6, holed.flat())));
    for (const [path, name] of [
      [csv, 'of-csv'],
      [npy, 'of-npy'],
    ]) {
      await run('fit', path, '--method', 'nmf', '--ranks', '3', '--max-iterations', '5', '--device', 'cpu', '--out', at(name));
      await run('transform', at('of-csv'), path, '--device', 'cpu', '--out', at(`${name}.npy`));
    }
    for (const file of ['/A0.npy', '/S0.npy', '.npy'].map((end) => [`of-csv${end}`, `of-npy${end}`]))
      expect(readFileSync(at(file[0]))).toEqual(readFileSync(at(file[1])));
  });

  test('--inverse gives the data of an S, of any layer, lying as S does', async () => {
    const A = [0, 1].map((l) => factor(`model/A${l}.npy`));
    const S = [0, 1].map((l) => factor(`model/S${l}.npy`));
    const expected = [multiply(A[0], S[0]), multiply(A[0], multiply(A[1], S[1]))];
    const turned = put('S-as-rows.npy', encodeNpy(transpose(S[1])));
    const said = await run('transform', at('model'), turned, '--inverse', '--out', at('X.csv'));
    expect(said).toMatch(/X\.csv: the data \(12×6\) of S of layer 1 for 12 samples, by neural/);
    expectClose(transpose(parseCsvMatrix(readFileSync(at('X.csv'), 'utf8')).X), expected[1]);
    await run('transform', at('model'), at('model/S0.npy'), '--samples', 'columns', '--layer', '0', '--inverse', '--out', at('X.npy'));
    expectClose(factor('X.npy'), expected[0]);
    const json = JSON.parse(await run('transform', at('model'), turned, '--inverse', '--json'));
    expect(json).toMatchObject({ layer: 1 });
    expect(json.X).toHaveLength(12);
  });

  test('--inverse refuses what is no S of the model', async () => {
    const refusal = async (...argv: string[]) => (await runCli(['transform', at('model'), ...argv, '--inverse', '--json'])).stderr;
    expect(await refusal(data)).toMatch(/has 6 components \(its columns\), but layer 1 of the model has rank 3; give an S/);
    expect(await refusal(at('model/S1.npy'))).toMatch(/has 12 components.*try --samples columns/);
    expect(await refusal(at('model/S1.npy'), '--samples', 'columns', '--layer', '5')).toMatch(/--layer must be one of 0, 1/);
    expect(await refusal(at('model/S1.npy'), '--samples', 'columns', '--weights', data)).toMatch(/--weights is for samples/);
    expect(await refusal(put('holes.csv', '1,,2\n1,2,3\n'))).toMatch(/holes\.csv has cells without a value, but an S needs all/);
  });

  test('gives the training data the S of the fit, as .csv and .npy, samples as in the file', async () => {
    expect(await run('transform', at('model'), data, '--out', at('S.csv'), '--device', 'cpu')).toMatch(
      /S\.csv: S of layer 1 \(12×3\) for 12 samples, by neural on f64 reference/,
    );
    const { X } = parseCsvMatrix(readFileSync(at('S.csv'), 'utf8'));
    expectClose(transpose(X), factor('model/S1.npy'));
    const turned = put('turned.npy', encodeNpy(transpose(parseCsvMatrix(readFileSync(data, 'utf8')).X)));
    const before = readdirSync(at('.'));
    put('S0.npy', 'to be replaced');
    await run('transform', at('model'), turned, '--samples', 'columns', '--layer', '0', '--out', at('S0.npy'), '--device', 'software');
    expectClose(factor('S0.npy'), factor('model/S0.npy'));
    expect(readdirSync(at('.')).sort()).toEqual([...before, 'S0.npy'].sort());
  });

  test('of a model without labels and of one of several dictionaries', async () => {
    await fitTo('unfolded', '--method', 'unfolded', '--ranks', '3', '--layers', '3', '--untied', '1', '--max-iterations', '10');
    await run('transform', at('unfolded'), data, '--out', at('H.npy'), '--device', 'cpu');
    expectClose(transpose(factor('H.npy')), factor('unfolded/S0.npy'));
  });
});

function expectClose(X: Matrix, Y: Matrix): void {
  expect([X.rows, X.cols]).toEqual([Y.rows, Y.cols]);
  X.data.forEach((x, i) => {
    expect(x).toBeCloseTo(Y.data[i], 3);
  });
}

describe('--weights of new samples', () => {
  const hidden = (value: string) => rows.map((row, i) => row.map((x, j) => ((i + j) % 4 === 0 ? value : x)).join(',')).join('\n');
  const weights = put('w.csv', rows.map((row, i) => row.map((_, j) => ((i + j) % 4 === 0 ? 0 : 1)).join(',')).join('\n'));

  test('a value that is missing has no influence on S and classes', async () => {
    const [one, other] = [put('missing-0.csv', hidden('0')), put('missing-999.csv', hidden('999'))];
    for (const [file, out] of [
      [one, 'one.csv'],
      [other, 'other.csv'],
    ])
      await run('transform', at('model'), file, '--weights', weights, '--out', at(out), '--device', 'cpu');
    expect(readFileSync(at('other.csv'), 'utf8')).toBe(readFileSync(at('one.csv'), 'utf8'));
    const classes = await run('predict', at('model'), other, '--weights', weights, '--device', 'cpu');
    expect(classes).toBe(`${truth.join('\n')}\n`);
  });

  test('a model that takes none, and another shape, are refused', async () => {
    await fitTo('hidden-deep', '--method', 'deep', '--ranks', '3');
    const refused = await runCli(['transform', at('hidden-deep'), data, '--weights', weights, '--out', at('no.csv')]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/--weights is for models of nmf, ssnmf, hierarchical or neural/);
    const small = await runCli(['predict', at('model'), data, '--weights', put('small.csv', '1,1\n1,1\n')]);
    expect(small.stderr).toMatch(/is 2×2, but the matrix is 12×6/);
  });
});
