import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { matrix, transpose } from '../../src/data/matrix.js';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const classes = ['red', 'green', 'blue'];
/** 18 samples of 6 features: a third of the samples for each class, which has two features of its own. */
const rows = Array.from({ length: 18 }, (_, i) =>
  Array.from({ length: 6 }, (_, j) => (j % 3 === i % 3 ? 1 + Math.abs(Math.sin(i + 2 * j)) : 0.05 * Math.abs(Math.sin(3 * i + j)))),
);
const csv = (of: readonly (readonly number[])[]) => of.map((row) => row.join(',')).join('\n');
const data = put('m.csv', csv(rows));
const truthOf = (i: number) => classes[i % 3];
const truth = put('truth.csv', `label\n${rows.map((_, i) => `"${truthOf(i)}"`).join('\n')}\n`);
const labels = put('labels.txt', rows.map((_, i) => `${i % 4 < 2 ? truthOf(i) : ''}\n`).join(''));
const isMissing = (i: number, j: number) => (i + j) % 6 === 0;
const mask = put('mask.csv', csv(rows.map((row, i) => row.map((_, j) => (isMissing(i, j) ? 0 : 1)))));
const supervised = ['--labels', labels, '--truth', truth];

interface ModelJson {
  method: string;
  options: Record<string, unknown>;
  settings: Record<string, unknown>;
  iterations: number;
  stopReason: string;
  svdBound: number | null;
  supervision: { layers: number[]; classes: string[]; accuracy: { labelled: number; unlabelled: number | null } } | null;
  classesWithoutLabel?: string[];
}

const readFactor = (name: string) => decodeNpy(readFileSync(at(name)));
const readModel = (name: string) => JSON.parse(readFileSync(at(`${name}/model.json`), 'utf8')) as ModelJson;

