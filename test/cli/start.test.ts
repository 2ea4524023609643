/** --start: a fit that goes on from a model, or from factors of other programs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { lowRankCsv, runCli, smallCorpus, workFolder } from '../support/cli.js';

const work = workFolder();
const device = ['--device', 'cpu'];
const csv = work.put('x.csv', lowRankCsv(14, 9, 3)); // rows are samples: X is 9×14
const fitWith = (...argv: string[]) => runCli(['fit', ...argv, ...device, '--no-svd-bound']);
const json = async (...argv: string[]) => {
  const { status, stdout, stderr } = await fitWith(...argv, '--json');
  expect([status, stderr.replace(/^orthant: .*: note.*\n/gm, '')]).toEqual([0, expect.any(String)]);
  return JSON.parse(stdout);
};

/** A folder of files. */
function folder(name: string, files: Record<string, string | Uint8Array>): string {
  mkdirSync(work.at(name));
  for (const [file, content] of Object.entries(files)) work.put(`${name}/${file}`, content);
  return work.at(name);
}
const given = (rows: number, cols: number, seed: number) => randomLowRank(rows, cols, 1, { seed, noise: 0.5 });
const asCsv = ({ rows, cols, data }: Matrix, head = '', names: readonly string[] = []) =>
  head +
  Array.from({ length: rows }, (_, i) =>
    [...(names.length > 0 ? [names[i]] : []), ...data.subarray(i * cols, (i + 1) * cols)].join(','),
  ).join('\n');

describe('a model', () => {
  test('goes on where it ended, without --ranks', async () => {
    const model = work.at('model');
    const first = await json(csv, '--ranks', '3,2', '--max-iterations', '12', '--tolerance', '0', '--out', model);
    const then = await json(csv, '--start', model, '--max-iterations', '2', '--tolerance', '0', '--stopping', 'initialError');
    expect(then.ranks).toEqual([3, 2]);
    expect(then.history[0].iteration).toBe(0);
    // The history is that of the objective, the root of the mean square of the errors of all levels.
    const ofLevels = Math.hypot(...first.layers.map((layer: { relativeError: number }) => layer.relativeError)) / Math.sqrt(2);
    expect(Math.abs(then.history[0].relativeError - ofLevels)).toBeLessThan(1e-6);
    expect(then.options.start).toBe(model);
    // The folder may also be the one for the result; its model.json stands for it.
    const { status, stdout } = await fitWith(csv, '--start', `${model}/model.json`, '--max-iterations', '5', '--out', model);
    expect(status).toBe(0);
    expect(stdout).toMatch(/start +\S+model\.json: the model of neural/);
    expect(JSON.parse(readFileSync(`${model}/model.json`, 'utf8')).relativeError).toBeLessThanOrEqual(first.relativeError + 1e-6);
  });

  test('gets its features and samples in the order of the data, and others are refused', async () => {
    const model = work.at('named');
    const head = readFileSync(csv, 'utf8').split('\n');
    const [names, ...rows] = head.filter(Boolean);
    const table = (order: number[], side: number[]) =>
      [
        `id,${side.map((j) => names.split(',')[j]).join(',')}`,
        ...order.map((i) => `s${i},${side.map((j) => rows[i].split(',')[j]).join(',')}`),
      ].join('\n');
    const places = (count: number) => Array.from({ length: count }, (_, i) => i);
    const [plain, turned] = [table(places(14), places(9)), table(places(14).reverse(), places(9).reverse())];
    const before = await json(work.put('plain.csv', plain), '--method', 'nmf', '--ranks', '3', '--out', model);
    const options = ['--method', 'nmf', '--solver', 'hals', '--start', model, '--max-iterations', '1', '--tolerance', '0'];
    const { status, stdout } = await fitWith(work.put('turned.csv', turned), ...options);
    expect(status).toBe(0);
    expect(stdout).toMatch(/The features of \S+ stand in another order/);
    expect(stdout).toMatch(/The samples of \S+ stand in another order/);
    const after = await json(work.at('turned.csv'), ...options);
    expect(after.relativeError).toBeLessThanOrEqual(before.relativeError + 1e-6);
    const fewer = await fitWith(work.put('fewer.csv', table(places(14).slice(1), places(9))), ...options);
    expect([fewer.status, fewer.stderr]).toEqual([
      2,
      expect.stringMatching(
        /The samples of \S+named are not those of \S+fewer\.csv: \S+ does not know s0\. Give the same samples, or a folder with A alone/,
      ),
    ]);
    const others = await fitWith(work.put('others.csv', plain.replace('f3', 'g3')), ...options);
    expect(others.stderr).toMatch(/The features of \S+named are not those of \S+others\.csv: it lacks g3 and \S+ does not know f3/);
    // Neural NMF begins with A alone, so other samples are fine.
    const neural = await json(work.at('fewer.csv'), '--start', model, '--max-iterations', '2');
    expect(neural.ranks).toEqual([3]);
  });
});

