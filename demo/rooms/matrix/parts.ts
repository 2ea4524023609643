/** The columns of A as what the data are: images, or spectra beside their activations. */
import type { Matrix } from 'orthant';
import { surfaceOf } from '../../page/canvas.js';
import { el, onNextFrame } from '../../page/dom.js';
import type { Drawing, Facts } from '../../work/matrix.js';

export interface PartsView {
  element: HTMLElement;
  show(drawing: Drawing, facts: Facts | undefined): void;
}

export function partsView(): PartsView {
  const title = el('h3', {}, 'Parts');
  const place = el('ol', { class: 'parts', tabindex: 0, 'aria-label': 'Parts' }); // scrolls, also by the keyboard, in a narrow window
  const element = el('section', { class: 'parts-section', 'aria-label': 'Parts', hidden: true }, title, place);
  let drawn: { drawing: Drawing; facts: Facts } | undefined;
  const redraw = onNextFrame(draw);

  function draw(): void {
    if (!drawn) return;
    const { drawing, facts } = drawn;
    const parts = drawing.parts!;
    while (place.childElementCount > parts.cols) place.lastElementChild!.remove();
    while (place.childElementCount < parts.cols) place.append(part(place.childElementCount, facts));
    place.querySelectorAll<HTMLCanvasElement>('canvas').forEach((canvas, at) => {
      if (facts.image) paintImage(canvas, parts, at, facts.image);
      else if (at % 2 === 0) paintLine(canvas, columnOf(parts, at / 2), 'level-0');
      else if (drawing.S) paintLine(canvas, rowOf(drawing.S.entries, (at - 1) / 2), 'level-1');
    });
  }

  new ResizeObserver(redraw).observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  return {
    element,
    show(drawing, facts) {
      const shown = drawing.parts && facts && (facts.image || facts.sound);
      element.hidden = !shown;
      if (!shown) return;
      const kind = facts.image ? 'images' : 'spectra';
      if (place.dataset.kind !== kind || place.dataset.name !== facts.name) place.replaceChildren();
      place.dataset.kind = kind;
      place.dataset.name = facts.name;
      title.textContent = facts.image ? 'Parts: the columns of A as images' : 'Parts: spectra, and their activations over time';
      drawn = { drawing, facts };
      redraw();
    },
  };
}

function part(k: number, { image, sound, cols }: Facts): HTMLElement {
  if (image) return el('li', {}, el('canvas', { role: 'img', 'aria-label': `Part ${k + 1} as an image` }), el('span', {}, String(k + 1)));
  const until = (sound!.step * cols).toFixed(1);
  return el(
    'li',
    {},
    el('span', {}, String(k + 1)),
    el(
      'figure',
      {},
      el('canvas', { role: 'img', 'aria-label': `Spectrum of part ${k + 1}` }),
      el('figcaption', {}, `0 to ${Math.round(sound!.highest)} Hz`),
    ),
    el('figure', {}, el('canvas', { role: 'img', 'aria-label': `Activation of part ${k + 1}` }), el('figcaption', {}, `0 to ${until} s`)),
  );
}

const columnOf = ({ rows, cols, data }: Matrix, k: number) => Float32Array.from({ length: rows }, (_, i) => data[i * cols + k]);
const rowOf = ({ cols, data }: Matrix, k: number) => data.subarray(k * cols, (k + 1) * cols);

/** A pixel of the canvas for each of the image; the style sheet makes it larger, with its pixels crisp. Of both signs, 0 is the middle grey. */
function paintImage(canvas: HTMLCanvasElement, parts: Matrix, k: number, { width, height, channels }: NonNullable<Facts['image']>): void {
  canvas.width = width;
  canvas.height = height;
  canvas.style.aspectRatio = `${width} / ${height}`;
  const context = canvas.getContext('2d')!;
  const pixels = context.createImageData(width, height);
  let [least, most] = [0, 0];
  for (let i = 0; i < parts.rows; i++) {
    const x = parts.data[i * parts.cols + k];
    if (x < least) least = x;
    if (x > most) most = x;
  }
  const high = Math.max(most, -least) || 1;
  for (let at = 0; at < width * height; at++) {
    for (let c = 0; c < 3; c++) {
      const x = parts.data[(at * channels + (channels === 3 ? c : 0)) * parts.cols + k] / high;
      pixels.data[4 * at + c] = 255 * (least < 0 ? (x + 1) / 2 : x);
    }
    pixels.data[4 * at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

function paintLine(canvas: HTMLCanvasElement, values: Float32Array, colour: string): void {
  const { context, width, height, colour: of } = surfaceOf(canvas);
  let most = 0;
  for (const x of values) if (x > most) most = x;
  context.fillStyle = of(colour);
  // A bar a pixel, as high as the largest value that falls on it.
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * values.length) / width));
    let high = 0;
    for (let i = from; i < to; i++) if (values[i] > high) high = values[i];
    const tall = (height * high) / (most || 1);
    context.fillRect(x, height - tall, 1, tall);
  }
}
