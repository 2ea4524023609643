/** `orthant table1` with next to no iterations: that it is whole, not that it is good. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { multiply } from '../../src/data/matrix.js';
import { decodeNpy } from '../../src/formats/npy.js';
import { loadModel } from '../../src/node/model-folder.js';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const quick = ['--restarts', '1', '--max-iterations', '2', '--device', 'cpu'];

interface Spread {
  median: number;
  min: number;
  max: number;
}

describe('orthant table1', () => {
  const dir = at('table1');
  const read = (name: string) => readFileSync(path.join(dir, name), 'utf8');
  let stdout: string;

  beforeAll(async () => {
    const result = await runCli(['table1', '--seeds', '1', '--out', dir, '--report', path.join(dir, 'report.html'), ...quick]);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    stdout = result.stdout;
  });

  test('writes eight files and a folder for each seed', () => {
    const figures = ['A0A1A2S2.svg', 'A0A1S1.svg', 'A0S0.svg', 'X.svg'];
    expect(readdirSync(dir).sort()).toEqual([...figures, 'report.html', 'runs.json', 'seed-0', 'table1.json', 'table1.md']);
    expect(readdirSync(path.join(dir, 'seed-0'))).toHaveLength(45 + 8);
  });

  test('the page has every cell, and the example with its bounds', () => {
    const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(read('report.html'))!;
    const { tables, layers, command } = JSON.parse(json);
    const { cells, svdBounds } = JSON.parse(read('table1.json'));
    expect(tables[0].rows.map((row: unknown[]) => row.slice(0, 4))).toEqual(
      cells.map(({ supervision, layers: depth, method, stopping }: Record<string, unknown>) => [supervision, depth, method, stopping]),
    );
    expect(layers.map(({ svdBound }: { svdBound: number }) => svdBound)).toEqual(svdBounds.map(({ median }: Spread) => median));
    expect(command).toMatch(/^orthant table1 --seeds 1 /);
  });

  test('every cell can be checked from the data and the factors', async () => {
    const { cells } = JSON.parse(read('table1.json'));
    const { runs, device, restarts } = JSON.parse(read('runs.json'));
    expect({ device, restarts }).toEqual({ device: 'f64 reference on the CPU', restarts: 1 });
    const X = decodeNpy(readFileSync(path.join(dir, 'seed-0/X.npy')));
    const groups = read('seed-0/groups.csv')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    expect(groups.filter((row) => row[3] === '1')).toHaveLength(36);
    for (const [i, run] of runs.entries()) {
      const { A, S, supervision } = await loadModel(path.join(dir, run.model));
      const product = multiply(A.reduce(multiply), S[S.length - 1]);
      const sum = (terms: Float32Array) => terms.reduce((total, x) => total + x * x, 0);
      const error = Math.sqrt(sum(X.data.map((x, j) => x - product.data[j])) / sum(X.data));
      // Factors and the product are rounded to 24 bits; the sums of the product have at most nine terms ≥ 0.
      expect(Math.abs(run.error - error), run.model).toBeLessThan(16 * 2 ** -24);
      expect(run.error).toBe(cells[i].error.median);
      if (!supervision) continue;
      const { B } = supervision.classifiers[supervision.classifiers.length - 1];
      const scores = multiply(B, S[S.length - 1]);
      const best = (c: number) => {
        const column = supervision.classes.map((_, row) => scores.data[row * scores.cols + c]);
        return supervision.classes[column.indexOf(Math.max(...column))];
      };
      const right = groups.filter((row, c) => best(c) === row[run.layers - 1]).length;
      expect(run.accuracy, run.model).toBeCloseTo(right / 90, 10);
    }
  });

  test('table1.json holds seeds, bounds and all cells, and nothing else', () => {
    const table = JSON.parse(read('table1.json'));
    expect(Object.keys(table)).toEqual(['seeds', 'svdBounds', 'cells']);
    expect(table.seeds).toBe(1);
    expect(table.svdBounds.map((bound: object) => Object.keys(bound))).toEqual(Array(3).fill(['layers', 'rank', 'median', 'perSeed']));
    expect(table.svdBounds.map(({ layers, rank }: { layers: number; rank: number }) => [layers, rank])).toEqual([
      [1, 9],
      [2, 4],
      [3, 2],
    ]);
    const places = new Set<string>();
    for (const cell of table.cells) {
      const fields = ['supervision', 'layers', 'method', 'stopping', 'error', 'accuracy', 'unlabelledAccuracy', 'published'];
      expect(Object.keys(cell)).toEqual(fields);
      const { supervision, layers, method, stopping, error, accuracy, unlabelledAccuracy, published } = cell;
      places.add([supervision, layers, method, stopping].join());
      expectSpread(error);
      expect(error.min).toBeGreaterThanOrEqual(table.svdBounds[layers - 1].median * (1 - 1e-6));
      if (supervision === 'none') expect(accuracy).toBeNull();
      else expectSpread(accuracy);
      if (supervision === 'semi') expectSpread(unlabelledAccuracy);
      else expect(unlabelledAccuracy).toBeNull();
      expect(Object.keys(published)).toEqual(['error', 'accuracy']);
      expect(published.accuracy === null).toBe(supervision === 'none');
    }
    expect(places.size).toBe(45);
    expect([...places].filter((place) => place.endsWith('converged'))).toHaveLength(27);
    expect([...places].filter((place) => place.includes('neural'))).toHaveLength(9);
  });

  test('the published figures stand where they belong', () => {
    const { cells } = JSON.parse(read('table1.json'));
    const of = (supervision: string, layers: number, method: string) =>
      cells.find(
        (cell: { supervision: string; layers: number; method: string }) =>
          cell.supervision === supervision && cell.layers === layers && cell.method === method,
      ).published;
    expect(of('none', 3, 'hierarchical')).toEqual({ error: 0.86, accuracy: null });
    expect(of('semi', 2, 'deep')).toEqual({ error: 0.394, accuracy: 0.911 });
    expect(of('semi', 3, 'neural')).toEqual({ error: 0.496, accuracy: 0.99 });
    expect(of('full', 1, 'hierarchical')).toEqual({ error: 0.052, accuracy: 0.96 });
  });

  test('table1.md has a row for every cell, the statement, and the figures', () => {
    const markdown = read('table1.md');
    expect(markdown.split('\n').filter((line) => /^\| (none|semi|full) \|/.test(line))).toHaveLength(9 + 45);
    expect(markdown).toContain('## Where Neural NMF does not win');
    expect(markdown).toContain('## Against the published Neural NMF');
    for (const file of ['X.svg', 'A0S0.svg', 'A0A1S1.svg', 'A0A1A2S2.svg']) expect(markdown).toContain(`](${file})`);
    expect(markdown).not.toMatch(/NaN|undefined|null|Infinity/);
    expect(stdout).toContain('Where Neural NMF does not win: ');
    expect(stdout).toMatch(/written {2}.*table1: table1.json, table1.md, runs.json, X.svg.*, seed-0$/m);
  });

  test.each([
    ['X.svg', 'the data, seed 0: 87 × 90'],
    ['A0S0.svg', 'relative error 0.'],
    ['A0A1S1.svg', 'relative error 0.'],
    ['A0A1A2S2.svg', 'SVD bound 0.4'],
  ])('%s is well-formed and says what it shows', (file, caption) => {
    const svg = read(file);
    expect(svg).toContain(caption);
    expect(svg).not.toMatch(/NaN|undefined/);
    const open: string[] = [];
    for (const [, close, name, own] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!own) open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg.replaceAll(/<[^<>]*>/g, '')).not.toMatch(/[<>]/);
  });
});

test('--json prints what table1.json would hold, and nothing else; runs repeat', async () => {
  const runs = await Promise.all([1, 2].map(() => runCli(['table1', '--seeds', '1', '--json', ...quick])));
  expect(runs[0]).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(runs[0].stdout).cells).toHaveLength(45);
  expect(runs[1].stdout).toBe(runs[0].stdout);
});

test('a progress line counts the fits on a terminal', async () => {
  const { status, stderr } = await runCli(['table1', '--seeds', '1', '--json', ...quick], { tty: true, columns: 200 });
  expect(status).toBe(0);
  expect(stderr).toMatch(/of 45 fits, seed 0: /);
});

test.each([
  ['--seeds', '0'],
  ['--restarts', 'many'],
  ['--max-iterations', '-1'],
])('%s %s is refused', async (...option) => {
  const { status, stdout, stderr } = await runCli(['table1', ...option]);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(option[0]);
});

test('an output folder that cannot be written is refused before anything runs', async () => {
  const file = put('file', 'x');
  const { status, stderr } = await runCli(['table1', '--out', file]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/it is a file/);
  expect(existsSync(file)).toBe(true);
});

test('Ctrl-C ends with 130, without a word and without files', async () => {
  const interrupted = new AbortController();
  setTimeout(() => interrupted.abort(), 100);
  const argv = ['table1', '--device', 'cpu', '--out', at('interrupted')];
  expect(await runCli(argv, { signal: interrupted.signal })).toEqual({ status: 130, stdout: '', stderr: '' });
  expect(existsSync(at('interrupted'))).toBe(false);
});

function expectSpread(spread: Spread): void {
  expect(Object.keys(spread)).toEqual(['median', 'min', 'max']);
  expect(spread.min).toBeLessThanOrEqual(spread.median);
  expect(spread.median).toBeLessThanOrEqual(spread.max);
}
