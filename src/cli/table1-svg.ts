/** A matrix as a heat map in SVG: shapes and text only, which every viewer draws, an image in a README too. */
import type { Matrix } from '../data/matrix.js';

/** Colours that entries are rounded to. */
const shades = 48;

const cell = 4;
const left = 34;
const top = 52;
const right = 64;
const bottom = 46;

export interface HeatMap {
  title: string;
  caption: string;
  matrix: Matrix;
  /** The value of the colour map's upper end; its lower one is 0. */
  high: number;
  /** The group of each column; runs of equal ones are bracketed below the map. */
  groups?: readonly number[];
}

export function heatMapSvg({ title, caption, matrix, high, groups = [] }: HeatMap): string {
  const { rows, cols } = matrix;
  const [width, height] = [cols * cell, rows * cell];
  const brackets = runs(groups).map(([from, to], i) => {
    const [x, w] = [left + from * cell + 0.5, (to - from) * cell - 1];
    return `<rect x="${x}" y="${top + height + 4}" width="${w}" height="3" fill="${i % 2 === 0 ? '#333' : '#aaa'}"/>`;
  });
  const sideways = `translate(${left - 12} ${top + height / 2}) rotate(-90)`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + right} ${top + height + bottom}" width="${left + width + right}" height="${top + height + bottom}" font-family="system-ui, sans-serif" font-size="12" fill="#333" role="img">`,
    `<title>${escaped(`${title}: ${caption}`)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="${left}" y="21" font-size="16">${escaped(title)}</text>`,
    `<text x="${left}" y="41">${escaped(caption)}</text>`,
    // One unit is an entry; strokes run along the middle of the rows.
    `<g transform="translate(${left} ${top}) scale(${cell}) translate(0 .5)" fill="none" shape-rendering="crispEdges">`,
    ...strokes(matrix, high),
    '</g>',
    ...brackets,
    `<text x="${left + width / 2}" y="${top + height + 24}" text-anchor="middle">${cols} columns${groups.length > 0 ? ` in ${new Set(groups).size} groups` : ''}</text>`,
    `<text transform="${sideways}" text-anchor="middle">${rows} rows</text>`,
    ...colourBar(left + width + 14, top, height, high),
    '</svg>',
    '',
  ].join('\n');
}

/** A path for each shade, of runs of entries that have it. */
function strokes({ rows, cols, data }: Matrix, high: number): string[] {
  const paths = new Map<number, string>();
  for (let i = 0; i < rows; i++) {
    for (const [from, to] of runs(Array.from(data.subarray(i * cols, (i + 1) * cols), (value) => shadeOf(value / high)))) {
      const shade = shadeOf(data[i * cols + from] / high);
      paths.set(shade, `${paths.get(shade) ?? ''}M${from} ${i}h${to - from}`);
    }
  }
  return [...paths].sort(([a], [b]) => a - b).map(([shade, d]) => `<path stroke="${colourOf(shade)}" d="${d}"/>`);
}

function colourBar(x: number, y: number, height: number, high: number): string[] {
  const step = height / shades;
  const boxes = Array.from(
    { length: shades },
    (_, shade) =>
      `<rect x="${x}" y="${round(y + height - (shade + 1) * step)}" width="12" height="${round(step + 0.4)}" fill="${colourOf(shade)}"/>`,
  );
  const ticks = Array.from({ length: Math.floor(high) + 1 }, (_, value) => {
    const at = round(y + height * (1 - value / high));
    return `<path d="M${x + 12} ${at}h4" stroke="#333"/><text x="${x + 20}" y="${at + 4}">${value}</text>`;
  });
  return ['<g shape-rendering="crispEdges">', ...boxes, '</g>', ...ticks];
}

function shadeOf(t: number): number {
  return Math.min(Math.max(Math.floor(t * shades), 0), shades - 1);
}

function colourOf(shade: number): string {
  const hex = viridis((shade + 0.5) / shades).map((value) => Math.round(value).toString(16).padStart(2, '0'));
  return `#${hex.join('')}`;
}

/** Matplotlib's viridis, perceptually uniform, as a polynomial of degree 6 in each channel (fitted by Matt Zucker, CC0). */
const coefficients = [
  [0.27773, 0.10509, -0.33086, -4.63423, 6.22827, 4.77638, -5.43546],
  [0.00541, 1.40461, 0.21485, -5.7991, 14.17993, -13.74515, 4.64585],
  [0.3341, 1.38459, 0.0951, -19.33244, 56.69055, -65.35303, 26.31244],
];

function viridis(t: number): number[] {
  return coefficients.map((channel) => Math.min(Math.max(255 * channel.reduceRight((sum, c) => sum * t + c, 0), 0), 255));
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** [from, to) of each run of equal entries. */
function runs(values: readonly number[]): [number, number][] {
  const starts = values.flatMap((value, i) => (value === values[i - 1] ? [] : [i]));
  return starts.map((from, i) => [from, starts[i + 1] ?? values.length]);
}
