/** No name, label, path or message makes a terminal do anything; files get everything as it is. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Output, printer, visible } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();

/** C0, DEL, C1 and the marks of direction, one by one, but for line breaks and tabs. */
const obeyed = [
  ...Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 9 && code !== 10),
  ...Array.from({ length: 33 }, (_, code) => 0x7f + code),
  ...[0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069],
];
const evil = obeyed.map((code) => String.fromCharCode(code)).join('');
const isClean = (text: string) => obeyed.every((code) => !text.includes(String.fromCharCode(code)));

test('every such character is shown, and no other is touched', () => {
  expect(isClean(visible(evil))).toBe(true);
  for (const code of obeyed) expect(visible(String.fromCharCode(code))).toBe(`\\u${code.toString(16).padStart(4, '0')}`);
  const harmless = 'A⁰S⁰ naïve 日本語 \u{1f600} שלום a\u200db\tc\nd 100 % "x\\u001b"';
  expect(visible(harmless)).toBe(harmless);
  expect(JSON.parse(visible(JSON.stringify({ [evil]: [evil, harmless] })))).toEqual({ [evil]: [evil, harmless] });
});

test('a line break within a line is shown, too', () => {
  const texts: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      texts.push(String(chunk));
      done();
    },
  });
  printer(stream as Output).print(['a\nb', 'c\td']);
  expect(texts.join('')).toBe('a\\u000ab\nc\\u0009d\n');
});

const quick = ['--device', 'cpu', '--max-iterations', '3'];
const texts = ['whale ocean ship', 'whale ship sail', 'star moon sky', 'star sky comet'];
const corpus = put('c.jsonl', texts.map((text, i) => JSON.stringify({ name: `\n\u001b${evil}${i}`, text })).join('\n'));
const matrix = put('x.csv', lowRankCsv(8, 5, 2));
const bell = '\u0007\u001b[2J\u009b\u202e';

test('topics: names of documents; --json is JSON with the names as they are; so is model.json', async () => {
  const printed = await runCli(['topics', corpus, '--ranks', '2', ...quick]);
  expect(printed).toMatchObject({ status: 0, stderr: '' });
  expect(isClean(printed.stdout)).toBe(true);
  expect(printed.stdout).toContain('\\u001b');
  expect(printed.stdout).toContain('\\u000a');
  const { stdout } = await runCli(['topics', corpus, '--ranks', '2', '--json', '--out', at('topics'), ...quick]);
  expect(isClean(stdout)).toBe(true);
  expect(JSON.parse(stdout).documents[0]).toBe(`\n\u001b${evil}0`);
  expect(JSON.parse(readFileSync(at('topics/model.json'), 'utf8')).documents[0]).toBe(`\n\u001b${evil}0`);
});

test('labels: shown on standard output, as they are in a file', async () => {
  const [red, blue] = [`red${bell}`, `blue${bell}`];
  const labels = put('labels.txt', [red, blue, red, blue, red, blue, red, blue, ''].join('\n'));
  const fit = await runCli(['fit', matrix, '--ranks', '2', '--method', 'ssnmf', '--labels', labels, '--out', at('model'), ...quick]);
  expect(fit).toMatchObject({ status: 0, stderr: '' });
  const onScreen = await runCli(['predict', at('model'), matrix, '--device', 'cpu']);
  const toFile = await runCli(['predict', at('model'), matrix, '--device', 'cpu', '--out', at('predicted.txt')]);
  for (const { stdout, stderr } of [fit, onScreen, toFile]) {
    expect(isClean(stdout + stderr)).toBe(true);
    expect(stdout).toContain('\\u001b[2J');
  }
  expect(readFileSync(at('predicted.txt'), 'utf8')).toContain(bell);
});

