import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Matrix, transpose } from '../../src/data/matrix.js';
import { parseCsvMatrix } from '../../src/formats/csv.js';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js';
import { loadModel } from '../../src/node/model-folder.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const csv = lowRankCsv(14, 6, 3);
const matrixFile = put('m.csv', csv);
const X = transpose(parseCsvMatrix(csv).X);

interface ModelJson {
  method: string;
  ranks: number[];
  options: Record<string, unknown>;
  seed: number;
  shape: { features: number; samples: number };
  relativeError: number;
  svdBound: number | null;
  layers: { rank: number; relativeError: number; svdBound: number | null }[];
  kktResidual: number;
  history: { stage: string; iteration: number; relativeError: number }[];
  iterations: number;
  converged: boolean;
  stopReason: string;
  device: { kind: string; description: string; software: boolean };
  times: { elapsedMs: number };
}

const readModel = (dir: string) => JSON.parse(readFileSync(path.join(dir, 'model.json'), 'utf8')) as ModelJson;
const readFactor = (dir: string, name: string) => decodeNpy(readFileSync(path.join(dir, name)));

async function fitTo(name: string, ...options: string[]): Promise<string> {
  const { status, stderr } = await runCli(['fit', matrixFile, '--out', at(name), ...options]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return at(name);
}

describe('orthant fit', () => {
  test('writes factors whose products are as close to X as model.json says', async () => {
    const dir = await fitTo('neural', '--ranks', '4,3,2', '--device', 'cpu', '--restarts', '2', '--seed', '5');
    expect(readdirSync(dir).sort()).toEqual([
      'A0.npy',
      'A1.npy',
      'A2.npy',
      'S0.npy',
      'S1.npy',
      'S2.npy',
      'factors.safetensors',
      'model.json',
    ]);
    const model = readModel(dir);
    expect(model).toMatchObject({
      method: 'neural',
      ranks: [4, 3, 2],
      seed: 5,
      shape: { features: 6, samples: 14 },
      device: { kind: 'reference', software: true },
      options: { restarts: 2, samples: 'rows' },
    });
    expect(typeof model.converged).toBe('boolean');
    expect(model.history.length).toBeGreaterThan(0);
    let product: Matrix | undefined;
    model.layers.forEach(({ rank, relativeError, svdBound }, l) => {
      const [A, S] = [readFactor(dir, `A${l}.npy`), readFactor(dir, `S${l}.npy`)];
      expect([A.rows, A.cols, S.rows, S.cols]).toEqual([l === 0 ? 6 : [4, 3, 2][l - 1], rank, rank, 14]);
      expect(Math.min(...A.data, ...S.data)).toBeGreaterThanOrEqual(0);
      product = product ? times(product, A) : A;
      expect(distance(X, times(product, S))).toBeCloseTo(relativeError, 4);
      expect(relativeError).toBeGreaterThanOrEqual(svdBound! - 1e-6);
    });
    expect(model.relativeError).toBe(model.layers[2].relativeError);
    expect(model.svdBound).toBe(model.layers[2].svdBound);
  });

  test.each(['nmf', 'hierarchical'])('--method %s', async (method) => {
    const dir = await fitTo(method, '--method', method, '--ranks', method === 'nmf' ? '3' : '3,2', '--device', 'cpu');
    expect(readModel(dir)).toMatchObject({ method, ranks: method === 'nmf' ? [3] : [3, 2] });
    expect(distance(X, times(readFactor(dir, 'A0.npy'), readFactor(dir, 'S0.npy')))).toBeLessThan(0.05);
  });

  test('the software adapter and the f64 reference agree', async () => {
    const [gpu, cpu] = [
      readModel(await fitTo('on-software', '--ranks', '4,2', '--restarts', '2', '--device', 'software')),
      readModel(await fitTo('on-cpu', '--ranks', '4,2', '--restarts', '2', '--device', 'cpu')),
    ];
    expect([gpu.device.kind, cpu.device.kind]).toEqual(['webgpu', 'reference']);
    expect(gpu.relativeError).toBeCloseTo(cpu.relativeError, 3);
    expect(gpu.svdBound).toBe(cpu.svdBound);
  });

  test('the same seed gives the same files, another seed others', async () => {
    const options = ['--ranks', '3,2', '--max-iterations', '20', '--seed'];
    const [first, again] = [
      await fitTo('s1', ...options, '1', '--device', 'software'),
      await fitTo('s1-again', ...options, '1', '--device', 'software'),
    ];
    const factors = readdirSync(first).filter((name) => name.endsWith('.npy'));
    expect(factors).toHaveLength(4);
    for (const name of factors) expect(readFileSync(path.join(again, name))).toEqual(readFileSync(path.join(first, name)));
    expect({ ...readModel(again), times: 0 }).toEqual({ ...readModel(first), times: 0 });
    const [one, two] = [await fitTo('c1', ...options, '1', '--device', 'cpu'), await fitTo('c2', ...options, '2', '--device', 'cpu')];
    expect(readFactor(two, 'A0.npy').data).not.toEqual(readFactor(one, 'A0.npy').data);
  });

  test('--json prints the content of model.json and nothing else', async () => {
    const { status, stdout, stderr } = await runCli(['fit', matrixFile, '--ranks', '2', '--device', 'cpu', '--json', '--out', at('json')], {
      tty: true,
    });
    expect(status).toBe(0);
    expect(stderr).toMatch(/\d+ of 1000/); // the progress line
    expect(JSON.parse(stdout)).toEqual(readModel(at('json')));
  });

  test('--format safetensors writes the model alone', async () => {
    const { stdout } = await runCli([
      'fit',
      matrixFile,
      '--ranks',
      '2',
      '--device',
      'cpu',
      '--format',
      'safetensors',
      '--out',
      at('alone'),
      '--json',
    ]);
    expect(readdirSync(at('alone')).sort()).toEqual(['factors.safetensors', 'model.json']);
    expect(JSON.parse(stdout)).toEqual(readModel(at('alone')));
  });

  test('--samples columns reads a file whose columns are samples, here from .npy', async () => {
    const file = put('columns.npy', encodeNpy(X));
    const { stdout } = await runCli(['fit', file, '--samples', 'columns', '--ranks', '3', '--device', 'cpu', '--json']);
    const rows = await runCli(['fit', matrixFile, '--ranks', '3', '--device', 'cpu', '--json']);
    const pick = ({ shape, relativeError, history }: ModelJson) => ({ shape, relativeError, history });
    expect(pick(JSON.parse(stdout))).toEqual(pick(JSON.parse(rows.stdout)));
  });

  test('--max-iterations, --tolerance and --no-svd-bound reach the fit', async () => {
    const options = ['--method', 'nmf', '--ranks', '2', '--max-iterations', '30', '--tolerance', '0', '--no-svd-bound'];
    const dir = await fitTo('limited', ...options, '--device', 'cpu');
    expect(readModel(dir)).toMatchObject({ iterations: 30, stopReason: 'maxIterations', converged: false, svdBound: null });
  });

  test('--half keeps X in 16 bits: another result, about the same error, and model.json says so', async () => {
    const options = ['--method', 'nmf', '--ranks', '2', '--max-iterations', '30', '--device', 'software'];
    const [full, half] = [readModel(await fitTo('full', ...options)), readModel(await fitTo('half', ...options, '--half'))];
    expect(half.options).toMatchObject({ half: true });
    expect(half.relativeError).not.toBe(full.relativeError);
    expect(Math.abs(half.relativeError - full.relativeError)).toBeLessThan(2 ** -11);
  });

  test('the summary names data, device, errors beside bounds, and files', async () => {
    const { stdout, stderr } = await runCli([
      'fit',
      matrixFile,
      '--ranks',
      '3,2',
      '--device',
      'cpu',
      '--restarts',
      '2',
      '--out',
      at('human'),
    ]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/6 features × 14 samples/);
    expect(stdout).toMatch(/device +f64 reference on the CPU/);
    expect(stdout).toMatch(/layer +rank +relative error +SVD bound +error ÷ bound\n +0 +3 +0\.\d{5} +0\.\d{5} +1\.\d{4}\n/);
    expect(stdout).toMatch(/restarts +2: errors/);
    expect(stdout).toMatch(/written +.*human: A0.npy, A1.npy, S0.npy, S1.npy, factors.safetensors, model.json\n/);
  });

  test('Ctrl-C ends with 130 at the next check, and keeps what there is', async () => {
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(), 100);
    const argv = ['fit', matrixFile, '--ranks', '4,2', '--device', 'cpu', '--tolerance', '0', '--max-iterations', '1000000'];
    const result = await runCli([...argv, '--out', at('interrupted')], { signal: interrupted.signal });
    expect(result.status).toBe(130);
    expect(result.stdout).toMatch(/iterations +\d+: it was stopped/);
    expect(result.stderr).toMatch(/^orthant: Ctrl-C ended the fit after \d+ iterations\. .*interrupted holds what it had reached\.\n$/);
    expect((await loadModel(at('interrupted'))).stopReason).toBe('stopped');
    const nothing = new AbortController();
    nothing.abort();
    expect(await runCli(argv, { signal: nothing.signal })).toEqual({ status: 130, stdout: '', stderr: '' });
  });
});

function times(A: Matrix, B: Matrix): Matrix {
  const entry = (i: number, j: number) => {
    let sum = 0;
    for (let p = 0; p < A.cols; p++) sum += A.data[i * A.cols + p] * B.data[p * B.cols + j];
    return sum;
  };
  const data = Float32Array.from({ length: A.rows * B.cols }, (_, at) => entry(Math.floor(at / B.cols), at % B.cols));
  return { rows: A.rows, cols: B.cols, data };
}

function distance(X: Matrix, Y: Matrix): number {
  const norm = (data: Float32Array) => Math.hypot(...data);
  return norm(X.data.map((x, i) => x - Y.data[i])) / norm(X.data);
}
