/** Which rows become which plots. Every panel is plain data; svg.ts draws it. */
import { inNode, type Row } from '../rows.js';

export interface Panel {
  title: string;
  /** An explanation for a stranger. */
  caption: string;
  plot: Plot;
}

export type Plot = Bars | Lines | Roofline | Shares;

/** How many times the time of orthant others take: bars from 1, with whiskers over the quartiles. */
export interface Bars {
  kind: 'bars';
  /** What is 1. */
  baseline: string;
  bars: { group: string; subject: string; ratio: [number, number, number] }[];
}

export interface Lines {
  kind: 'lines';
  x: string;
  points: { series: string; at: number; ms: number; iqr: number }[];
}

export interface Roofline {
  kind: 'roofline';
  gigabytesPerSecond: number;
  gigaflops: number;
  /** Operations a byte against operations a second. */
  points: { name: string; group: string; intensity: number; gigaflops: number; ofBound: number }[];
}

/** The part of its bound that each kernel reaches. */
export interface Shares {
  kind: 'shares';
  shares: { name: string; group: string; share: number; bound: 'bandwidth' | 'arithmetic' }[];
}

export function panelsOf(rows: readonly Row[]): Panel[] {
  return ['', ', in Node'].flatMap((where) => {
    const here = rows
      .filter((row) => inNode.test(row.case) === (where !== ''))
      .map((row) => ({ ...row, case: row.case.replace(inNode, '') }));
    return [...ratioPanels(here), ...nnlsPanels(here), ...rooflinePanels(here), ...sharePanels(here), ...scalingPanels(here)].map(
      (panel) => ({
        ...panel,
        title: `${panel.title}${where}`,
      }),
    );
  });
}

const ratioTitles: Record<string, string> = {
  mu: 'One multiplicative update: time of other libraries relative to orthant',
  end: 'From the data to a fixed error: time relative to orthant',
  against: 'The other commit: time relative to the working tree',
};

function ratioPanels(rows: readonly Row[]): Panel[] {
  return Object.entries(ratioTitles).flatMap(([suite, title]): Panel[] => {
    const bars = rows.flatMap(({ suite: own, case: name, subject, checked, figures }) =>
      own === suite && checked && figures?.ratio ? [{ group: shortCase(name), subject, ratio: figures.ratio }] : [],
    );
    if (bars.length === 0) return [];
    const baseline = suite === 'against' ? 'working tree = 1' : 'orthant = 1';
    return [{ title, caption: captionOfRatios(baseline), plot: { kind: 'bars', baseline, bars } }];
  });
}

function captionOfRatios(baseline: string): string {
  return `${baseline}, the dashed line; a bar to the right of it took longer, to the left less. Median of the ratios within repeats, whiskers over the middle half. Logarithmic.`;
}

function nnlsPanels(rows: readonly Row[]): Panel[] {
  const bars = rows.flatMap(({ suite, case: name, subject, checked, figures }) =>
    suite === 'nnls' && checked && figures?.ratio ? [{ group: shortCase(name), subject, ratio: figures.ratio }] : [],
  );
  if (bars.length === 0) return [];
  const title = 'Exact nonnegative least squares: time of ml-fcnnls (f64, one core) relative to orthant (f32)';
  return [{ title, caption: captionOfRatios('orthant = 1'), plot: { kind: 'bars', baseline: 'orthant = 1', bars } }];
}

function shortCase(name: string): string {
  return name
    .replace('multiplicative update, ', '')
    .replace('exact nonnegative least squares, ', '')
    .replace(/, to a relative error of ([\d.]+)/, ', to $1');
}

/** Classes of kernels, by how their cases begin. */
const kernelGroups: [RegExp, string][] = [
  [/^exact solve/, 'exact solve'],
  [/^masked solve/, 'masked solve'],
  [/^(AᵀX|XSᵀ)/, 'product with X'],
  [/^(AᵀA|SSᵀ|A\(SSᵀ\))/, 'small product'],
  [/^(AS|‖X)/, 'AS, residual'],
  [/./, 'entrywise, sums'],
];

function kernelGroup(name: string): string {
  return kernelGroups.find(([pattern]) => pattern.test(name))![1];
}

function sharePanels(rows: readonly Row[]): Panel[] {
  const shares = rows.flatMap(({ suite, case: name, figures, note }): Shares['shares'] => {
    if (suite !== 'kernels' || figures?.ofBound === undefined) return [];
    const bound = note.includes('% of bandwidth') ? 'bandwidth' : 'arithmetic';
    return [{ name, group: kernelGroup(name), share: figures.ofBound, bound }];
  });
  if (shares.length === 0) return [];
  const caption =
    'How much of the time a kernel takes its least work would take at the bound: each input read once and the output written once, at the speed of copying, or its arithmetic at the rate of multiply-adds, whichever takes longer. The work of an exact solve is estimated.';
  return [{ title: 'Kernels as a part of the bound', caption, plot: { kind: 'shares', shares } }];
}

function rooflinePanels(rows: readonly Row[]): Panel[] {
  const roof = rows.filter(({ suite }) => suite === 'roofline');
  const gigabytesPerSecond = roof.find(({ figures }) => figures?.gigabytesPerSecond)?.figures?.gigabytesPerSecond;
  const gigaflops = roof.find(({ figures }) => figures?.gigaflops)?.figures?.gigaflops;
  const points = rows.flatMap(({ suite, case: name, figures }) => {
    if (suite !== 'kernels' || !figures?.bytes || !figures.flops || !figures.gigaflops) return [];
    return [
      {
        name,
        group: kernelGroup(name),
        intensity: figures.flops / figures.bytes,
        gigaflops: figures.gigaflops,
        ofBound: figures.ofBound ?? 0,
      },
    ];
  });
  if (!gigabytesPerSecond || !gigaflops || points.length === 0) return [];
  const caption = `The line is the bound measured on this adapter: ${gigabytesPerSecond.toPrecision(3)} GB/s of copying on the left, ${gigaflops.toPrecision(3)} GFLOP/s of multiply-adds on the right. A point is a kernel; the nearer to the line, the less is left to gain. Both axes logarithmic.`;
  return [{ title: 'Kernels under the roofline', caption, plot: { kind: 'roofline', gigabytesPerSecond, gigaflops, points } }];
}

const axisNames: Record<string, string> = {
  N: 'N, rows of X',
  M: 'M, columns of X',
  k: 'k, rank',
  R: 'R, restarts in one batch',
  nnz: 'non-zeros of X, 8192×1024',
};

function scalingPanels(rows: readonly Row[]): Panel[] {
  const points = rows.flatMap(({ suite, case: name, figures, medianMs, iqrMs }) => {
    const parsed = /^(.*), (\w+) = [\d,]+ \((.*)\)$/.exec(name);
    if (suite !== 'scaling' || !parsed || figures?.at === undefined) return [];
    return [{ axis: parsed[2], others: parsed[3], series: parsed[1], at: figures.at, ms: medianMs, iqr: iqrMs }];
  });
  const axes = [...new Set(points.map(({ axis }) => axis))];
  return axes.map((axis) => {
    const own = points.filter((point) => point.axis === axis);
    return {
      title: `Time of an iteration as ${axis} grows`,
      caption: `The rest stays: ${own[0].others}. Both axes logarithmic.`,
      plot: { kind: 'lines', x: axisNames[axis] ?? axis, points: own },
    };
  });
}
