// What the examples share: a device, random numbers, the comparison with the truth, and pictures.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as Plot from '@observablehq/plot';
import { encode } from 'fast-png';
import { parseHTML } from 'linkedom';
import { createEngine } from 'orthant/node';

/** ORTHANT_EXAMPLE_QUICK=1 takes a smaller problem, and the f64 executor in the place of a GPU or a software adapter. */
export const quick = process.env.ORTHANT_EXAMPLE_QUICK === '1';

/** The folder of pictures and other results: the first argument, else that of the scripts. */
export const folder = process.argv[2] ?? import.meta.dirname;

/** Runs an example on a device, names the device and gives it back. */
export async function example(body) {
  const engine = await createEngine({ prefer: quick ? 'cpu' : 'auto' });
  try {
    console.log(`device: ${engine.description}`);
    await body(engine);
  } finally {
    engine.dispose();
  }
}

/** Random numbers of a seed (mulberry32): uniform in [0, 1), standard normal, and counts of a Poisson distribution. */
export function randomNumbers(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean) => {
    // Knuth's method for small means; for large ones the rounded normal approximation.
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    let count = 0;
    for (let product = uniform(); product > Math.exp(-mean); product *= uniform()) count++;
    return count;
  };
  return { uniform, normal, poisson };
}

/** The columns of a matrix as lists. */
export const columns = ({ rows, cols, data }) =>
  Array.from({ length: cols }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * cols + j]));

export function cosine(a, b) {
  const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Gives each true column one found column, best pairs first: { found, cosine } in the order of `truth`. */
export function match(truth, found) {
  const pairs = truth.flatMap((t, i) => found.map((f, j) => ({ i, j, cosine: cosine(t, f) })));
  const matched = [];
  for (const { i, j, cosine } of pairs.sort((a, b) => b.cosine - a.cosine))
    if (!matched[i] && !matched.some((other) => other?.found === j)) matched[i] = { found: j, cosine };
  return matched;
}

/** Draws a plot of Observable Plot into `folder`/name.svg. `legend` gives names their colours, above the plot. */
export async function picture(name, { legend = {}, ...options }) {
  const { document } = parseHTML('<html><body></body></html>');
  const style = { background: 'white', color: '#1a1a1a', fontSize: '12px' };
  const svg = Plot.plot({ document, width: 720, marginTop: 36, marginBottom: 42, style, ...options }).outerHTML;
  const entry = ([text, colour], i) => `<rect x="${8 + 180 * i}" y="6" width="12" height="12" fill="${colour}"/><text x="${26 + 180 * i}" y="16" text-anchor="start">${text}</text>`;
  const entries = `<g fill="currentColor">${Object.entries(legend).map(entry).join('')}</g>`;
  const whole = svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"').replace(/<\/svg>$/, `${entries}</svg>`);
  const places = (tag) => tag.replace(/\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1)))); // in pixels
  await writeFile(path.join(folder, `${name}.svg`), `${whole.replace(/<[^>]+>/g, places)}\n`);
}

/** An image of values, row by row, as the address of a PNG; the largest value is black. It has 16 greys, which pack well. */
export function tile(values, width, height = width) {
  const most = values.reduce((a, b) => Math.max(a, b));
  const data = Uint8Array.from(values, (value) => 255 - 17 * Math.round((15 * Math.max(0, value)) / most));
  const png = encode({ width, height, data, channels: 1 });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
