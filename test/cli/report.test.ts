/** --report of the commands: refused before the fit, written whole after it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commandLine } from '../../src/cli/report-file.js';
import type { ReportData } from '../../src/report/types.js';
import { lowRankCsv, runCli, smallCorpus, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const matrix = put('a b.csv', lowRankCsv(12, 8, 3));
const corpus = put('small.jsonl', smallCorpus());
const fit = ['fit', matrix, '--ranks', '3,2', '--device', 'cpu', '--max-iterations', '20'];

/** The data in a page. */
function dataIn(path: string): ReportData {
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(readFileSync(path, 'utf8'))!;
  return JSON.parse(json);
}

/** The words that a POSIX shell makes of a line. */
function wordsOf(line: string): string[] {
  return execFileSync('sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

test('the line that repeats a command is read back by a shell as it was given', () => {
  const nasty = [
    '--ranks',
    '20,8',
    '',
    ' ',
    "it's",
    '"',
    '$HOME',
    '`id`',
    '$(id)',
    'a\nb',
    '*',
    '?',
    '~',
    '!',
    '\\',
    '#',
    '-',
    'ü',
    '=',
    '{a,b}',
    ';',
  ];
  expect(wordsOf(commandLine(nasty))).toEqual(['orthant', ...nasty]);
  expect(commandLine(['topics', 'sotu', '--ranks', '20,8,3', '--report', './a.html'])).toBe(
    'orthant topics sotu --ranks 20,8,3 --report ./a.html',
  );
});

describe('orthant fit --report', () => {
  test('writes a page with the fit, its labels, settings, device and command', async () => {
    const classes = Array.from({ length: 12 }, (_, i) => ['one', 'two', 'three'][i % 3]);
    const labels = put('some.txt', classes.map((name, i) => `${i < 6 ? name : ''}\n`).join(''));
    const truth = put('all.txt', classes.join('\n'));
    const argv = [...fit, '--labels', labels, '--truth', truth, '--restarts', '2', '--report', at('fit.html')];
    const { status, stdout, stderr } = await runCli(argv);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`report        ${at('fit.html')}`);
    const data = dataIn(at('fit.html'));
    expect(data).toMatchObject({ title: 'a b.csv', method: 'neural', ranks: [3, 2], features: 8, samples: 12, seed: 0 });
    expect(wordsOf(data.command!)).toEqual(['orthant', ...argv]);
    expect(Object.fromEntries(data.settings)).toMatchObject({ matrix, restarts: '2', 'max iterations': '20', labels, truth });
    expect(Object.fromEntries(data.origin)).toMatchObject({ orthant: expect.stringMatching(/^\d/), device: 'f64 reference on the CPU' });
    expect(data.restarts.errors).toHaveLength(2);
    expect(data.confusions.map(({ counts }) => counts.flat().reduce((sum, n) => sum + n))).toEqual([6, 6]);
    expect(data.layers.every(({ svdBound }) => svdBound !== null)).toBe(true);
  });

  test('is written beside JSON, and into the folder that --out makes', async () => {
    const { status, stdout } = await runCli([...fit, '--json', '--out', at('model'), '--report', at('model/report.html')]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).method).toBe('neural');
    expect(readdirSync(at('model')).sort()).toEqual([
      'A0.npy',
      'A1.npy',
      'S0.npy',
      'S1.npy',
      'factors.safetensors',
      'model.json',
      'report.html',
    ]);
  });

  test.each([
    ['page.pdf', /^orthant: --report writes a page of HTML, so its file ends in \.html, unlike /],
    ['nowhere/page.html', /there is no folder/],
    ['folder.html', /it is a directory/],
  ])('refuses %s before it reads anything', async (name, message) => {
    put('page.pdf', '');
    if (!existsSync(at('folder.html'))) await (await import('node:fs/promises')).mkdir(at('folder.html'));
    const { status, stderr } = await runCli(['fit', at('missing.csv'), '--ranks', '2', '--report', at(name)]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

test('orthant topics --report has the tree that is printed', async () => {
  const argv = ['topics', corpus, '--ranks', '3,2', '--device', 'cpu', '--max-iterations', '50', '--report', at('topics.html'), '--json'];
  const { status, stdout } = await runCli(argv);
  expect(status).toBe(0);
  const { topics } = JSON.parse(stdout) as { topics: { index: number; share: number; terms: { term: string; weight: number }[] }[] };
  const data = dataIn(at('topics.html'));
  expect(data.nouns).toEqual({ feature: 'term', sample: 'document', part: 'topic' });
  expect(data.topics.map(({ index }) => index)).toEqual(topics.map(({ index }) => index));
  data.topics.forEach(({ share, words }, t) => {
    expect(share).toBeCloseTo(topics[t].share, 5);
    for (const { term, weight } of topics[t].terms.slice(0, 5))
      expect(words.find((word) => word.term === term)?.share).toBeCloseTo(weight, 5);
  });
  expect(data.heatMapOrder).toMatch(/in the order of the topic of layer 0/);
});

test('with labels the page counts the documents of each class by topic', async () => {
  const labelled = smallCorpus()
    .split('\n')
    .map((line) => JSON.stringify({ ...JSON.parse(line), theme: JSON.parse(line).name.replace(/\d/, '') }));
  const file = put('labelled.jsonl', labelled.join('\n'));
  const argv = [
    'topics',
    file,
    '--label-field',
    'theme',
    '--ranks',
    '3',
    '--restarts',
    '8',
    '--device',
    'cpu',
    '--report',
    at('classes.html'),
  ];
  expect(await runCli(argv)).toMatchObject({ status: 0, stderr: '' });
  const [agreement, classes] = dataIn(at('classes.html')).tables;
  // Each of the three themes, four documents each, is a topic.
  expect(agreement.rows).toEqual([['theme', 3, 12, 0, 3, 1, 1]]);
  expect(classes.columns).toEqual(['theme', 'topic 0', 'topic 1', 'topic 2']);
  expect(classes.rows.map(([label, ...counts]) => [label, counts.map(Number).sort()])).toEqual(
    ['brook', 'sea', 'sky'].map((label) => [label, [0, 0, 4]]),
  );
});

test('orthant topics --report has shares by a field, flows and coherence', async () => {
  const dated = smallCorpus()
    .split('\n')
    .map((line, i) => JSON.stringify({ ...JSON.parse(line), date: `${1990 + (i % 2)}` }));
  const file = put('dated.jsonl', dated.join('\n'));
  const argv = ['topics', file, '--date-field', 'date', '--ranks', '3,2', '--device', 'cpu', '--report', at('dated.html'), '--json'];
  const { status, stdout } = await runCli(argv);
  expect(status).toBe(0);
  const found = JSON.parse(stdout);
  const [shares, flows, coherence] = dataIn(at('dated.html')).tables;
  const sumOf = (row: (string | number | null)[], from: number) => row.slice(from).reduce((sum: number, part) => sum + Number(part), 0);
  expect(shares.columns.slice(0, 2)).toEqual(['date', 'documents']);
  expect(shares.columns.slice(2).sort()).toEqual(found.topics.map(({ label }: { label: string }) => label).sort());
  expect(shares.rows.map(([year, documents]) => [year, documents])).toEqual([
    ['1990', 6],
    ['1991', 6],
  ]);
  for (const row of shares.rows) expect(sumOf(row, 2)).toBeCloseTo(1, 3);
  expect(flows.rows).toHaveLength(3);
  for (const row of flows.rows) expect(sumOf(row, 1)).toBeCloseTo(1, 3);
  // The topics and the mean of each layer.
  expect(coherence.rows.map(([layer]) => layer)).toEqual([1, 1, 1, 0, 0, 0, 0]);
  expect(coherence.rows[2][2]).toBeCloseTo(found.quality[1].coherence.cNpmi, 3);
});