describe('files of factors', () => {
  test.each(['npy', 'csv', 'parquet', 'json'])('as fit writes them, %s', async (format) => {
    const out = work.at(`as-${format}`);
    const options = ['--method', 'hierarchical', '--solver', 'hals', '--tolerance', '0', '--max-iterations', '8'];
    const first = await json(csv, ...options, '--ranks', '3,2', '--out', out, '--format', format);
    const loose = Object.fromEntries(
      ['A0', 'A1', 'S0', 'S1'].map((name) => [`${name}.${format}`, readFileSync(`${out}/${name}.${format}`)]),
    );
    const start = folder(`loose-${format}`, loose);
    const then = await json(csv, ...options, '--start', start, '--stopping', 'initialError');
    expect(then.ranks).toEqual([3, 2]);
    const end = first.history.filter(({ stage }: { stage: string }) => stage === 'layer 1 of 2').at(-1);
    expect(Math.abs(then.history[0].relativeError - end.relativeError)).toBeLessThan(1e-6);
  });

  test('one layer without a number, A alone, rows by name', async () => {
    const A = given(9, 3, 1);
    const names = Array.from({ length: 9 }, (_, j) => `f${j}`);
    const options = ['--method', 'nmf', '--max-iterations', '3', '--stopping', 'initialError'];
    const plain = await json(csv, ...options, '--start', folder('one', { 'A.csv': asCsv(A), 'notes.md': 'x' }));
    const reversed = matrix(
      9,
      3,
      Array.from({ length: 27 }, (_, at) => A.data[(8 - Math.floor(at / 3)) * 3 + (at % 3)]),
    );
    const named = folder('by-name', { 'A0.csv': asCsv(reversed, 'feature,a,b,c\n', [...names].reverse()) });
    expect((await json(csv, ...options, '--start', named)).history).toEqual(plain.history);
  });

  test('a word of the method comes before a folder of that name', async () => {
    const start = folder('random', { 'A.csv': asCsv(given(9, 3, 1)) });
    const here = process.cwd();
    process.chdir(work.at('.'));
    try {
      const { status, stderr } = await fitWith(csv, '--method', 'nmf', '--start', 'random');
      expect([status, stderr]).toEqual([2, expect.stringContaining("required option '--ranks <list>' not specified")]);
      expect((await json(csv, '--method', 'nmf', '--start', './random', '--max-iterations', '2')).ranks).toEqual([3]);
      expect(start).toMatch(/random$/);
    } finally {
      process.chdir(here);
    }
  });
});

test('nndsvd, with a note where its zeros stay', async () => {
  const options = [csv, '--method', 'nmf', '--ranks', '3', '--max-iterations', '5'];
  const noted = await fitWith(...options, '--start', 'nndsvd', '--solver', 'mu');
  expect(noted.stdout).toContain('With --start nndsvd entries that begin at 0 stay 0 in nmf with mu; nndsvda fills them.');
  for (const more of [
    ['--start', 'nndsvda', '--solver', 'mu'],
    ['--start', 'nndsvd'],
  ]) {
    const { status, stdout } = await fitWith(...options, ...more);
    expect(status).toBe(0);
    expect(stdout).not.toContain('stay 0');
  }
});

test('topics go on from a model of the same terms, with one restart', async () => {
  const corpus = work.put('corpus.jsonl', smallCorpus());
  const topics = (...argv: string[]) =>
    runCli(['topics', corpus, '--min-documents', '1', '--max-terms', '40', ...argv, ...device, '--no-svd-bound']);
  const model = work.at('topics-model');
  expect((await topics('--ranks', '3,2', '--max-iterations', '10', '--out', model)).status).toBe(0);
  const then = await topics('--start', model, '--max-iterations', '5', '--json');
  expect([then.status, then.stderr]).toEqual([0, '']);
  const { ranks, restartErrors } = JSON.parse(then.stdout);
  expect([ranks, restartErrors.length]).toEqual([[3, 2], 1]);
  const other = await topics('--start', model, '--stop-words', 'ocean');
  expect([other.status, other.stderr]).toEqual([
    2,
    expect.stringMatching(/The terms of \S+ are not those of \S+: \S+ does not know ocean/),
  ]);
  const seeded = await topics('--start', model, '--seed-topic', 'sea: ocean');
  expect([seeded.status, seeded.stderr]).toEqual([
    2,
    expect.stringContaining('--start gives every topic a start, and seed words change one'),
  ]);
});

test('what cannot begin is named by its flag', async () => {
  const npy = (rows: number, cols: number) => encodeNpy(given(rows, cols, 1));
  const A = npy(9, 3);
  const cases: [string, string[], string | RegExp][] = [
    ['no-such', [], /--start of nmf must be random, nndsvd, nndsvda, nndsvdar or a folder of factors, and there is no folder 'no-such'/],
    [folder('empty', { 'notes.md': 'x' }), [], /holds no factors: neither a model\.json, nor A or A0, A1, … or S or S0/],
    [
      folder('twice', { 'A0.npy': A, 'A.csv': '1,2,3' }),
      [],
      /has A\.csv and A0\.npy, which are one factor|has A0\.npy and A\.csv, which are one/,
    ],
    [folder('gap', { 'A0.npy': A, 'A2.npy': A }), [], /has A2\.npy, but no A1/],
    [folder('holes', { 'A.csv': `a,b\n1,\n2,3\n` }), [], /A\.csv has cells without a value/],
    [
      folder('short', { 'A.npy': npy(8, 3) }),
      [],
      /^orthant: --start\.A is 8×3, but beside X, 9×14, and the ranks of this fit it must be 9×3/,
    ],
    [folder('right', { 'A.npy': A }), ['--ranks', '2'], /--ranks is \[2\], but the factors of --start have the ranks \[3\]/],
    [work.at('right'), ['--restarts', '4'], /--restarts is 4, but every one would begin with the same start, factors/],
    [work.at('right'), ['--method', 'neural', '--start-iterations', '3'], /--start-iterations does nothing without --start 'hierarchical'/],
  ];
  for (const [start, more, message] of cases) {
    const { status, stderr } = await fitWith(csv, '--method', 'nmf', '--start', start, ...more);
    expect([start, status, stderr]).toEqual([start, 2, expect.stringMatching(message)]);
  }
});
