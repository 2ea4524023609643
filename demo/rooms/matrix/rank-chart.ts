/** Held-out error, with its standard error, and agreement by rank, in two panels one below the other. */
import type { RankResult } from 'orthant';
import { type Surface, surfaceOf } from '../../page/canvas.js';
import { el, onNextFrame } from '../../page/dom.js';

export interface RankChart {
  element: HTMLElement;
  show(results: readonly RankResult[], chosen: number): void;
}

interface Line {
  name: string;
  colour: string;
  dashed?: boolean;
  values: (number | null)[];
  /** Half the length of the bars. */
  spread?: (number | null)[];
}

export function rankChart(): RankChart {
  const canvas = el('canvas', { role: 'img' });
  const key = el('ul', { class: 'key' });
  const element = el('figure', { class: 'rank-chart' }, canvas, key);
  let shown: { results: readonly RankResult[]; chosen: number } | undefined;
  const redraw = onNextFrame(draw);

  function draw(): void {
    if (!shown) return;
    const { results, chosen } = shown;
    const surface = surfaceOf(canvas);
    const half = (surface.height - 28) / 2;
    const [errors, agreement] = linesOf(results);
    panel(surface, 8, half - 24, errors, results, chosen, undefined);
    panel(surface, half + 12, half - 18, agreement, results, chosen, [0, 1]);
    const { context, colour, font } = surface;
    context.fillStyle = colour('muted');
    context.font = font(12);
    context.textAlign = 'center';
    for (const [i, { rank }] of results.entries())
      context.fillText(String(rank), xOf(i, results.length, surface.width), surface.height - 6);
  }

  new ResizeObserver(redraw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  return {
    element,
    show(results, chosen) {
      shown = { results, chosen };
      const lines = linesOf(results).flat();
      key.replaceChildren(
        ...lines.map(({ name, colour, dashed }) => el('li', {}, el('i', { class: `swatch ${colour}${dashed ? ' bound' : ''}` }), name)),
      );
      canvas.setAttribute(
        'aria-label',
        `${lines.map(({ name }) => name).join(', ')} by rank; rank ${chosen} is chosen. The table has the numbers.`,
      );
      redraw();
    },
  };
}

function linesOf(results: readonly RankResult[]): [Line[], Line[]] {
  const errors: Line[] = [
    { name: 'error of the fit', colour: 'level-0', dashed: true, values: results.map(({ relativeError }) => relativeError) },
  ];
  if (results.some(({ heldOut }) => heldOut))
    errors.unshift({
      name: 'held-out error',
      colour: 'level-0',
      values: results.map(({ heldOut }) => heldOut?.error ?? null),
      spread: results.map(({ heldOut }) => heldOut?.standardError ?? null),
    });
  const agreement: Line[] = [
    { name: 'agreement of restarts (cophenetic)', colour: 'level-2', dashed: true, values: results.map(({ cophenetic }) => cophenetic) },
  ];
  if (results.some(({ stability }) => stability))
    agreement.unshift({
      name: 'stability of the least stable component',
      colour: 'level-1',
      values: results.map(({ stability }) => stability?.leastOfA ?? null),
    });
  return [errors, agreement];
}

const left = 48;
const xOf = (i: number, count: number, width: number) => left + ((i + 0.5) * (width - left)) / count;

function panel(
  { context, width, hairline, colour, font }: Surface,
  top: number,
  height: number,
  lines: readonly Line[],
  results: readonly RankResult[],
  chosen: number,
  range: [number, number] | undefined,
): void {
  const known = lines.flatMap(({ values, spread }) =>
    values.flatMap((x, i) => (x === null ? [] : [x + (spread?.[i] ?? 0), x - (spread?.[i] ?? 0)])),
  );
  const least = Math.min(range?.[0] ?? 0, ...known);
  const most = Math.max(range?.[1] ?? Math.max(...known) * 1.05, ...known) || 1;
  const y = (value: number) => top + height - ((value - least) / (most - least)) * height;
  const x = (i: number) => xOf(i, results.length, width);
  const at = results.findIndex(({ rank }) => rank === chosen);
  context.fillStyle = colour('soft');
  const cell = (width - left) / results.length;
  if (at >= 0) context.fillRect(x(at) - cell / 2, top, cell, height);
  context.strokeStyle = colour('line');
  context.lineWidth = hairline;
  context.fillStyle = colour('muted');
  context.font = font(12);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const part of [0, 0.5, 1]) {
    const value = least + part * (most - least);
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(width, y(value));
    context.stroke();
    context.fillText(String(Number(value.toPrecision(2))), left - 8, Math.max(y(value), top + 6));
  }
  context.textBaseline = 'alphabetic';
  for (const { values, spread, colour: name, dashed } of lines) {
    context.strokeStyle = colour(name);
    context.fillStyle = colour(name);
    context.lineWidth = 2;
    context.setLineDash(dashed ? [5, 4] : []);
    context.beginPath();
    for (const [i, value] of values.entries()) if (value !== null) context.lineTo(x(i), y(value));
    context.stroke();
    context.setLineDash([]);
    for (const [i, value] of values.entries()) {
      if (value === null) continue;
      context.fillRect(x(i) - 3, y(value) - 3, 6, 6);
      const bar = spread?.[i] ?? 0;
      if (bar > 0) context.fillRect(x(i) - 0.75, y(value + bar), 1.5, y(value - bar) - y(value + bar));
    }
  }
}
