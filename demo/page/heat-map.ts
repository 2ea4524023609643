/**
 * A matrix as a picture, with zoom and the value under the pointer.
 *
 * Where it has more entries than the canvas has pixels, a pixel shows the mean of a block. Wheel or + and − zoom, a drag or the arrow keys move,
 * 0 shows everything again. A pointer, or the keys, choose an entry; its value is a text that screen readers get, too.
 *
 * Of a matrix that is too large for the page there are means of blocks, and the entries of a part as soon as it is near enough.
 *
 * NaN is a missing value, which is hatched. With entries below 0 the colours run from blue over white, which is 0, to red.
 */
import type { Matrix } from 'orthant';
import { surfaceOf } from './canvas.js';
import { el, onNextFrame } from './dom.js';
import { redAndBlue, viridis } from './viridis.js';

export interface HeatMapOptions {
  /** The name for screen readers. */
  label: string;
  /** The value of the colour map's upper end; its lower one is 0. Default: the largest entry. */
  high?: number;
  /** Names of rows and columns, for the value under the pointer. */
  rowName?: (row: number) => string;
  columnName?: (column: number) => string;
  /** The group of each column; runs of equal ones are marked below the map. */
  groups?: readonly (number | string)[];
  /** Where the entries are means of blocks. */
  blocks?: Blocks;
}

/** The matrix that blocks stand for. */
export interface Blocks {
  rows: number;
  cols: number;
  /** Rows and columns of a block. */
  high: number;
  wide: number;
  /** Its entries in a part; undefined where they cannot be had. */
  read?: (part: View) => Promise<Matrix | undefined>;
}

export interface HeatMap {
  element: HTMLElement;
  show(entries: Matrix | undefined, options?: Partial<HeatMapOptions>): void;
}

/** A part of the matrix, in entries. */
export interface View {
  row: number;
  column: number;
  rows: number;
  cols: number;
}

/** The entries of a matrix, 0 included. */
interface Range {
  least: number;
  most: number;
  missing: boolean;
}

/** From −high or 0 to high. */
interface Scale {
  signed: boolean;
  high: number;
}

const tableOf = (map: (t: number) => number[]) =>
  Uint8ClampedArray.from({ length: 256 * 3 }, (_, i) => map(Math.floor(i / 3) / 255)[i % 3]);
const colours = tableOf(viridis);
const signedColours = tableOf(redAndBlue);
const belowForGroups = 9;
const fewestInView = 4;
/** Entries of a part that are asked for at once. */
const mostInView = 2 ** 17;

