/** docs/defaults.md: its tables are those of its results, and they support the defaults that the library has. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dataSets } from '../../bench/defaults/data.js';
import type { Results } from '../../bench/defaults/main.js';
import { candidates, centre } from '../../bench/defaults/study.js';
import { mean, tables } from '../../bench/defaults/tables.js';
import { methods } from '../../src/methods/methods.js';
import { programFor } from '../../src/methods/program-for.js';

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const results = JSON.parse(read('defaults/results.json')) as Results;

test('the page has the tables of the results; if not, run: npm run defaults -- --draw', () => {
  expect(read('defaults.md')).toContain(tables(results));
});

test('the centre of the study is what the library does by default', () => {
  const { cost, start } = methods.neural.options;
  expect(centre).toMatchObject({ cost: cost.default, start: start.default, restarts: methods.neural.restarts });
  const shape = { rows: 9, cols: 8, ranks: [3, 2], classes: 2 };
  expect(programFor('neural', { ...shape, labelWeight: centre.labelWeight })).toEqual(programFor('neural', shape));
});

test('every data set and candidate was measured, on every seed and level', () => {
  expect(Object.keys(results.candidates).sort()).toEqual(dataSets.map(({ name }) => name).sort());
  for (const { name, seeds, ranks } of dataSets) {
    const { cells } = results.candidates[name];
    expect(cells).toHaveLength(2 * candidates.length - candidates.filter(({ labelsOnly }) => labelsOnly).length);
    for (const { ratios, scores } of cells) {
      expect(ratios.map((ofLevel) => ofLevel.length)).toEqual(ranks.map(() => seeds));
      expect(scores).toHaveLength(seeds);
    }
  }
});

/** Of all data sets: the mean of error ÷ bound over levels and seeds, its worst, and the mean score. */
function overAll(candidate: string, supervision: 'none' | 'labels') {
  const cells = dataSets.map(
    ({ name }) => results.candidates[name].cells.find((cell) => cell.candidate === candidate && cell.supervision === supervision)!,
  );
  return {
    ratio: mean(cells.map(({ ratios }) => mean(ratios.map(mean)))),
    worst: Math.max(...cells.flatMap(({ ratios }) => ratios.flat())),
    score: mean(cells.map(({ scores }) => mean(scores))),
  };
}

test.each(['none', 'labels'] as const)(
  'labels %s: the defaults come nearer to the bounds than the earlier ones and than the other costs',
  (supervision) => {
    const own = overAll('centre', supervision);
    for (const other of ['before', 'cost reconstruction', 'cost upper 0.1', 'start random'])
      expect(own.ratio, other).toBeLessThan(overAll(other, supervision).ratio);
  },
);

test('what the page says of fits without any option', () => {
  const of = (what: string) => results.byDefault!.fits.filter((fit) => fit.what === what);
  for (const { error, published, accuracy = 1 } of of('table1')) {
    expect(error).toBeLessThan(published!);
    expect(accuracy).toBe(1);
  }
  for (const { accuracy } of of('digits')) expect(accuracy).toBeGreaterThanOrEqual(0.95);
});
