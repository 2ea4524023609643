/** Heat maps on canvases, one pixel a place. */
import { scale } from '@observablehq/plot';
import type { HeatMap } from '../heat-map.js';
import { byId, element } from './dom.js';

export function drawMaps(maps: readonly HeatMap[]): void {
  byId('maps')?.replaceChildren(...maps.map(figureOf));
}

function figureOf(map: HeatMap): HTMLElement {
  const { name, caption, rows, cols, pictureRows, pictureCols, low, high } = map;
  const canvas = element('canvas');
  canvas.width = pictureCols;
  canvas.height = pictureRows;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Heat map of ${name}: ${caption}`);
  paint(canvas, map);
  const reduced = rows > pictureRows || cols > pictureCols;
  const size = reduced ? `${pictureRows} × ${pictureCols} means of blocks; ${rows} × ${cols} entries` : `all ${rows} × ${cols} entries`;
  const ramp = element('canvas', 'ramp');
  ramp.width = 256;
  ramp.height = 1;
  ramp.setAttribute('aria-hidden', 'true');
  paint(ramp, { ...map, pictureRows: 1, pictureCols: 256, levels: btoa(String.fromCharCode(...Array(256).keys())) });
  const ends = element('p', 'ends', element('span', '', number(low)), ramp, element('span', '', number(high)));
  return element('figure', '', element('figcaption', '', element('b', '', name), ' ', caption, element('small', '', size)), canvas, ends);
}

const number = (x: number) => (x === 0 ? '0' : String(Number(x.toPrecision(3))));

function paint(canvas: HTMLCanvasElement, { pictureRows, pictureCols, low, levels }: HeatMap): void {
  const context = canvas.getContext('2d')!;
  const colours = coloursOf(low < 0 ? 'RdBu' : 'viridis');
  const image = context.createImageData(pictureCols, pictureRows);
  const bytes = atob(levels);
  for (let i = 0; i < bytes.length; i++) image.data.set(colours.subarray(4 * bytes.charCodeAt(i), 4 * bytes.charCodeAt(i) + 4), 4 * i);
  context.putImageData(image, 0, 0);
}

const known = new Map<string, Uint8ClampedArray>();

/** The 256 colours of a scheme, four bytes each. Negative values are blue, positive ones red. */
function coloursOf(scheme: 'RdBu' | 'viridis'): Uint8ClampedArray {
  const found = known.get(scheme);
  if (found) return found;
  const colour = scale({ color: { type: 'linear', scheme, domain: [0, 255], reverse: scheme === 'RdBu' } });
  const canvas = element('canvas');
  canvas.width = 256;
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  for (let level = 0; level < 256; level++) {
    context.fillStyle = String(colour.apply(level));
    context.fillRect(level, 0, 1, 1);
  }
  const { data } = context.getImageData(0, 0, 256, 1);
  known.set(scheme, data);
  return data;
}
