/** docs/table1 is what this version computes: two small cells of it, over all seeds, by the functions of the command. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Cell, drawTableOne, fitTableOne, sameError, type TableOneResult } from '../../src/cli/table1-experiment.js';
import { median } from '../../src/data/median.js';
import { createEngine } from '../../src/node/engine.js';

const read = (name: string) => readFileSync(new URL(`../../docs/table1/${name}`, import.meta.url), 'utf8');
const { seeds, cells, svdBounds } = JSON.parse(read('table1.json')) as TableOneResult;
const [, restarts] = /best of (\d+) restarts/.exec(read('table1.md'))!;

/** Early stops of 3 layers are quick, and go through all of a fit: layers, the stop, a classifier. */
const small = cells.filter(
  ({ layers, method, stopping, supervision }) =>
    layers === 3 && method === 'hierarchical' && stopping === 'early' && supervision !== 'semi',
);

test('table1.json has the values of this version; if not, run: npm run table1', async () => {
  const engine = await createEngine();
  const same = read('table1.md').includes(`Computed on ${engine.description}.`);
  // The order of sums may change on the same adapter: at most 300 iterations, each of which rounds to 24 bits. On another adapter the fit may
  // stop a check sooner or later, and errors within `sameError` are called equal throughout the page.
  const tolerance = same ? 300 * 2 ** -24 : sameError;
  const draws = Array.from({ length: seeds }, (_, seed) => drawTableOne(seed));
  svdBounds.forEach(({ perSeed }, l) => {
    expect(draws.map(({ bounds }) => bounds[l])).toEqual(perSeed);
  });
  expect(small).toHaveLength(2);
  for (const cell of small) {
    const errors: number[] = [];
    const accuracies: (number | null)[] = [];
    for (const draw of draws) {
      const { run } = await fitTableOne(engine, draw, cell, { restarts: Number(restarts) });
      errors.push(run.error);
      accuracies.push(run.accuracy);
    }
    const found = { median: median(errors), min: Math.min(...errors), max: Math.max(...errors) };
    for (const of of ['median', 'min', 'max'] as const) {
      const off = Math.abs(found[of] / cell.error[of] - 1);
      expect(off, `${nameOf(cell)}: ${of} ${found[of]} for ${cell.error[of]}`).toBeLessThan(tolerance);
    }
    expect(accuracies.every((accuracy) => (cell.accuracy === null ? accuracy === null : accuracy! >= cell.accuracy.min))).toBe(true);
  }
  engine.dispose();
});

const nameOf = ({ supervision, layers, method, stopping }: Cell) => `${supervision}, ${layers} layers, ${method}, ${stopping}`;
