/** Errors by iteration, each beside its bound, on a logarithmic axis. uPlot is loaded with the first one. */
import type uPlot from 'uplot';
import { el, onNextFrame } from './dom.js';

export interface CurveLine {
  name: string;
  /** The name of its colour in style.css. */
  colour: string;
  /** The smallest value that it can have; null where none is known. */
  bound: number | null;
}

export interface Curve {
  element: HTMLElement;
  /** Begins anew with these lines. */
  lines(lines: readonly CurveLine[]): void;
  /** The bounds of the lines, where they are known later than the lines are. */
  bounds(bounds: readonly (number | null)[]): void;
  /** One more iteration, with a value of each line, null where it has none. */
  add(iteration: number, values: readonly (number | null)[]): void;
}

const height = 260;

export function curve(label: string): Curve {
  const place = el('div', { class: 'curve-plot', role: 'img', 'aria-label': `${label}, empty` });
  const key = el('ul', { class: 'key' });
  const element = el('figure', { class: 'curve' }, el('figcaption', {}, el('h3', {}, label), key), place);
  let given: readonly CurveLine[] = [];
  let iterations: number[] = [];
  let values: (number | null)[][] = [];
  let plot: uPlot | undefined;
  let loading: Promise<typeof uPlot> | undefined;
  let stale = true;

  const redraw = onNextFrame(() => void draw());

  async function draw(): Promise<void> {
    if (iterations.length === 0 || !element.isConnected) return;
    mendLanguage();
    loading ??= Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: made }]) => made);
    const Plot = await loading;
    if (stale || !plot) {
      stale = false;
      plot?.destroy();
      plot = new Plot(optionsOf(given, place), [[], ...given.flatMap(() => [[], []])], place);
    }
    const bounds = given.map(({ bound }) => iterations.map(() => bound));
    plot.setData([iterations, ...values, ...bounds] as uPlot.AlignedData);
    place.setAttribute('aria-label', `${label}: ${given.map(({ name }, l) => `${name} ${spoken(values[l].at(-1))}`).join(', ')}`);
  }

  new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height })).observe(place);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    stale = true;
    redraw();
  });

  function drawKey(): void {
    key.replaceChildren(
      ...given.map(({ name, colour }) => el('li', {}, el('i', { class: `swatch ${colour}` }), name)),
      ...(given.some(({ bound }) => bound !== null) ? [el('li', {}, el('i', { class: 'swatch bound' }), 'its SVD bound')] : []),
    );
  }

  return {
    element,
    lines(lines) {
      given = lines;
      iterations = [];
      values = lines.map(() => []);
      stale = true;
      plot?.setData([[], ...lines.flatMap(() => [[], []])] as unknown as uPlot.AlignedData);
      drawKey();
    },
    bounds(bounds) {
      given = given.map((line, l) => ({ ...line, bound: bounds[l] ?? null }));
      drawKey();
      redraw();
    },
    add(iteration, next) {
      if (iteration < (iterations.at(-1) ?? 0)) return; // drawings may arrive behind the checks
      if (iteration === iterations.at(-1))
        for (const [l, value] of next.entries()) values[l][values[l].length - 1] = value ?? values[l].at(-1)!;
      else {
        iterations.push(iteration);
        for (const [l, value] of next.entries()) values[l].push(value);
      }
      redraw();
    },
  };
}

/** uPlot asks Intl for the language of the browser, which is none that Intl knows where the system's is C or POSIX ("en-US@posix"). */
function mendLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
  }
}

const spoken = (x: number | null | undefined) => (x === null || x === undefined ? 'not known yet' : x.toPrecision(4));

function optionsOf(lines: readonly CurveLine[], place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(`--${name}`);
  const [ink, grid] = [colour('muted'), colour('line')];
  const font = `12px ${style.fontFamily}`;
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font };
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { distr: 3 } },
    axes: [
      axis,
      {
        ...axis,
        size: 56,
        values: (_, ticks) =>
          ticks.map((tick) => (tick === null ? '' : tick < 1e-3 && tick > 0 ? tick.toExponential(0) : String(Number(tick.toPrecision(3))))),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({ label: line.name, stroke: colour(line.colour), width: 2, spanGaps: true, points: { show: false } })),
      ...lines.map((line) => ({
        label: `${line.name}, bound`,
        stroke: colour(line.colour),
        width: 1,
        dash: [5, 4],
        points: { show: false },
      })),
    ],
  };
}
