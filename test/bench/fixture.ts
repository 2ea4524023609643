import { type Results, type Row, resultsVersion } from '../../bench/rows.js';

export function row(changes: Partial<Row> = {}): Row {
  return {
    suite: 'mu',
    case: 'multiplicative update, 90×87, k = 7',
    subject: 'orthant',
    medianMs: 0.5,
    iqrMs: 0.01,
    repeats: 7,
    checked: true,
    note: 'off the f64 reference by 1e-7',
    ...changes,
  };
}

/** A results file of a suite that counts. */
export const counted: Results = {
  version: resultsVersion,
  device: 'google swiftshader (software adapter)',
  commit: 'abc1234',
  date: '2026-01-02T03:04:05.678Z',
  rows: [],
  counts: [
    { suite: 'traffic', case: 'a < b', subject: 'iteration', counts: { 'X ÷ its bytes': 2 }, note: '9 dispatches' },
    { suite: 'traffic', case: 'c', subject: 'some/kernel', counts: { 'X ÷ its bytes': 1.256, other: 0 }, note: '' },
  ],
};

/** A row of every kind that a plot is made of. */
export const results: Results = {
  version: resultsVersion,
  device: 'google swiftshader (software adapter), 2 × some CPU, HeadlessChrome/1',
  commit: 'abc1234',
  date: '2026-01-02T03:04:05.678Z',
  rows: [
    row(),
    row({ subject: '@jax-js/jax', medianMs: 1, figures: { ratio: [1.9, 2, 2.1] } }),
    row({ subject: '@jax-js/jax', case: 'multiplicative update, 1024×512, k = 16', figures: { ratio: [7, 8, 9] } }),
    row({ suite: 'roofline', case: 'copy of 32 MiB', figures: { gigabytesPerSecond: 4 } }),
    row({ suite: 'roofline', case: 'fused multiply-adds in registers', figures: { gigaflops: 60 } }),
    row({ suite: 'kernels', case: 'AᵀX, 7×90 by 90×87', figures: { bytes: 1000, flops: 4000, gigaflops: 4, ofBound: 0.25 } }),
    ...[64, 512].map((at) =>
      row({ suite: 'scaling', case: `multiplicative update, N = ${at} (M = 512, k = 16, R = 1)`, medianMs: at / 100, figures: { at } }),
    ),
    row({ case: 'a < b & "c"', repeats: 1, checked: false }),
  ],
};
