/** Plots as SVG: panels side by side, a line (or unconnected points) a method, whiskers from the smallest to the largest seed. */
import type { Setting } from './families.js';
import type { Spread } from './scores.js';
import { type Cell, type Method, methods } from './study.js';

const colours: Record<Method, string> = { hierarchical: '#1b6ca8', deep: '#d9822b', neural: '#a3195b' };
const names: Record<Method, string> = { hierarchical: 'hierarchical NMF', deep: 'Deep NMF', neural: 'Neural NMF' };
const shapes: Record<Method, (x: number, y: number) => string> = {
  hierarchical: (x, y) => `<rect x="${x - 4}" y="${y - 4}" width="8" height="8"/>`,
  deep: (x, y) => `<path d="M${x} ${y - 5.5}l5.5 9.5h-11z"/>`,
  neural: (x, y) => `<circle cx="${x}" cy="${y}" r="4.5"/>`,
};
const familyNames: Record<Setting['family'], string> = {
  generated: 'generated',
  brown: 'Brown',
  segments: 'segments',
  mnist: 'MNIST',
};

interface Panel {
  title: string;
  xLabel: string;
  yLabel: string;
  categories: string[];
  joined: boolean;
  /** Of each category; undefined where there is no cell. */
  values: Record<Method, (Spread | undefined)[]>;
  /** Ends of the y axis that must be inside it. */
  include: number[];
}

export function plots(cells: readonly Cell[]): Record<string, string> {
  const generated = cells.filter(({ family }) => family === 'generated');
  const real = cells.filter(({ family }) => family !== 'generated');
  const drawn: Record<string, string> = {};
  if (generated.length > 0) {
    drawn['generated-error.svg'] = figure(
      'Generated blocks, unsupervised: relative error over the SVD bound',
      generatedPanels(generated, 'none', 'error ÷ SVD bound', ({ ratio }) => ratio, [1]),
    );
    drawn['generated-nmi.svg'] = figure(
      'Generated blocks, unsupervised: last layer against the two super-classes',
      generatedPanels(generated, 'none', 'NMI', ({ nmi }) => nmi, [0, 1]),
    );
    drawn['generated-first-layer.svg'] = figure(
      'Generated blocks, unsupervised: first layer, error over the SVD bound of its own rank',
      generatedPanels(generated, 'none', 'error ÷ bound, layer 1', ({ firstRatio }) => firstRatio, [1]),
    );
  }
  if (real.length > 0) {
    const families = [...new Set(real.map(({ family }) => family))];
    const panel = (
      title: string,
      yLabel: string,
      supervision: Cell['supervision'],
      read: (cell: Cell) => Spread | undefined,
      include: number[],
    ): Panel => ({
      title,
      xLabel: '',
      yLabel,
      categories: families.map((family) => familyNames[family]),
      joined: false,
      values: valuesOf((method) => families.map((family) => pick(real, method, supervision, (cell) => cell.family === family, read))),
      include,
    });
    drawn['texts-and-digits.svg'] = figure('Texts and digits', [
      panel('unsupervised error', 'error ÷ SVD bound', 'none', ({ ratio }) => ratio, [1]),
      panel('unsupervised clusters', 'NMI with the super-classes', 'none', ({ nmi }) => nmi, [0]),
      panel('40 % labelled', 'accuracy, unlabelled', 'semi', ({ accuracy }) => accuracy ?? undefined, [1]),
    ]);
  }
  return drawn;
}

const xLabels: Record<string, string> = {
  noise: 'noise σ: uniform on [0, σ)',
  imbalance: 'largest ÷ smallest group',
  layers: 'layers of the factorization',
};

function generatedPanels(
  cells: readonly Cell[],
  supervision: Cell['supervision'],
  yLabel: string,
  read: (cell: Cell) => Spread | undefined,
  include: number[],
): Panel[] {
  return Object.keys(xLabels).map((parameter) => {
    const categories = [...new Set(cells.filter((cell) => cell.parameter === parameter).map(({ value }) => value))];
    return {
      title: `${parameter === 'layers' ? 'depth' : parameter} varies`,
      xLabel: xLabels[parameter],
      yLabel,
      categories,
      joined: true,
      values: valuesOf((method) =>
        categories.map((value) => pick(cells, method, supervision, (cell) => cell.parameter === parameter && cell.value === value, read)),
      ),
      include,
    };
  });
}

