/** Draws panels with Observable Plot into a document of linkedom's: no browser is needed, and the result needs no script. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Bars, Lines, Panel, Roofline, Shares } from './panels.js';

/** Told apart also by those who see fewer colours (Okabe and Ito). */
const range = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];
const ink = '#1a1a1a';
const width = 860;

export function drawPanel({ plot, title }: Panel): string {
  const { document } = parseHTML('<html><body></body></html>');
  const shared = { document, width, style: { background: 'white', color: ink, fontSize: '13px', overflow: 'visible' }, ariaLabel: title };
  const drawn = { bars, lines, roofline, shares }[plot.kind](plot as never, shared);
  const legend = legendOf(seriesOf(plot));
  return `${legend}${(drawn as unknown as { outerHTML: string }).outerHTML}`;
}

type Shared = Plot.PlotOptions;

function seriesOf(plot: Panel['plot']): string[] {
  const names = () => {
    switch (plot.kind) {
      case 'bars':
        return plot.bars.map(({ subject }) => subject);
      case 'lines':
        return plot.points.map(({ series }) => series);
      case 'shares':
        return plot.shares.map(({ group }) => group);
      case 'roofline':
        return plot.points.map(({ group }) => group);
    }
  };
  return [...new Set(names())];
}

function legendOf(names: readonly string[]): string {
  const entries = names.map((name, i) => `<span><i style="background:${range[i % range.length]}"></i>${escaped(name)}</span>`);
  return `<p class="legend">${entries.join('')}</p>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function bars({ bars }: Bars, shared: Shared) {
  const subjects = [...new Set(bars.map(({ subject }) => subject))];
  const flat = bars.map(({ group, subject, ratio: [low, middle, high] }) => ({ group, subject, low, middle, high }));
  const groups = [...new Set(bars.map(({ group }) => group))];
  const lowest = Math.min(0.6, ...flat.map(({ low }) => low)) * 0.9;
  const highest = Math.max(1.4, ...flat.map(({ high }) => high)) * 1.6;
  const rowHeight = 16;
  return Plot.plot({
    ...shared,
    marginLeft: roomFor(groups),
    marginRight: 40,
    marginTop: 40,
    height: 90 + bars.length * rowHeight + groups.length * 10,
    x: {
      type: 'log',
      domain: [lowest, highest],
      label: 'time ÷ time of the baseline →',
      tickFormat: plainNumber,
      ticks: 8,
      grid: true,
      axis: 'top',
    },
    y: { axis: null, domain: subjects },
    fy: { label: null, domain: groups, padding: 0.15, axis: 'left' },
    color: { domain: subjects, range },
    marks: [
      Plot.barX(flat, { fy: 'group', y: 'subject', x1: 1, x2: 'middle', fill: 'subject' }),
      Plot.ruleY(flat, { fy: 'group', y: 'subject', x1: 'low', x2: 'high', stroke: ink, strokeWidth: 1.5 }),
      Plot.text(flat, {
        fy: 'group',
        y: 'subject',
        x: ({ high }) => Math.max(high, 1),
        text: ({ middle }) => `${middle.toPrecision(3)} ×`,
        textAnchor: 'start',
        dx: 6,
        fill: ink,
      }),
      Plot.ruleX([1], { stroke: ink, strokeDasharray: '4 3' }),
    ],
  });
}

/** Pixels for the longest label of the left axis. */
function roomFor(labels: readonly string[]): number {
  return Math.min(420, 30 + 6.8 * Math.max(...labels.map((label) => label.length)));
}

function shares({ shares }: Shares, shared: Shared) {
  const groups = [...new Set(shares.map(({ group }) => group))];
  const names = shares.map(({ name }) => name);
  return Plot.plot({
    ...shared,
    marginLeft: roomFor(names),
    marginRight: 60,
    marginTop: 40,
    height: 60 + 19 * shares.length,
    x: { label: '% of the bound →', domain: [0, Math.max(100, ...shares.map(({ share }) => 100 * share))], grid: true, axis: 'top' },
    y: { label: null, domain: names },
    color: { domain: groups, range },
    marks: [
      Plot.barX(shares, { y: 'name', x: ({ share }) => 100 * share, fill: 'group', insetTop: 1, insetBottom: 1 }),
      Plot.text(shares, {
        y: 'name',
        x: ({ share }) => 100 * share,
        text: ({ share, bound }) => `${(100 * share).toPrecision(2)} % of ${bound}`,
        textAnchor: 'start',
        dx: 6,
        fill: ink,
      }),
      Plot.ruleX([0], { stroke: ink }),
    ],
  });
}

function lines({ x, points }: Lines, shared: Shared) {
  const series = [...new Set(points.map(({ series }) => series))];
  const at = [...new Set(points.map((point) => point.at))].sort((a, b) => a - b);
  return Plot.plot({
    ...shared,
    marginLeft: 70,
    marginBottom: 46,
    height: 320,
    x: { type: 'log', insetLeft: 24, insetRight: 24, axis: null },
    y: { type: 'log', label: '↑ ms per iteration', tickFormat: plainNumber, grid: true, insetTop: 20, insetBottom: 12 },
    color: { domain: series, range },
    marks: [
      // With texts of its own: the axis of a logarithmic scale labels only some of its ticks.
      Plot.axisX(at, { text: (value: number) => plainNumber(value), label: `${x} →` }),
      Plot.line(points, { x: 'at', y: 'ms', stroke: 'series', strokeWidth: 2 }),
      Plot.dot(points, { x: 'at', y: 'ms', fill: 'series', r: 4.5 }),
      Plot.text(points, { x: 'at', y: 'ms', text: ({ ms }) => (ms < 10 ? ms.toPrecision(2) : ms.toFixed(0)), dy: -12, fill: ink }),
    ],
  });
}

function roofline({ gigabytesPerSecond, gigaflops, points }: Roofline, shared: Shared) {
  const groups = [...new Set(points.map(({ group }) => group))];
  const ridge = gigaflops / gigabytesPerSecond;
  const [first, last] = [
    Math.min(0.1, ...points.map(({ intensity }) => intensity)) / 1.5,
    Math.max(100, ridge * 4, ...points.map(({ intensity }) => intensity * 2)),
  ];
  const roof = [
    { intensity: first, gigaflops: first * gigabytesPerSecond },
    { intensity: ridge, gigaflops },
    { intensity: last, gigaflops },
  ];
  return Plot.plot({
    ...shared,
    marginLeft: 70,
    marginBottom: 46,
    height: 440,
    x: { type: 'log', label: 'floating-point operations per byte that must move →', tickFormat: plainNumber, grid: true },
    y: { type: 'log', label: '↑ GFLOP/s', tickFormat: plainNumber, grid: true, insetTop: 14, insetBottom: 14 },
    color: { domain: groups, range },
    marks: [
      Plot.line(roof, { x: 'intensity', y: 'gigaflops', stroke: ink, strokeWidth: 2 }),
      Plot.dot(points, {
        x: 'intensity',
        y: 'gigaflops',
        fill: 'group',
        r: 5,
        title: ({ name, ofBound }) => `${name}: ${(100 * ofBound).toPrecision(2)} % of the bound`,
      }),
    ],
  });
}

function plainNumber(value: number): string {
  return value >= 1 ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : String(Number(value.toPrecision(2)));
}
