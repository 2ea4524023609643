// Missing ratings: people rated a few films each. What would they give to the others?
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as Plot from '@observablehq/plot';
import { nmf, readMatrix } from 'orthant/node';
import { example, folder, picture, quick, randomNumbers } from './kit.mjs';

const [people, films, rank] = quick ? [80, 40, 2] : [300, 100, 3];
const [noise, shown, heldOut] = [0.3, 0.35, 0.05]; // of a rating, in stars; parts of all cells
const { uniform, normal } = randomNumbers(3);

// The truth: how much everyone likes each of a few kinds of film, times how much each film is of that kind.
const mixture = (scale) => {
  const parts = Array.from({ length: rank }, () => uniform() ** 2);
  return parts.map((part) => (scale * part) / parts.reduce((sum, x) => sum + x, 0));
};
const taste = Array.from({ length: people }, () => mixture(1));
const kinds = Array.from({ length: films }, () => Array.from({ length: rank }, () => 1 + 4 * uniform() ** 1.5));
const truth = taste.map((t) => kinds.map((film) => film.reduce((sum, x, k) => sum + x * t[k], 0)));

// The file: a person a row, a film a column, an empty cell where nobody rated. Some ratings are kept back to be predicted.
const asked = [];
const lines = truth.map((row, person) => {
  const cells = row.map((value, film) => {
    const rating = value + noise * normal();
    const chance = uniform();
    if (chance < heldOut) asked.push({ person, film, rating, value });
    return chance >= heldOut && chance < heldOut + shown ? Math.max(0, rating).toFixed(2) : '';
  });
  return [`person ${person + 1}`, ...cells].join(',');
});
const file = path.join(folder, 'ratings.csv');
await writeFile(file, `${['', ...kinds.map((_, film) => `film ${film + 1}`)].join(',')}\n${lines.join('\n')}\n`);

await example(async (engine) => {
  const { X, weights, samples, notes = [] } = await readMatrix(file); // films × people; weights are 0 where a rating is missing
  for (const note of notes) console.log(note);
  const rated = weights.data.reduce((sum, weight) => sum + weight, 0);
  console.log(`${samples.length} people, ${X.rows} films, ${rated} ratings of ${weights.data.length} possible ones`);

  const rmse = (predict) => Math.sqrt(asked.reduce((sum, one) => sum + (predict(one) - one.rating) ** 2, 0) / asked.length);
  const filmMean = ({ film }) => {
    const at = Array.from({ length: X.cols }, (_, j) => film * X.cols + j).filter((i) => weights.data[i] > 0);
    return at.reduce((sum, i) => sum + X.data[i], 0) / at.length;
  };
  const rows = [{ name: 'mean of the film', error: rmse(filmMean) }];
  for (let ranks = 1; ranks <= rank + 1; ranks++) {
    const { A: [A], S: [S] } = await nmf(engine, X, { ranks, weights, restarts: 2, seed: 1 });
    const predict = ({ person, film }) =>
      Array.from({ length: ranks }, (_, k) => A.data[film * ranks + k] * S.data[k * S.cols + person]).reduce((sum, x) => sum + x, 0);
    rows.push({ name: `NMF of rank ${ranks}`, error: rmse(predict) });
  }
  rows.push({ name: 'the true ratings', error: rmse(({ value }) => value) });
  for (const { name, error } of rows) console.log(`${name}: RMSE ${error.toFixed(3)} stars on ${asked.length} ratings kept back`);
  await picture('ratings', {
    height: 240, marginLeft: 130, marginRight: 50, legend: { 'NMF': '#0072b2', 'without NMF': '#bbb', 'noise of a rating (dashed)': '#d55e00' },
    x: { label: 'RMSE in stars, on ratings that were kept back', labelAnchor: 'center', grid: true }, y: { label: null, domain: rows.map(({ name }) => name) },
    marks: [
      Plot.barX(rows, { x: 'error', y: 'name', fill: ({ name }) => (name.startsWith('NMF') ? '#0072b2' : '#bbb') }),
      Plot.text(rows, { x: 'error', y: 'name', text: ({ error }) => error.toFixed(3), textAnchor: 'start', dx: 5 }),
      Plot.ruleX([noise], { stroke: '#d55e00', strokeDasharray: '4 3' }),
    ],
  });
});