test('paths, headers, cells and values of options in errors', async () => {
  const header = put('header.csv', `a${bell},b\n1,2\n-1,4\n`);
  const cell = put('cell.csv', `a,b\n1,${bell}\n`);
  for (const argv of [
    ['fit', at(`missing${bell}.csv`), '--ranks', '1'],
    ['fit', header, '--ranks', '1', ...quick],
    ['fit', cell, '--ranks', '1', ...quick],
    ['fit', matrix, '--ranks', `1${bell}`],
    ['fit', matrix, '--ranks', '1', `--speed${bell}`],
    [`fit${bell}`],
    ['topics', `no${bell}`, '--ranks', '1'],
    ['predict', at(`none${bell}`), matrix],
  ]) {
    const { status, stdout, stderr } = await runCli(argv);
    expect([status, stdout]).toEqual([2, '']);
    expect(isClean(stderr), JSON.stringify(stderr)).toBe(true);
    expect(stderr).toContain('\\u001b');
    expect(stderr.split('\n')).toHaveLength(2);
  }
});

test('a progress bar still moves the cursor', async () => {
  const { stderr } = await runCli(['fit', matrix, '--ranks', '1', ...quick], { tty: true, columns: 80 });
  expect(stderr).toContain('\u001b[');
});

test.each([
  ['ENOSPC', 1, 'orthant: Standard output cannot be written: the disk is full; free some space there.\n'],
  ['EIO', 1, 'orthant: Standard output cannot be written: EIO: went wrong.\n'],
  ['EPIPE', 0, ''], // the reader has left, and needs to hear nothing
])('standard output that ends with %s: status %i', async (code, status, said) => {
  let stderr = '';
  const collecting = new Writable({
    write(chunk, _, done) {
      stderr += chunk;
      done();
    },
  });
  const failing = () => new Writable({ write: (_chunk, _, done) => done(Object.assign(new Error(`${code}: went wrong`), { code })) });
  const io = { stdout: failing() as Output, stderr: collecting as Output, env: {}, signal: new AbortController().signal };
  expect(await main(['fit', matrix, '--ranks', '1', ...quick], io)).toBe(status);
  expect(stderr).toBe(said);
  stderr = '';
  expect(await main(['--help'], { ...io, stdout: failing() as Output })).toBe(status);
  expect(stderr).toBe(said);
  expect(await main(['fit', at('none.csv'), '--ranks', '1'], { ...io, stdout: failing() as Output, stderr: failing() as Output })).toBe(2);
});

test('files that are none: one sentence, and no waiting', async () => {
  mkdirSync(at('corpus'));
  writeFileSync(at('corpus/a.txt'), 'whale ship');
  symlinkSync(at('nowhere'), at('corpus/b.txt'));
  symlinkSync('/dev/zero', at('zero.csv'));
  symlinkSync(at('nowhere'), at('dangling.csv'));
  symlinkSync(at('nowhere'), at('out-link'));
  mkdirSync(at('taken/model.json'), { recursive: true });
  const fit = ['fit', matrix, '--ranks', '1', ...quick];
  const cases: [string[], RegExp][] = [
    [['topics', at('corpus'), '--ranks', '1'], /b\.txt' is a link to nothing, not a file/],
    [['fit', at('dangling.csv'), '--ranks', '1'], /is a link to nothing, not a file/],
    [[...fit, '--out', at('taken')], /model\.json': it is a directory\. Move it away first, or choose another name/],
    [[...fit, '--out', at('out-link')], /it is a link to nothing\. Choose another name/],
    [['predict', at('model'), matrix, '--out', at('out-link')], /it is a link to nothing; name a regular file/],
  ];
  if (process.platform === 'linux') {
    cases.push(
      [['fit', at('zero.csv'), '--ranks', '1'], /is a device, not a file/],
      [[...fit, '--labels', '/dev/zero', '--method', 'ssnmf'], /is a device, not a file/],

      [[...fit, '--labels', '/proc/version', '--method', 'ssnmf'], /is empty/],
      [[...fit, '--out', '/proc/model'], /Cannot write to the folder '\/proc\/model'/],
      [['table1', '--out', '/proc/table1'], /Cannot write to the folder '\/proc\/table1'/],
      [['predict', at('model'), matrix, '--out', '/dev/full'], /it is a device; name a regular file/],
      [['transform', at('model'), matrix, '--out', '/proc/S.npy'], /Cannot write/],
    );
  }
  for (const [argv, says] of cases) {
    const { status, stdout, stderr } = await runCli(argv);
    expect([status, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(says);
    expect(stderr.split('\n')).toHaveLength(2);
  }
});
