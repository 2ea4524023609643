// Parts of handwritten digits: strokes of which they are sums, found without a label.
import path from 'node:path';
import * as Plot from '@observablehq/plot';
import { nmf, readMatrix, transform } from 'orthant/node';
import { columns, cosine, example, picture, quick, tile } from './kit.mjs';

// The digits of UCI's test set, one a row: 64 pixels from 0 to 16, then the digit itself. The first 600 are taken.
const file = path.join(import.meta.dirname, 'digits.csv.gz');
const { X: whole } = await readMatrix(file, { samples: 'columns', header: false, names: false }); // 1797 × 65, as the file lies
const labels = columns(whole)[64];
const images = Array.from({ length: whole.rows }, (_, m) => [...whole.data.subarray(65 * m, 65 * m + 64)]);
const train = quick ? 200 : 400;
const asMatrix = (list) => ({ rows: 64, cols: list.length, data: Float32Array.from({ length: 64 * list.length }, (_, p) => list[p % list.length][Math.floor(p / list.length)]) });

/** The digit of the most similar image among those that were seen, by the cosine. */
const guess = (seen, vector) => labels[seen.reduce((best, other, m) => (cosine(other, vector) > cosine(seen[best], vector) ? m : best), 0)];
const accuracy = (seen, fresh) => fresh.filter((vector, m) => guess(seen, vector) === labels[train + m]).length / fresh.length;

/** Hoyer’s sparseness: 0 where all entries are equal, 1 where there is one alone. */
const sparseness = (v) => (8 - v.reduce((sum, x) => sum + x, 0) / Math.hypot(...v)) / (8 - 1);
const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;

await example(async (engine) => {
  const [seen, fresh] = [images.slice(0, train), images.slice(train, quick ? 300 : 600)];
  const model = await nmf(engine, asMatrix(seen), { ranks: 24, seed: 1, maxIterations: quick ? 40 : 200 });
  const [newS] = await transform(engine, model, asMatrix(fresh)); // how much of each part is in digits that the fit did not see
  const parts = columns(model.A[0]);
  console.log(`${train} digits, 24 parts: relative error ${model.relativeError.toFixed(4)}, SVD bound ${model.svdBound.toFixed(4)}`);
  console.log(`sparseness: of the parts ${mean(parts.map(sparseness)).toFixed(3)}, of the digits ${mean(seen.map(sparseness)).toFixed(3)}`);
  const [ofPixels, ofParts] = [accuracy(seen, fresh), accuracy(columns(model.S[0]), columns(newS))];
  console.log(`${fresh.length} new digits by the most similar one seen: ${(100 * ofPixels).toFixed(1)} % right by 64 pixels, ${(100 * ofParts).toFixed(1)} % by 24 parts`);

  const sums = columns(newS).map((s) => Array.from({ length: 64 }, (_, i) => parts.reduce((sum, part, k) => sum + part[i] * s[k], 0)));
  const rows = [
    ['new digits', fresh.slice(0, 12)],
    ['sums of parts', sums.slice(0, 12)],
    ['parts', parts.slice(0, 12)],
    ['more parts', parts.slice(12)],
  ];
  await picture('digits', {
    height: 300, marginTop: 10, marginBottom: 10, marginLeft: 95,
    x: { axis: null, inset: 28, domain: [0, 11] }, y: { label: null, tickSize: 0, domain: rows.map(([name]) => name), type: 'band' },
    marks: [
      Plot.image(rows.flatMap(([name, list]) => list.map((values, i) => ({ name, i, src: tile(values, 8) }))), {
        x: 'i', y: 'name', src: 'src', width: 46, height: 46, imageRendering: 'pixelated',
      }),
    ],
  });
});