function valuesOf(of: (method: Method) => (Spread | undefined)[]): Panel['values'] {
  return { hierarchical: of('hierarchical'), deep: of('deep'), neural: of('neural') };
}

function pick(
  cells: readonly Cell[],
  method: Method,
  supervision: Cell['supervision'],
  where: (cell: Cell) => boolean,
  read: (cell: Cell) => Spread | undefined,
): Spread | undefined {
  const cell = cells.find((one) => one.method === method && one.supervision === supervision && where(one));
  return cell && read(cell);
}

const width = 320;
const height = 300;
const area = { left: 66, right: 306, top: 44, bottom: 236 };

function figure(title: string, panels: readonly Panel[]): string {
  const total = width * panels.length;
  const legend = methods.map((method, m) => {
    const x = 24 + 160 * m;
    return `<g fill="${colours[method]}">${shapes[method](x, height + 40)}<text x="${x + 12}" y="${height + 44}" fill="#222">${names[method]}</text></g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height + 60}" width="${total}" height="${height + 60}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${total}" height="${height + 60}" fill="#fff"/>`,
    `<text x="24" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...panels.map((panel, p) => `<g transform="translate(${p * width} 24)">${drawPanel(panel)}</g>`),
    ...legend,
    `<text x="${24 + 160 * methods.length}" y="${height + 44}" fill="#555">median of the seeds; whiskers: smallest to largest</text>`,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, xLabel, yLabel, categories, joined, values, include }: Panel): string {
  const shown = methods.flatMap((method) => values[method].flatMap((value) => (value ? [value.min, value.max] : [])));
  const ticks = ticksOver(Math.min(...shown, ...include), Math.max(...shown, ...include));
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const digits = Math.max(0, -Math.floor(Math.log10(ticks[1] - ticks[0]) + 1e-9));
  const y = (value: number) => round(area.bottom - ((value - low) / (high - low)) * (area.bottom - area.top));
  const step = (area.right - area.left) / categories.length;
  const x = (at: number, m: number) => round(area.left + step * (at + 0.5) + (m - 1) * Math.min(14, step / 5));
  const parts = [
    `<text x="${area.left}" y="${area.top - 14}" font-weight="bold">${escaped(title)}</text>`,
    ...ticks.map(
      (tick) =>
        `<path d="M${area.left} ${y(tick)}H${area.right}" stroke="#e2e2e2"/><text x="${area.left - 6}" y="${y(tick) + 4}" text-anchor="end">${tick.toFixed(digits)}</text>`,
    ),
    `<path d="M${area.left} ${area.top}V${area.bottom}H${area.right}" fill="none" stroke="#555"/>`,
    ...categories.map((name, at) => `<text x="${x(at, 1)}" y="${area.bottom + 17}" text-anchor="middle">${escaped(name)}</text>`),
    `<text x="${(area.left + area.right) / 2}" y="${area.bottom + 36}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text transform="translate(16 ${(area.top + area.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
  ];
  methods.forEach((method, m) => {
    const points = values[method].flatMap((value, at) => (value ? [{ ...value, at }] : []));
    const colour = colours[method];
    if (joined && points.length > 1)
      parts.push(
        `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.map(({ at, median }) => `${x(at, m)},${y(median)}`).join(' ')}"/>`,
      );
    for (const { at, median, min, max } of points)
      parts.push(
        `<path d="M${x(at, m)} ${y(min)}V${y(max)}" stroke="${colour}" stroke-width="1.5"/><g fill="${colour}">${shapes[method](x(at, m), y(median))}</g>`,
      );
  });
  return parts.join('\n');
}

/** Four to eight round steps that hold both ends. */
function ticksOver(low: number, high: number): number[] {
  const range = Math.max(high - low, 0.004);
  const power = 10 ** Math.floor(Math.log10(range / 4));
  const step = [1, 2, 5, 10].map((by) => by * power).find((by) => range / by <= 6)!;
  const first = Math.floor(low / step + 1e-6);
  const last = Math.max(Math.ceil(high / step - 1e-6), first + 2);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
