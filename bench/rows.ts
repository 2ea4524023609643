/** The rows of a benchmark: plain data, the same in the page that measures and in the process that writes them down. */

/** One line of bench/results/<device>.json. */
export interface Row {
  suite: string;
  case: string;
  /** `orthant`, or the package name of the peer; where a peer has several devices, the device in brackets. */
  subject: string;
  /** Median and interquartile range of the repeats. `case` says the unit, an iteration as a rule. */
  medianMs: number;
  iqrMs: number;
  repeats: number;
  /** True when the result of this very case agreed with the f64 reference within the tolerance that `note` states. */
  checked: boolean;
  note: string;
  /** The numbers in `note`, for drawing and comparing. */
  figures?: Figures;
}

export interface Figures {
  /** Time of this subject by that of orthant (or, with --against, of the ref by the working tree's): first quartile, median, third. */
  ratio?: [number, number, number];
  /** Work of one unit: least bytes that must move, and floating-point operations. */
  bytes?: number;
  flops?: number;
  /** Achieved part of the bound that binds, copy bandwidth or FMA rate. */
  ofBound?: number;
  gigabytesPerSecond?: number;
  gigaflops?: number;
  peakBytes?: number;
  /** Largest KKT residual of any column. */
  kkt?: number;
  /** Position on the axis that `case` names. */
  at?: number;
}

/** Counts of a case. No time is among them, so they hold for every adapter that gets the same plan. */
export interface CountRow {
  suite: string;
  case: string;
  /** The kernels that were counted, or the whole iteration. */
  subject: string;
  /** By the words that head their columns. */
  counts: Readonly<Record<string, number>>;
  note: string;
}

/** Of the format: a file of another one is refused, not guessed at. */
export const resultsVersion = 1;

/** A whole results file. */
export interface Results {
  version: typeof resultsVersion;
  device: string;
  /** Commit of the measured tree, with `-dirty` when it differs from that commit. */
  commit: string;
  date: string;
  rows: Row[];
  /** Of the suites that count. */
  counts?: CountRow[];
}

/** Whether the device that was measured is a CPU, as src/webgpu/device.ts words it. */
export function isSoftwareDevice(device: string): boolean {
  return device.includes('software adapter');
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function interquartileRange(values: readonly number[]): number {
  return quantile(values, 0.75) - quantile(values, 0.25);
}

/** Linear between order statistics, as NumPy does it. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/**
 * The quartiles of other time by own time, repeat by repeat: above 1 where the own is faster. Pairs ran next to each other; where one
 * had fewer repeats, the rest of the other's has no pair.
 */
export function pairedRatios(own: readonly number[], others: readonly number[]): [number, number, number] {
  const ratios = others.slice(0, own.length).map((time, i) => time / own[i]);
  return [0.25, 0.5, 0.75].map((q) => quantile(ratios, q)) as [number, number, number];
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** The subjects of the suites that compare, for titles. */
export const compared: Record<string, string> = {
  mu: 'One multiplicative update',
  nnls: 'Exact nonnegative least squares',
  end: 'From the data to a fixed error',
  against: 'This change',
};

/** Cases that Node measured are named so. */
export const inNode = /, in Node$/;

export interface Summary {
  what: string;
  subject: string;
  baseline: string;
  cases: number;
  mean: number;
  lowest: number;
}

/**
 * How many times as long as orthant each other subject takes, over the cases of a suite: geometric mean and lowest. Only of results that
 * were right: how fast something else is computed says nothing.
 */
export function summaries(rows: readonly Row[]): Summary[] {
  const groups = new Map<string, { what: string; subject: string; baseline: string; ratios: number[] }>();
  for (const { suite, case: name, subject, checked, figures } of rows) {
    if (!figures?.ratio || !checked) continue;
    const what = `${compared[suite] ?? suite}${inNode.test(name) ? ', in Node' : ''}`;
    const key = `${what}\n${subject}`;
    if (!groups.has(key)) groups.set(key, { what, subject, baseline: suite === 'against' ? 'the working tree' : 'orthant', ratios: [] });
    groups.get(key)!.ratios.push(figures.ratio[1]);
  }
  return [...groups.values()].map(({ ratios, ...rest }) => ({
    ...rest,
    cases: ratios.length,
    mean: geometricMean(ratios),
    lowest: Math.min(...ratios),
  }));
}

/** "takes 1.70 × the time of orthant in the geometric mean over 16 cases, at least 1.06" */
export function summaryWords({ baseline, cases, mean, lowest }: Summary): string {
  const over = cases === 1 ? 'in one case' : `in the geometric mean over ${cases} cases, at least ${lowest.toPrecision(3)}`;
  return `takes ${mean.toPrecision(3)} × the time of ${baseline} ${over}`;
}
