/** Tables as people have them, on the command line: what is said, which names go where, what is refused. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { transpose } from '../../src/data/matrix.js';
import { parseCsvMatrix } from '../../src/formats/csv.js';
import { decodeNpy } from '../../src/formats/npy.js';
import { loadModel } from '../../src/node/model-folder.js';
import { runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const fitNmf = (file: string, ...more: string[]) =>
  runCli(['fit', file, '--method', 'nmf', '--ranks', '2', '--device', 'cpu', '--max-iterations', '20', ...more]);

const named = 'cell,g1,g2,g3\nc1-1,1,2,3\nc2-1,2,4,6\nc3-1,0,1,5\nc4-1,3,0,1\n';
test.each<[file: string, content: string | Uint8Array, more: string[], data: string, table: string]>([
  [
    'catalogue.txt',
    'Mutation Types\tS1\tS2\tS3\nA[C>A]A\t10\t20\t30\nA[C>A]C\t4\t8\t12\n',
    ['--samples', 'columns'],
    '2 features × 3 samples',
    '2 rows × 3 columns, names in the first column, header in line 1',
  ],
  ['named.csv', named, [], '3 features × 4 samples', '4 rows × 3 columns, names in the first column, header in line 1'],
  ['named.csv.gz', gzipSync(named), [], '3 features × 4 samples', '4 rows × 3 columns, names in the first column, header in line 1'],
  ['zipped.csv', gzipSync(named), [], '3 features × 4 samples', '4 rows × 3 columns, names in the first column, header in line 1'],
  [
    'rtable.tsv',
    'g1\tg2\tg3\nc1\t1\t2\t3\nc2\t2\t4\t6\nc3\t0\t1\t5\n',
    [],
    '3 features × 3 samples',
    '3 rows × 3 columns, names in the first column, header in line 1',
  ],
  [
    'savetxt.txt',
    '1.0e+00 2.0e+00\n2.0e+00 4.0e+00\n3.0e+00 1.0e+00\n',
    [],
    '2 features × 3 samples',
    '3 rows × 2 columns, no header, cells between blanks',
  ],
  ['missing.csv', '1,2,NA\n2,,6\n3,6,9\n4,8,12\n', [], '3 features × 4 samples', '4 rows × 3 columns, no header, 2 cells without a value'],
  [
    'told.csv',
    '1;2,5\n3;-999\n4;1\n',
    ['--missing', '-999', '--decimal', ',', '--delimiter', 'semicolon'],
    '2 features × 3 samples',
    '3 rows × 2 columns, no header, cells between semicolons, decimal commas, 1 cell without a value',
  ],
  [
    'some.csv',
    'a,type,b,c\n1,x,2,3\n4,y,5,7\n',
    ['--skip-columns', 'type', '--columns', 'a,3-4'],
    '3 features × 2 samples',
    '2 rows × 3 columns, header in line 1, 1 column left out',
  ],
])('%s', async (file, content, more, data, table) => {
  const { status, stdout, stderr } = await fitNmf(put(file, content), ...more);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^data +.*: ${data}$`, 'm'));
  expect(stdout.split('\n')[1]).toBe(`table         ${table}`);
});

test('what could be read otherwise is a note, and the flag settles it', async () => {
  const file = put('spectra.csv', '400,410,420,430\n0.1,0.2,0.3,0.1\n0.2,0.4,0.6,0.2\n0.3,0.1,0.2,0.5\n');
  const { stdout } = await fitNmf(file);
  expect(stdout).toContain('4 features × 3 samples');
  expect(stdout).toContain(
    'note: Line 1 (400, 410, 420, 430) is read as the header, since its numbers rise and those below do not; --no-header reads it as data.\n',
  );
  expect((await fitNmf(file, '--no-header')).stdout).toContain('4 features × 4 samples');
  const json = await fitNmf(file, '--json');
  expect(json.stderr).toContain('orthant: ');
  expect(json.stderr).toContain('--no-header reads it as data.');
  expect(JSON.parse(json.stdout)).toMatchObject({ reading: '3 rows × 4 columns, header in line 1', shape: { features: 4, samples: 3 } });
});

test('missing cells have no influence, whatever a mask would hide', async () => {
  const rows = Array.from({ length: 8 }, (_, i) => Array.from({ length: 5 }, (_, j) => 1 + Math.sin(i + 2 * j) ** 2));
  const lines = (cell: (x: number, i: number, j: number) => unknown) =>
    rows.map((row, i) => row.map((x, j) => cell(x, i, j)).join(',')).join('\n');
  const gone = (i: number, j: number) => (i + 2 * j) % 4 === 1;
  await fitNmf(
    put(
      'holes.csv',
      lines((x, i, j) => (gone(i, j) ? 'NA' : x)),
    ),
    '--out',
    at('holes'),
  );
  await fitNmf(
    put(
      'full.csv',
      lines((x) => x),
    ),
    '--weights',
    put(
      'w.csv',
      lines((_, i, j) => (gone(i, j) ? 0 : 1)),
    ),
    '--out',
    at('masked'),
  );
  expect(decodeNpy(readFileSync(at('holes/A0.npy')))).toEqual(decodeNpy(readFileSync(at('masked/A0.npy'))));
  // Both: hidden by the file, and by the weights.
  await fitNmf(
    at('holes.csv'),
    '--weights',
    put(
      'w2.csv',
      lines((_, i) => (i === 2 ? 0.5 : 1)),
    ),
    '--out',
    at('both'),
  );
  await fitNmf(
    at('full.csv'),
    '--weights',
    put(
      'w3.csv',
      lines((_, i, j) => (gone(i, j) ? 0 : i === 2 ? 0.5 : 1)),
    ),
    '--out',
    at('one'),
  );
  expect(decodeNpy(readFileSync(at('both/A0.npy')))).toEqual(decodeNpy(readFileSync(at('one/A0.npy'))));
});

test.each<[string, string, string[], RegExp]>([
  [
    'deep',
    'id,a,b\nx,1,2\ny,3,\nz,,1\n',
    [],
    /: 2 cells have no value, the first in row 2 \(y\), column 2 \(b\), names not counted\. deep needs all of them; nmf, ssnmf, hierarchical and neural leave them out: give --method\.$/,
  ],
  [
    'nmf',
    'id,a,b\nx,1,2\ny,NA,\nz,4,1\n',
    [],
    /: row 2 \(y\) has no value at all, so nothing can be learned of that sample; leave it out\.$/,
  ],
  [
    'nmf',
    'id,a,b\nx,1,\ny,2,\nz,4,\n',
    ['--samples', 'columns'],
    /: column 2 \(b\) has no value at all, so nothing can be learned of that sample/,
  ],
  ['nmf', 'id,a,b\nx,1,2\ny,3,-4\n', [], /: row 2 \(y\), column 2 \(b\), names not counted, is -4, but every entry must be ≥ 0/],
  [
    'nmf',
    'id,a,type\nx,1,u\ny,3,v\n',
    [],
    /: line 2 \(x\), column 3 \(type\) has "u", which is not a number; correct it, or leave the column out: --skip-columns "type"\.$/,
  ],
  ['nmf', '1,2\nx,3\n2,3\n', [], /if the first column has names, say --names; correct it, or leave/],
  ['nmf', '1,x\n2,3\n', [], /if this line is the header, say --header; correct it/],
  ['nmf', 'a,b\n1,2\n', ['--columns', 'c'], /has no column "c"; it has 2, such as a, b\./],
  ['nmf', 'a,b\n1,2\n', ['--delimiter', 'xy'], /It must be one character, or comma, semicolon, tab, blanks or pipe\./],
  ['nmf', 'a,b\n1,2\n', ['--encoding', 'klingon'], /--encoding must be the name of an encoding/],
])('%s refuses %j %j', async (method, text, more, message) => {
  const { status, stderr } = await runCli(['fit', put('bad.csv', text), '--method', method, '--ranks', '1', '--device', 'cpu', ...more]);
  expect(status).toBe(2);
  expect(stderr.trimEnd()).toMatch(message);
});

test('options of tables are for tables', async () => {
  await fitNmf(put('n.csv', named), '--out', at('n'));
  expect((await fitNmf(at('n/A0.npy'), '--no-header')).stderr).toMatch(
    /--header is for tables of text, and .*A0\.npy is none; leave it out\./,
  );
});

test.each([
  ['no gzip', 'x.csv.gz', Buffer.from('1,2\n'), /x\.csv\.gz is not packed with gzip; give it a name without \.gz/],
  ['cut off', 'cut.csv.gz', gzipSync('1,2\n'.repeat(1000)).subarray(0, 20), /is damaged, or not complete: its gzip data cannot be read/],
  ['damaged', 'bad.csv.gz', gzipSync('1,2\n3,4\n').fill(7, 12, 16), /is damaged, or not complete/],
])('a .gz that is %s is refused', async (_, name, content, message) => {
  const { status, stderr } = await fitNmf(put(name, content));
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

test('a .gz of another format', async () => {
  await fitNmf(put('m.csv', named), '--out', at('m'));
  const { stdout } = await fitNmf(put('A.npy.gz', gzipSync(readFileSync(at('m/A0.npy')))), '--samples', 'columns');
  expect(stdout).toContain('3 features × 2 samples');
});

describe('names', () => {
  const data = put('faces.csv', 'who,a,b,c\nann,2,2.1,0.1\nbob,0.1,0.2,2.2\ncid,2.2,2,0\ndan,0,0.1,2\n');
  const fitTo = (name: string, ...more: string[]) =>
    runCli(['fit', data, '--method', 'ssnmf', '--ranks', '2', '--device', 'cpu', '--out', at(name), ...more]);

  test.each([
    ['with a header', 'who,class\ndan,dark\nann,light\ncid,light\nbob,dark\n', '4 of 4'],
    ['some samples, tabs, more than are asked for', 'ann\tlight\nbob\tdark\nzoe\tdark\n', '2 of 4'],
    ['one column with a header of its own', 'class\nlight\ndark\nlight\ndark\n', '4 of 4'],
  ])('--labels is a table: %s', async (_, text, count) => {
    const { status, stdout } = await fitTo('l', '--labels', put('labels.csv', text));
    expect(status).toBe(0);
    expect(stdout).toContain(`labels        of ${count} samples, 2 classes: dark, light`);
    const { model } = { model: await loadModel(at('l')) };
    expect(model.supervision?.accuracy.labelled).toBe(1);
  });

  test.each([
    ['ann,light\nbob,dark\nann,dark\n', 'has two labels for "ann", "light" and "dark"; give one.'],
    ['x,light\ny,dark\n', 'has labels of "y", …, but the samples are "ann", …; give the same names.'],
  ])('labels %j are refused', async (text, message) => {
    const { status, stderr } = await fitTo('refused', '--labels', put('labels.csv', text));
    expect({ status, said: stderr.includes(message) ? message : stderr }).toEqual({ status: 2, said: message });
  });

  test('without names of samples a table of labels counts them', async () => {
    const bare = put('bare.csv', '2,2.1,0.1\n0.1,0.2,2.2\n2.2,2,0\n0,0.1,2\n');
    const run = (text: string) =>
      runCli(['fit', bare, '--method', 'ssnmf', '--ranks', '2', '--device', 'cpu', '--labels', put('counted.csv', text)]);
    expect((await run(',class\n0,light\n1,dark\n2,light\n3,dark\n')).stdout).toContain('of 4 of 4 samples, 2 classes: dark, light');
    expect((await run('3,light\n1,dark\n2,light\n0,dark\n')).stderr).toContain('but one column of labels is needed');
  });

  test('transform and predict give them, and --labels takes them back', async () => {
    await fitTo('model', '--labels', put('two.csv', 'ann,light\nbob,dark\n'));
    const out = await runCli(['transform', at('model'), data, '--out', at('S.csv'), '--device', 'cpu']);
    expect(out.stdout.split('\n')[0]).toBe(`${data}: 4 rows × 3 columns, names in the first column, header in line 1`);
    const { X, rowNames, columnNames } = parseCsvMatrix(readFileSync(at('S.csv')));
    expect({ rowNames, columnNames }).toEqual({ rowNames: ['ann', 'bob', 'cid', 'dan'], columnNames: ['component 0', 'component 1'] });
    expect([X.rows, X.cols]).toEqual([4, 2]);
    const turned = await runCli(['transform', at('model'), put('turned.csv', readFileSync(data)), '--out', at('T.csv'), '--device', 'cpu']);
    expect(turned.status).toBe(0);
    expect(transpose(transpose(parseCsvMatrix(readFileSync(at('T.csv'))).X))).toEqual(X);
    const predicted = await runCli(['predict', at('model'), data, '--device', 'cpu', '--with-names']);
    expect(predicted).toEqual({ status: 0, stderr: '', stdout: 'sample,label\nann,light\nbob,dark\ncid,light\ndan,dark\n' });
    expect(JSON.parse((await runCli(['predict', at('model'), data, '--device', 'cpu', '--json'])).stdout).samples).toEqual([
      'ann',
      'bob',
      'cid',
      'dan',
    ]);
    expect((await fitTo('again', '--labels', put('back.csv', predicted.stdout))).stdout).toContain('of 4 of 4 samples');
    const bare = await runCli(['predict', at('model'), put('new.csv', '1,2,3\n3,2,1\n'), '--device', 'cpu', '--with-names']);
    expect(bare.stderr).toMatch(/--with-names needs names of samples, and .*new\.csv has none/);
  });

  test('--weights go by names', async () => {
    const file = put('w-data.csv', 'id,a,b\nx,1,2\ny,3,4\nz,5,1\n');
    const run = (name: string, weights: string) => fitNmf(file, '--weights', put(`${name}.csv`, weights), '--out', at(name));
    await run('straight', 'id,a,b\nx,1,0.5\ny,0,1\nz,1,1\n');
    await run('shuffled', 'id,b,a\nz,1,1\ny,1,0\nx,0.5,1\n');
    expect(decodeNpy(readFileSync(at('shuffled/A0.npy')))).toEqual(decodeNpy(readFileSync(at('straight/A0.npy'))));
    expect((await run('other', 'id,a,q\nx,1,1\ny,1,1\nz,1,1\n')).stderr).toMatch(
      /The features of .*other\.csv are not those of .*w-data\.csv: it lacks b and .*w-data\.csv does not know q\. Give the same features\./,
    );
    expect((await run('holes', 'id,a,b\nx,1,\ny,1,1\nz,1,1\n')).stderr).toMatch(
      /holes\.csv has cells without a value, but a weight is a number ≥ 0/,
    );
  });
});
