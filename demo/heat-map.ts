import type { Matrix } from '../src/index.js';
import { surfaceOf } from './canvas.js';
import { viridis } from './viridis.js';

export interface HeatMap {
  rows: number;
  cols: number;
  /** Left out while there is nothing to see yet. */
  entries?: Matrix;
  /** The value of the colour map's upper end; its lower one is 0. */
  high: number;
  /** The group of each column; runs of equal ones are bracketed below the map. */
  groups: number[];
}

const left = 20;
const below = 30;

export function drawHeatMap(canvas: HTMLCanvasElement, { rows, cols, entries, high, groups }: HeatMap): void {
  const { context, width, height, hairline, colour, font } = surfaceOf(canvas);
  const plot = { x: left, y: 0, width: width - left, height: height - below };
  const cell = plot.width / cols;

  context.fillStyle = colour('empty');
  context.fillRect(plot.x, plot.y, plot.width, plot.height);
  if (entries) {
    context.imageSmoothingEnabled = false;
    context.drawImage(imageOf(entries, high), plot.x, plot.y, plot.width, plot.height);
  }

  // Brackets under the groups of columns, alternately strong and faint so that neighbours stay apart however narrow they are.
  runs(groups).forEach(([from, to], i) => {
    context.fillStyle = colour(i % 2 === 0 ? 'ink' : 'line');
    context.fillRect(plot.x + from * cell + hairline, plot.height + 5, (to - from) * cell - 2 * hairline, 3);
  });

  context.fillStyle = colour('muted');
  context.font = font(12);
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.fillText(`${cols} columns in ${new Set(groups).size} groups`, plot.x + plot.width / 2, height - 5);
  context.translate(12, plot.height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(`${rows} rows`, 0, 0);
}

/** One pixel an entry. */
function imageOf({ rows, cols, data }: Matrix, high: number): OffscreenCanvas {
  const offscreen = new OffscreenCanvas(cols, rows);
  const context = offscreen.getContext('2d')!;
  const image = context.createImageData(cols, rows);
  data.forEach((value, i) => {
    image.data.set([...viridis(value / high), 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
  return offscreen;
}

/** [from, to) of each run of equal entries. */
function runs(groups: number[]): [number, number][] {
  const starts = groups.flatMap((group, i) => (group === groups[i - 1] ? [] : [i]));
  return starts.map((from, i) => [from, starts[i + 1] ?? groups.length]);
}
