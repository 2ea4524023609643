/** What the benchmark makes of its rows: ratios, summaries, the table, the page, and which files it reads again. */
import { expect, test } from 'vitest';
import { rowsOf } from '../../bench/compile/main.js';
import { ratioTo } from '../../bench/measure.js';
import { pageText } from '../../bench/plots/page-text.js';
import { panelsOf } from '../../bench/plots/panels.js';
import { pageOf, parseResults, readResults, slug } from '../../bench/results-file.js';
import { geometricMean, interquartileRange, median, pairedRatios, summaries } from '../../bench/rows.js';
import { tableText } from '../../bench/table.js';
import { counted, results, row } from './fixture.js';

const hardware = { ...results, device: 'Some Maker X1 (maker, GPU), HeadlessChrome/1' };

test('median and interquartile range interpolate between order statistics', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(interquartileRange([1, 2, 3, 4, 5])).toBe(2);
});

test('ratios are taken repeat by repeat, so that noise that hits both leaves them alone', () => {
  const own = [1, 10, 1, 1, 1];
  expect(pairedRatios(own, [2, 20, 2, 2, 2])).toEqual([2, 2, 2]);
  // A subject that takes long has fewer repeats: they pair with the first ones.
  expect(pairedRatios(own, [3, 30])).toEqual([3, 3, 3]);
  expect(pairedRatios([3, 30], own)[1]).toBeCloseTo(1 / 3);
  expect(ratioTo([1, 1, 1], [1, 2, 3])).toEqual({ words: '2.00 × the time of orthant (1.50–2.50)', ratio: [1.5, 2, 2.5] });
});

test('a summary is the geometric mean over the cases of a suite where the result was right, and its lowest', () => {
  expect(geometricMean([2, 8])).toBeCloseTo(4);
  const wrong = row({ subject: '@jax-js/jax', checked: false, figures: { ratio: [99, 99, 99] } });
  const [summary, ...others] = summaries([...results.rows, wrong]);
  expect(others).toEqual([]);
  expect(summary).toMatchObject({ what: 'One multiplicative update', subject: '@jax-js/jax', baseline: 'orthant', cases: 2, lowest: 2 });
  expect(summary.mean).toBeCloseTo(4);
});

test('the table says in its title that a software adapter is one, and only then', () => {
  const text = tableText(results);
  expect(text).toMatch(/^orthant benchmark, SOFTWARE ADAPTER/);
  expect(tableText(hardware)).toMatch(/^orthant benchmark\n/);
  expect(text).toContain('commit abc1234');
  expect(text).toMatch(
    /One multiplicative update: @jax-js\/jax takes 4\.00 × the time of orthant in the geometric mean over 2 cases, at least 2\.00/,
  );
  // What ran once has neither a spread nor a rate.
  expect(text).toMatch(/a < b & "c" +orthant +0\.5000 +1 +– /);
});

test('the page carries the warning, every panel as a drawing of its own and every row, and asks for nothing', () => {
  const page = pageText(results);
  expect(page).toContain('<title>orthant benchmark, SOFTWARE ADAPTER');
  expect(page).toContain('<strong>Software adapter.</strong>');
  expect(page.match(/<svg/g)!.length).toBe(panelsOf(results.rows).length);
  expect(page.match(/<tr>/g)!.length).toBe(results.rows.length + 1);
  expect(page).toContain('a &lt; b &amp; &quot;c&quot;');
  expect(page).not.toMatch(/<script|src=|href="http|NaN|Infinity/);
  expect(pageText(hardware)).not.toMatch(/software adapter/i);
});

test('counts: a table with columns of their own, and no word of a software adapter, for they are not its', () => {
  const text = tableText(counted);
  expect(text).toMatch(/^orthant benchmark, counts\n/);
  expect(text).toMatch(/case +subject +X ÷ its bytes +other +note\n/);
  expect(text).toMatch(/c +some\/kernel +1\.26 +0$/m);
  const page = pageText(counted);
  expect(page).toContain('they hold for every GPU that gets this plan');
  expect(page).toContain('<td>a &lt; b</td>');
  expect(page.match(/<tr>/g)!.length).toBe(3);
  expect(page).not.toMatch(/<strong>Software adapter|milliseconds|NaN/i);
  expect(parseResults(JSON.stringify(counted), 'f')).toEqual(counted);
});

test("the compiler's statistics: a row for each pipeline, faulty ones first and named so", () => {
  const statistics = (spilledVectors: number, spilledScalars: number, scratch: number, code: number) =>
    `*** SHADER STATS ***\nVGPRs: 60\nSpilled SGPRs: ${spilledScalars}\nSpilled VGPRs: ${spilledVectors}\nCode size: ${code}\nScratch size: ${scratch}\nSubgroups per SIMD: 24\n****\n`;
  const text = `noise\n@@ good A=false K=8\n${statistics(0, 0, 0, 32768)}@@ bad K=9\n${statistics(1, 2, 64, 32769)}`;
  const counts = { registers: 60, waves: 24 };
  expect(rowsOf('navi31', text)).toEqual([
    {
      suite: 'compile',
      case: 'bad K=9',
      subject: 'navi31',
      counts: { ...counts, spilled: 1, 'spilled scalars': 2, 'scratch bytes': 64, 'code bytes': 32769 },
      note: 'spills, scratch, code beyond 32 KiB',
    },
    {
      suite: 'compile',
      case: 'good K=8',
      subject: 'navi31',
      counts: { ...counts, spilled: 0, 'spilled scalars': 0, 'scratch bytes': 0, 'code bytes': 32768 },
      note: '',
    },
  ]);
});

test('panels: ratios, the roofline, the parts of it and one plot for each axis, those of Node apart', () => {
  expect(panelsOf(results.rows).map(({ plot }) => plot.kind)).toEqual(['bars', 'roofline', 'shares', 'lines']);
  const inNode = results.rows.map((one) => ({ ...one, case: `${one.case}, in Node` }));
  const panels = panelsOf([...results.rows, ...inNode]);
  expect(panels).toHaveLength(8);
  expect(panels[4].title).toMatch(/, in Node$/);
  expect(panelsOf([row()])).toEqual([]);
});

test('a results file is read again as it was written', () => {
  expect(parseResults(JSON.stringify(results), 'r.json')).toEqual(results);
});

test.each([
  ['{', /r\.json is no JSON/],
  ['{}', /r\.json is no results file of this benchmark/],
  ['null', /r\.json is no results file/],
  [JSON.stringify({ ...results, version: undefined }), /r\.json has no version, but this benchmark reads version 1/],
  [JSON.stringify({ ...results, version: 99 }), /r\.json is of version 99, but this benchmark reads version 1\. Run npm run bench/],
  [JSON.stringify({ ...results, rows: [row(), { ...row(), medianMs: null }] }), /r\.json: row 2 is incomplete/],
  [JSON.stringify({ ...results, device: undefined }), /r\.json does not say its device/],
])('refused: %.40s', (text, message) => {
  expect(() => parseResults(text, 'r.json')).toThrow(message);
});

test('a results file that is not there', async () => {
  await expect(readResults('/nowhere/r.json')).rejects.toThrow(/\/nowhere\/r\.json cannot be read/);
});

test('file names', () => {
  expect(slug('google swiftshader (software adapter), 2 × AMD')).toBe('google-swiftshader');
  expect(pageOf('a/b.json')).toBe('a/b.html');
  expect(pageOf('a/b')).toBe('a/b.html');
});