export function heatMap(given: HeatMapOptions): HeatMap {
  let options = given;
  let entries: Matrix | undefined;
  let range: Range = { least: 0, most: 0, missing: false };
  let view: View = { row: 0, column: 0, rows: 1, cols: 1 };
  let chosen: { row: number; column: number } | undefined;
  /** The entries of a part of a matrix that is shown in blocks. */
  let near: (View & { entries: Matrix }) | undefined;
  let asking = false;
  let size: Blocks = { rows: 0, cols: 0, high: 1, wide: 1 };
  const sizeOf = (next: Matrix): Blocks => options.blocks ?? { rows: next.rows, cols: next.cols, high: 1, wide: 1 };

  const canvas = el('canvas', { tabindex: 0, role: 'img' });
  const value = el('p', { class: 'map-value', 'aria-live': 'polite' });
  const element = el('div', { class: 'heat-map' }, canvas, value);
  const redraw = onNextFrame(draw);

  function show(next: Matrix | undefined, changed: Partial<HeatMapOptions> = {}): void {
    options = { ...options, ...changed };
    near = undefined;
    if (next) {
      const { rows, cols } = sizeOf(next);
      if (rows !== size.rows || cols !== size.cols) view = { row: 0, column: 0, rows, cols };
      size = sizeOf(next);
    }
    entries = next;
    range = next ? rangeOf(next) : { least: 0, most: 0, missing: false };
    canvas.setAttribute('aria-label', next ? `${options.label}, ${size.rows} rows and ${size.cols} columns` : `${options.label}, empty`);
    tell();
    redraw();
  }

  function draw(): void {
    const { context, width, height, hairline, colour } = surfaceOf(canvas);
    const below = options.groups ? belowForGroups : 0;
    const plotHeight = height - below;
    context.fillStyle = colour('empty');
    context.fillRect(0, 0, width, plotHeight);
    if (!entries) return;
    const ratio = devicePixelRatio || 1;
    const { least, most, missing } = range;
    if (missing) hatch(context, width, plotHeight, colour('muted'));
    const scale = { signed: least < 0, high: Math.max(-least, options.high ?? most) };
    const cell = { width: width / view.cols, height: plotHeight / view.rows };
    const { at, high, wide, of } = sourceAt(view.row, view.column, view.row + view.rows, view.column + view.cols);
    const seen = {
      row: (view.row - at.row) / high,
      column: (view.column - at.column) / wide,
      rows: view.rows / high,
      cols: view.cols / wide,
    };
    const picture = pictureOf(of, seen, scale, Math.round(width * ratio), Math.round(plotHeight * ratio));
    context.imageSmoothingEnabled = false;
    const from = { row: at.row + picture.row * high, column: at.column + picture.column * wide };
    const to = { row: Math.min(size.rows, from.row + picture.rows * high), column: Math.min(size.cols, from.column + picture.cols * wide) };
    context.save();
    context.beginPath();
    context.rect(0, 0, width, plotHeight);
    context.clip();
    context.drawImage(
      picture.canvas,
      (from.column - view.column) * cell.width,
      (from.row - view.row) * cell.height,
      (to.column - from.column) * cell.width,
      (to.row - from.row) * cell.height,
    );
    context.restore();
    if (high * wide > 1) void comeNear();
    if (chosen) {
      context.strokeStyle = colour('mark');
      context.lineWidth = Math.max(hairline, 1.5);
      context.strokeRect((chosen.column - view.column) * cell.width, (chosen.row - view.row) * cell.height, cell.width, cell.height);
    }
    if (!options.groups) return;
    // Brackets under the groups of columns, alternately strong and faint so that neighbours stay apart however narrow they are.
    runs(options.groups).forEach(([from, to], i) => {
      context.fillStyle = colour(i % 2 === 0 ? 'ink' : 'line');
      const [left, right] = [(from - view.column) * cell.width, (to - view.column) * cell.width];
      if (right > 0 && left < width) context.fillRect(left + hairline, plotHeight + 4, right - left - 2 * hairline, 3);
    });
  }

  /** The entries that are known from one place to another: all of a part that is near, or else the blocks. */
  function sourceAt(row: number, column: number, toRow: number, toColumn: number) {
    const covered =
      near && row >= near.row && column >= near.column && toRow <= near.row + near.rows && toColumn <= near.column + near.cols;
    return covered
      ? { of: near!.entries, at: { row: near!.row, column: near!.column }, high: 1, wide: 1 }
      : { of: entries!, at: { row: 0, column: 0 }, high: size.high, wide: size.wide };
  }

  /** Asks for the entries in sight where they are few enough. */
  async function comeNear(): Promise<void> {
    if (!size.read || asking || view.rows * view.cols > mostInView) return;
    const [row, column] = [Math.floor(view.row), Math.floor(view.column)];
    const part = { row, column, rows: Math.ceil(view.row + view.rows) - row, cols: Math.ceil(view.column + view.cols) - column };
    const of = entries;
    asking = true;
    const found = await size.read(part).catch(() => undefined);
    asking = false;
    if (!found || of !== entries) return; // other entries came meanwhile
    near = { ...part, entries: found };
    tell();
    redraw();
  }

  /** The value of the chosen entry in words. */
  function tell(): void {
    if (!entries || !chosen || chosen.row >= size.rows || chosen.column >= size.cols) {
      value.textContent = '';
      return;
    }
    const { row, column } = chosen;
    const { rowName = (i) => `row ${i + 1}`, columnName = (j) => `column ${j + 1}` } = options;
    const { of, at, high, wide } = sourceAt(row, column, row + 1, column + 1);
    const entry = of.data[Math.floor((row - at.row) / high) * of.cols + Math.floor((column - at.column) / wide)];
    value.textContent = `${rowName(row)}, ${columnName(column)}: ${high * wide > 1 ? `about ${short(entry)}, the mean of a block` : short(entry)}`;
  }

  function choose(row: number, column: number): void {
    if (!entries) return;
    chosen = { row: clamp(Math.floor(row), 0, size.rows - 1), column: clamp(Math.floor(column), 0, size.cols - 1) };
    tell();
    redraw();
  }

  /** Zooms by `factor` about a place of the canvas, 0 to 1 in both directions. */
  function zoom(factor: number, x: number, y: number): void {
    if (!entries) return;
    const rows = clamp(view.rows * factor, Math.min(fewestInView, size.rows), size.rows);
    const cols = clamp(view.cols * factor, Math.min(fewestInView, size.cols), size.cols);
    view = {
      rows,
      cols,
      row: clamp(view.row + y * (view.rows - rows), 0, size.rows - rows),
      column: clamp(view.column + x * (view.cols - cols), 0, size.cols - cols),
    };
    redraw();
  }

  function move(rows: number, columns: number): void {
    if (!entries) return;
    view = {
      ...view,
      row: clamp(view.row + rows, 0, size.rows - view.rows),
      column: clamp(view.column + columns, 0, size.cols - view.cols),
    };
    redraw();
  }

  const placeOf = (event: MouseEvent) => ({
    x: event.offsetX / canvas.clientWidth,
    y: event.offsetY / (canvas.clientHeight - (options.groups ? belowForGroups : 0)),
  });
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.shiftKey && view.rows === size.rows && event.deltaY > 0) return; // the page scrolls
      event.preventDefault();
      const { x, y } = placeOf(event);
      zoom(event.deltaY > 0 ? 1.25 : 0.8, x, y);
    },
    { passive: false },
  );
  canvas.addEventListener('pointermove', (event) => {
    const { x, y } = placeOf(event);
    if (event.buttons === 1)
      move((-event.movementY / canvas.clientHeight) * view.rows, (-event.movementX / canvas.clientWidth) * view.cols);
    else choose(view.row + y * view.rows, view.column + x * view.cols);
  });
  canvas.addEventListener('pointerleave', () => {
    chosen = undefined;
    tell();
    redraw();
  });
  canvas.addEventListener('keydown', (event) => {
    const at = chosen ?? { row: view.row, column: view.column };
    const keys: Record<string, () => void> = {
      '+': () => zoom(0.8, 0.5, 0.5),
      '=': () => zoom(0.8, 0.5, 0.5),
      '-': () => zoom(1.25, 0.5, 0.5),
      '0': () => zoom(Number.MAX_VALUE, 0.5, 0.5),
      ArrowUp: () => choose(at.row - 1, at.column),
      ArrowDown: () => choose(at.row + 1, at.column),
      ArrowLeft: () => choose(at.row, at.column - 1),
      ArrowRight: () => choose(at.row, at.column + 1),
    };
    const key = keys[event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    key();
    followChosen();
  });

  /** Keeps the chosen entry in sight while the keys move it. */
  function followChosen(): void {
    if (!chosen) return;
    const { row, column } = chosen;
    move(
      Math.min(0, row - view.row) + Math.max(0, row + 1 - view.row - view.rows),
      Math.min(0, column - view.column) + Math.max(0, column + 1 - view.column - view.cols),
    );
  }

  new ResizeObserver(redraw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  show(undefined);
  return { element, show };
}

/** The part of the entries that is in sight as a picture, and its place: a pixel an entry, or a pixel a block of entries, whichever needs fewer. */
function pictureOf(
  { cols, data }: Matrix,
  view: View,
  { signed, high }: Scale,
  mostWide: number,
  mostHigh: number,
): View & { canvas: OffscreenCanvas } {
  const firstRow = Math.floor(view.row);
  const firstColumn = Math.floor(view.column);
  const rows = Math.max(1, Math.min(Math.ceil(view.row + view.rows - 1e-9), Math.floor(data.length / cols)) - firstRow);
  const columns = Math.max(1, Math.min(Math.ceil(view.column + view.cols - 1e-9), cols) - firstColumn);
  const wide = Math.max(1, Math.min(columns, mostWide));
  const tall = Math.max(1, Math.min(rows, mostHigh));
  const offscreen = new OffscreenCanvas(wide, tall);
  const context = offscreen.getContext('2d')!;
  const image = context.createImageData(wide, tall);
  const map = signed ? signedColours : colours;
  for (let y = 0; y < tall; y++) {
    const [fromRow, toRow] = span(y, tall, rows);
    for (let x = 0; x < wide; x++) {
      const [fromColumn, toColumn] = span(x, wide, columns);
      let [sum, known] = [0, 0];
      for (let i = fromRow; i < toRow; i++) {
        for (let j = fromColumn; j < toColumn; j++) {
          const entry = data[(firstRow + i) * cols + firstColumn + j];
          if (Number.isNaN(entry)) continue;
          sum += entry;
          known++;
        }
      }
      if (known === 0) continue; // transparent: the hatching shows
      const part = sum / known / (high || 1);
      const colour = 3 * clamp(Math.round(255 * (signed ? (part + 1) / 2 : part)), 0, 255);
      const at = 4 * (y * wide + x);
      image.data[at] = map[colour];
      image.data[at + 1] = map[colour + 1];
      image.data[at + 2] = map[colour + 2];
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return { canvas: offscreen, row: firstRow, column: firstColumn, rows, cols: columns };
}

/** The entries [from, to) of pixel `at` of `pixels`. */
function span(at: number, pixels: number, entries: number): [number, number] {
  const from = Math.floor((at * entries) / pixels);
  return [from, Math.max(from + 1, Math.floor(((at + 1) * entries) / pixels))];
}

/** [from, to) of each run of equal entries. */
function runs(groups: readonly (number | string)[]): [number, number][] {
  const starts = groups.flatMap((group, i) => (i > 0 && group === groups[i - 1] ? [] : [i]));
  return starts.map((from, i) => [from, starts[i + 1] ?? groups.length]);
}

function rangeOf({ data }: Matrix): Range {
  let [least, most, missing] = [0, 0, false];
  for (const x of data) {
    if (x > most) most = x;
    else if (x < least) least = x;
    else if (Number.isNaN(x)) missing = true;
  }
  return { least, most, missing };
}

/** Thin lines from the lower left to the upper right. */
function hatch(context: CanvasRenderingContext2D, width: number, height: number, colour: string): void {
  const every = 5;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.save();
  context.beginPath();
  context.rect(0, 0, width, height);
  context.clip();
  context.beginPath();
  for (let x = -height; x < width; x += every) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}

const clamp = (x: number, least: number, most: number) => Math.min(Math.max(x, least), most);
const short = (x: number) => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : 'missing');