async function fitTo(name: string, ...options: string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli(['fit', data, '--out', at(name), ...options]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** Options → the settings of the model that show that they reached the fit, and the files. */
const fits: Record<string, [options: string, settings: Record<string, unknown>, factors: string[]]> = {
  'nmf --solver mu': ['--ranks 3', { solver: 'mu' }, ['A0', 'S0']],
  'nmf --solver hals': ['--ranks 3', { solver: 'hals' }, ['A0', 'S0']],
  'ssnmf --model 6 --label-weight 2': ['--ranks 3', { model: 6, labelWeight: 2, weighted: false }, ['A0', 'B', 'S0']],
  'hierarchical --label-layers 0,1': ['--ranks 4,3', { labelLayers: [0, 1] }, ['A0', 'A1', 'B0', 'B1', 'S0', 'S1']],
  'hierarchical --solver mu': ['--ranks 4,3', { solver: 'mu' }, ['A0', 'A1', 'B', 'S0', 'S1']],
  'deep --pooling max --pool-size 3 --pool-over features --activation log1p': [
    '--ranks 6,2',
    { pooling: 'max', poolSize: 3, poolOver: 'features', activation: 'log1p' },
    ['A0', 'A1', 'B', 'S0', 'S1'],
  ],
  'deep-semi --nonlinearity sigmoid --label-weight 0.5': [
    '--ranks 4,3',
    { nonlinearity: 'sigmoid', labelWeight: 0.5 },
    ['A0', 'A1', 'B', 'S0', 'S1'],
  ],
  'unfolded --layers 4 --untied 1 --beta 1': ['--ranks 3', { layers: 4, untied: 1, beta: 1 }, ['A0', 'A1', 'A2', 'S0']],
  'sparse-coding --l1 0.01,0.02 --optimiser momentum --batch-columns 9': [
    '--ranks 4,3',
    { optimiser: { name: 'momentum', rate: 0.005, momentum: 0.9 }, batchColumns: 9 },
    ['A0', 'A1', 'B', 'S0', 'S1'],
  ],
  'neural --cost 2,0.5': ['--ranks 4,3', { cost: { reconstruction: [2, 0.5], energy: [0, 0] } }, ['A0', 'A1', 'B', 'S0', 'S1']],
  'neural --cost energy --l1 0.01,0 --optimiser adam --batch-columns 9 --label-loss crossEntropy': [
    '--ranks 4,3',
    { cost: { reconstruction: [0, 0], energy: [1, 1] }, l1: [0.01, 0], optimiser: { name: 'adam', rate: 0.01 }, labelLoss: 'crossEntropy' },
    ['A0', 'A1', 'B', 'S0', 'S1'],
  ],
};

describe('orthant fit --method', () => {
  const unsupervised = (name: string) => /^(nmf|unfolded)/.test(name);

  test.each(Object.entries(fits))('%s', async (name, [ranks, settings, factors]) => {
    const options = ['--method', ...name.split(' '), ...ranks.split(' '), ...(unsupervised(name) ? [] : supervised)];
    const folder = name.replaceAll(/\W/g, '_');
    await fitTo(folder, ...options, '--max-iterations', '8', '--device', 'cpu');
    expect(readdirSync(at(folder)).sort()).toEqual([...factors.map((factor) => `${factor}.npy`), 'factors.safetensors', 'model.json']);
    const model = readModel(folder);
    expect(model).toMatchObject({ method: name.split(' ')[0], settings });
    if (unsupervised(name)) expect(model.supervision).toBeNull();
    else {
      const share = { labelled: expect.any(Number), unlabelled: expect.any(Number) };
      expect(model.supervision).toMatchObject({ classes: ['blue', 'green', 'red'], accuracy: share });
    }
  });

  test('the software adapter and the f64 reference agree on a supervised fit', async () => {
    const options = ['--method', 'ssnmf', '--ranks', '3', ...supervised, '--max-iterations', '10', '--no-svd-bound'];
    await fitTo('on-software', ...options, '--device', 'software');
    await fitTo('on-cpu', ...options, '--device', 'cpu');
    const B = (device: string) => Array.from(readFactor(`on-${device}/B.npy`).data);
    B('software').forEach((b, i) => {
      expect(b).toBeCloseTo(B('cpu')[i], 3);
    });
    expect(readModel('on-software').supervision).toEqual(readModel('on-cpu').supervision);
  });

  test('the summary says how well labels are predicted', async () => {
    const stdout = await fitTo('told', '--ranks', '4,3', ...supervised, '--device', 'cpu');
    expect(stdout).toMatch(/labels +of 10 of 18 samples, 3 classes: blue, green, red\n/);
    expect(stdout).toMatch(/accuracy +100\.0 % of the labelled samples, 100\.0 % of the others\n/);
    expect(readModel('told').supervision?.accuracy).toEqual({ labelled: 1, unlabelled: 1 });
  });

  test('a class without a labelled sample works, and the summary says so', async () => {
    const some = put('some.txt', rows.map((_, i) => (truthOf(i) === 'blue' ? '\n' : `${truthOf(i)}\n`)).join(''));
    for (const method of ['neural', 'ssnmf']) {
      const options = ['--method', method, '--ranks', '3', '--labels', some, '--truth', truth, '--device', 'cpu'];
      const stdout = await fitTo(`some-${method}`, ...options);
      expect(stdout).toMatch(/\nNo sample is labelled with the class blue: it is never predicted and counted as wrong\.\n$/);
      expect(readModel(`some-${method}`)).toMatchObject({
        classesWithoutLabel: ['blue'],
        supervision: { classes: ['green', 'red'], accuracy: { labelled: 1, unlabelled: 0 } },
      });
    }
  });

  test.each(['nmf', 'ssnmf', 'neural'])('--weights with %s: the error is that of what it leaves, and no bound is known', async (method) => {
    const name = `masked-${method}`;
    const options = ['--method', method, '--ranks', '3', '--weights', mask, '--max-iterations', '10', '--device', 'cpu'];
    expect(await fitTo(name, ...options)).toContain('with weights no bound is known');
    const [A, S] = [readFactor(`${name}/A0.npy`), readFactor(`${name}/S0.npy`)];
    let [missed, all] = [0, 0];
    rows.forEach((row, i) => {
      row.forEach((x, j) => {
        if (isMissing(i, j)) return;
        let product = 0;
        for (let p = 0; p < 3; p++) product += A.data[j * 3 + p] * S.data[p * 18 + i];
        missed += (x - product) ** 2;
        all += x ** 2;
      });
    });
    expect(readModel(name)).toMatchObject({ svdBound: null, relativeError: expect.closeTo(Math.sqrt(missed / all), 4) });
  });

  test('a mask lies as the matrix does', async () => {
    const turned = (file: string, name: string) => {
      const of = readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(',').map(Number));
      return put(name, encodeNpy(transpose(matrix(of.length, of[0].length, of.flat()))));
    };
    const options = ['--method', 'nmf', '--ranks', '2', '--max-iterations', '10', '--device', 'cpu'];
    await fitTo('as-rows', ...options, '--weights', mask);
    const columns = ['fit', turned(data, 'm.npy'), '--samples', 'columns', '--weights', turned(mask, 'mask.npy'), ...options];
    expect((await runCli([...columns, '--out', at('as-columns')])).status).toBe(0);
    expect(readFileSync(at('as-columns/A0.npy'))).toEqual(readFileSync(at('as-rows/A0.npy')));
  });

  test('--stopping initialError ends long before convergence', async () => {
    await fitTo('early', '--method', 'nmf', '--ranks', '2', '--solver', 'mu', '--stopping', 'initialError', '--device', 'cpu');
    await fitTo('late', '--method', 'nmf', '--ranks', '2', '--solver', 'mu', '--device', 'cpu');
    expect(readModel('early').stopReason).toBe('tolerance');
    expect(readModel('early').options).toMatchObject({ stopping: 'initialError', solver: 'mu' });
    expect(readModel('early').iterations).toBeLessThan(readModel('late').iterations);
  });

  test.each(['deep-semi', 'sparse-coding'])('%s takes negative data', async (method) => {
    const signed = put('signed.csv', csv(rows.map((row) => row.map((x, j) => (j % 2 === 0 ? x : -x)))));
    const fit = ['fit', signed, '--method', method, '--ranks', '3', '--max-iterations', '5', '--device', 'cpu', '--json'];
    const { status, stdout } = await runCli(fit);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as ModelJson).method).toBe(method);
  });

  test('a fit into a folder of an earlier one leaves none of its factors', async () => {
    await fitTo('again', '--ranks', '4,3', ...supervised, '--max-iterations', '5', '--device', 'cpu');
    await fitTo('again', '--ranks', '2', '--max-iterations', '5', '--device', 'cpu');
    expect(readdirSync(at('again')).sort()).toEqual(['A0.npy', 'S0.npy', 'factors.safetensors', 'model.json']);
  });

  test('the help has every option in its group', async () => {
    const { stdout } = await runCli(['fit', '--help'], { columns: 100 });
    expect(stdout).toMatch(/\nLabels \(ssnmf, [^)]*\):\n {2}--labels <file>/);
    expect(stdout).toMatch(/\nMissing values \(nmf, ssnmf, hierarchical, neural\):\n {2}--weights <file>/);
    expect(stdout).toMatch(/\n {2}--layers <K> +unfolded: /);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
