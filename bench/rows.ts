/** What a benchmark yields: plain rows, the same in the page that measures and in the process that writes them down. */

/** One line of bench/results/<device>.json. */
export interface Row {
  suite: string;
  case: string;
  /** `orthant`, or the package name of the peer. */
  subject: string;
  /** Median and interquartile range of the repeats; what one unit is (an iteration, as a rule) says `case`. */
  medianMs: number;
  iqrMs: number;
  repeats: number;
  /** True when the result of this very case agreed with the f64 reference within the tolerance that `note` states. */
  checked: boolean;
  note: string;
}

/** A whole results file. */
export interface Results {
  device: string;
  /** Commit of the measured tree, with `-dirty` when it differs from that commit. */
  commit: string;
  date: string;
  rows: Row[];
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function interquartileRange(values: readonly number[]): number {
  return quantile(values, 0.75) - quantile(values, 0.25);
}

/** Linear between order statistics, as NumPy does it. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
