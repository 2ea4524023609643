/** `orthant fit --online`: the fit of the library by the columns of a file, models that go on, and what is refused. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { printColumns } from '../../src/cli/progress.js';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, transpose } from '../../src/data/matrix.js';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.js';
import { onlineNmf } from '../../src/methods/online.js';
import { loadModel, loadOnlineState } from '../../src/node/model-folder.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { runCli, workFolder } from '../support/cli.js';

const work = workFolder();
const X = randomLowRank(12, 90, 3, { seed: 1, noise: 0.1 });
const npy = work.put('x.npy', encodeNpy(transpose(X)));
const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
const tableOf = (from: number, to: number, order = names.map((_, i) => i)) =>
  `${order.map((i) => names[i]).join(',')}\n${Array.from({ length: to - from }, (_, c) => order.map((i) => X.data[i * 90 + from + c]).join(',')).join('\n')}\n`;
const online = (...argv: string[]) => runCli(['fit', ...argv, '--online', '--device', 'cpu']);
const factor = (folder: string) => decodeNpy(readFileSync(`${folder}/A0.npy`));
const small = ['--ranks', '3', '--batch-size', '16'];

test('the model is that of the library, whichever side the samples are, in a file or on standard input', async () => {
  using engine = createReferenceEngine();
  const wanted = await onlineNmf(engine, [X], { ranks: 3, batchColumns: 16, forgetting: 0.5, samples: 90, passes: 2, seed: 4 });
  const options = [...small, '--forget', '0.5', '--passes', '2', '--seed', '4'];
  const columns = work.put('columns.npy', encodeNpy(X));
  for (const [name, argv] of Object.entries({ rows: [npy], columns: [columns, '--samples', 'columns'] })) {
    const { status, stdout } = await online(...argv, ...options, '--out', work.at(name));
    expect(status).toBe(0);
    expect(stdout).toMatch(/12 features × 90 samples, read in blocks/);
    expect(stdout).toMatch(/learned from +180 samples in 12 batches/);
    expect(factor(work.at(name))).toEqual(wanted.A[0]);
  }
  const spooled = await runCli(['fit', '-', '--online', '--device', 'cpu', ...options, '--out', work.at('spooled')], {
    stdin: [readFileSync(npy)],
  });
  expect([spooled.status, spooled.stdout]).toEqual([0, expect.stringMatching(/data +standard input: 12 features/)]);
  expect(factor(work.at('spooled'))).toEqual(wanted.A[0]);
  // transform takes it as any other model.
  const applied = await runCli(['transform', work.at('rows'), npy, '--device', 'cpu', '--out', work.at('S.npy')]);
  expect(applied.status).toBe(0);
});

test('a model goes on as one fit would, with the features in the order of the model', async () => {
  const model = work.at('goes-on');
  const [first, second] = [work.put('a.csv', tableOf(0, 48)), work.put('b.csv', tableOf(48, 90))];
  expect((await online(first, ...small, '--out', model)).status).toBe(0);
  expect((await loadModel(model)).features).toEqual(names);
  const before = (await loadOnlineState(model))!;
  expect(before.seen.columns).toBe(48);
  const then = await online(second, '--batch-size', '16', '--start', model, '--out', work.at('then'));
  expect([then.status, then.stdout]).toEqual([0, expect.stringMatching(/start +\S+: the model of nmf, with its sums/)]);
  // Whole batches forget alike, so cutting between them changes nothing.
  const all = await online(work.put('all.csv', tableOf(0, 90)), ...small, '--out', work.at('all'));
  expect(all.status).toBe(0);
  // The reference computes in f64, and the file holds f32: a few of its roundings, which the sums of 90 columns keep small.
  const close = (a: Matrix, b: Matrix) => {
    const largest = Math.max(...b.data);
    a.data.forEach((x, at) => {
      expect(Math.abs(x - b.data[at])).toBeLessThan(1e-5 * largest);
    });
  };
  close(factor(work.at('then')), factor(work.at('all')));
  const [kept, whole] = [await loadOnlineState(work.at('then')), await loadOnlineState(work.at('all'))];
  kept!.sums.forEach((sum, i) => {
    close(sum, whole!.sums[i]);
  });
  const order = names.map((_, i) => i).reverse();
  const turned = await online(
    work.put('turned.csv', tableOf(48, 90, order)),
    '--batch-size',
    '16',
    '--start',
    model,
    '--out',
    work.at('turned'),
  );
  expect(turned.stdout).toMatch(/stand in another order/);
  const [A, B] = [factor(work.at('then')), factor(work.at('turned'))];
  order.forEach((i, row) => {
    for (let j = 0; j < 3; j++) expect(B.data[row * 3 + j]).toBeCloseTo(A.data[i * 3 + j], 6);
  });
  // A model of another fit is a start without sums.
  const plain = work.at('plain');
  expect((await runCli(['fit', npy, '--method', 'nmf', '--ranks', '3', '--device', 'cpu', '--out', plain])).status).toBe(0);
  expect((await online(npy, '--start', plain, '--out', plain)).stdout).toMatch(/start +\S+: the model of nmf\n/);
  expect(existsSync(`${plain}/online.safetensors`)).toBe(true);
});

test('--json is the content of model.json', async () => {
  const { status, stdout } = await online(npy, ...small, '--json', '--out', work.at('json'));
  expect(status).toBe(0);
  const [said, kept] = [JSON.parse(stdout), JSON.parse(readFileSync(work.at('json/model.json'), 'utf8'))];
  expect({ ...said, times: 0 }).toEqual({ ...kept, times: 0 });
  expect(said.files['online.safetensors']).toMatch(/^[0-9a-f]{64}$/);
});

describe('bad input', () => {
  test.each<[string, string[], RegExp]>([
    ['another method', ['--ranks', '3', '--method', 'neural'], /--online is for --method nmf, not for neural/],
    ['restarts', ['--ranks', '3', '--restarts', '2'], /--restarts does not go with --online/],
    ['a checkpoint', ['--ranks', '3', '--checkpoint', '5'], /--checkpoint does not go with --online/],
    ['no bound', ['--ranks', '3', '--no-svd-bound'], /--no-svd-bound does not go with --online/],
    ['batch columns', ['--ranks', '3', '--batch-columns', '5'], /--batch-columns does not go with --online: .*--batch-size/],
    ['a solver', ['--ranks', '3', '--solver', 'anls'], /--solver of --online must be hals or mu, not anls/],
    ['no ranks', [], /--ranks/],
    ['two ranks', ['--ranks', '3,2'], /one rank/],
    ['a rank beyond the features', ['--ranks', '13'], /Rank 13 is more/],
    ['forgetting all', ['--ranks', '3', '--forget', '0'], /--forget/],
    ['no batch', ['--ranks', '3', '--batch-size', '0'], /--batch-size/],
    ['a word to start with', ['--ranks', '3', '--start', 'nndsvd'], /--start of --online must be random or a folder/],
  ])('%s', async (_, options, message) => {
    const { status, stderr } = await online(npy, ...options);
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('options without --online, entries by their place, other features and another rank than the model has', async () => {
    const alone = await runCli(['fit', npy, '--ranks', '3', '--forget', '0.5']);
    expect([alone.status, alone.stderr]).toEqual([2, expect.stringMatching(/--forget belongs to --online/)]);
    const table = tableOf(0, 90).split('\n');
    table[60] = table[60].replace(/^[^,]*/, '-3');
    const negative = await online(work.put('negative.csv', table.join('\n')), ...small);
    expect([negative.status, negative.stderr]).toEqual([
      2,
      expect.stringMatching(/negative\.csv: row 60, column 1 \(f0\), the header not counted, is -3/),
    ]);
    const model = work.at('known');
    await online(npy, ...small, '--out', model);
    const other = await online(npy, '--ranks', '4', '--start', model);
    expect([other.status, other.stderr]).toEqual([2, expect.stringMatching(/--ranks is 4, but the model in \S+, which goes on, has 3/)]);
    const fewer = await online(work.put('fewer.csv', '1,2,3\n4,5,6\n'), '--start', model);
    expect([fewer.status, fewer.stderr]).toEqual([2, expect.stringMatching(/has 12 features, but \S+ has 3/)]);
  });
});

test('the line of progress fits the terminal, and tells what is left where the samples are counted', () => {
  const latest = { pass: 2, batch: 5, columns: 5120, relativeError: 0.25, elapsedMs: 10_000 };
  const told = { latest, passes: 2, cols: 10_240, seconds: 10 };
  expect(printColumns(told, 100)).toBe('pass 2 of 2: 5120 of 10240 samples, batch 5, error 0.25000, 10 s, about 4 s left');
  expect(printColumns({ ...told, passes: 1, cols: undefined }, 100)).toBe('5120 samples, batch 5, error 0.25000, 10 s');
  for (const width of [20, 40, 60]) expect(printColumns(told, width).length).toBeLessThan(width);
  expect(printColumns({ passes: 1, seconds: 1 }, 80)).toBe('starting, 1 s');
});
