// Mutational signatures: counts of 96 types of mutation in tumours, as sums of a few processes that each make their own pattern.
import * as Plot from '@observablehq/plot';
import { matrix, ssnmf } from 'orthant/node';
import { columns, example, match, picture, quick, randomNumbers } from './kit.mjs';

const [tumours, processes, ranks] = quick ? [40, 3, [2, 3, 4]] : [120, 5, [2, 3, 4, 5, 6, 7]];
const { uniform, normal, poisson } = randomNumbers(5);

// The truth: 96 types, a base's substitution by the bases beside it. Every process makes a few of them often, as most known ones do.
const substitutions = ['C>A', 'C>G', 'C>T', 'T>A', 'T>C', 'T>G'];
const types = substitutions.flatMap((s) => [...'ACGT'].flatMap((left) => [...'ACGT'].map((right) => `${left}[${s}]${right}`)));
const shares = (values) => values.map((value) => value / values.reduce((sum, x) => sum + x, 0));
const signatures = Array.from({ length: processes }, () => shares(types.map(() => Math.exp(1.3 * normal()))));
const means = Array.from({ length: tumours }, () => {
  const active = signatures.map(() => (uniform() < 0.5 ? Math.exp(6 + 0.8 * normal()) : 0)); // mutations by each process
  return types.map((_, i) => active.reduce((sum, count, k) => sum + count * signatures[k][i], 0.05));
});

// The catalogue, types × tumours. A Poisson count that is dealt out at random gives two independent catalogues.
const halves = [0, 1].map(() => matrix(types.length, tumours, types.flatMap((_, i) => means.map((mean) => poisson(mean[i] / 2)))));
const catalogue = matrix(types.length, tumours, halves[0].data.map((count, i) => count + halves[1].data[i]));

/** The mean divergence D(X ‖ AS) of an entry, in nats: what KL measures, on counts that the fit may not have seen. */
const divergence = (X, { A: [A], S: [S] }) => {
  let sum = 0;
  for (let i = 0; i < X.rows; i++)
    for (let j = 0; j < X.cols; j++) {
      let mean = 1e-9;
      for (let k = 0; k < A.cols; k++) mean += A.data[i * A.cols + k] * S.data[k * S.cols + j];
      const x = X.data[i * X.cols + j];
      sum += (x > 0 ? x * Math.log(x / mean) : 0) - x + mean;
    }
  return sum / X.data.length;
};

await example(async (engine) => {
  const fit = (X, rank) => ssnmf(engine, X, { ranks: rank, model: 2, restarts: 2, seed: 1, maxIterations: 500, svdBound: false }); // model 2: KL
  const table = [];
  for (const rank of ranks) {
    const [one, other] = [await fit(halves[0], rank), await fit(halves[1], rank)];
    const heldOut = (divergence(halves[1], one) + divergence(halves[0], other)) / 2;
    const agreement = Math.min(...match(columns(one.A[0]), columns(other.A[0])).map(({ cosine }) => cosine));
    table.push({ rank, heldOut, agreement });
    console.log(`rank ${rank}: divergence ${heldOut.toFixed(4)} on the other half, least cosine between the halves ${agreement.toFixed(3)}`);
  }
  const { rank } = table.reduce((best, row) => (row.heldOut < best.heldOut ? row : best));
  const found = columns((await fit(catalogue, rank)).A[0]).map(shares);
  const matched = match(signatures, found).filter(Boolean);
  console.log(`rank ${rank} is chosen; there are ${processes} processes`);
  console.log(`cosines to the truth: ${matched.map(({ cosine }) => cosine.toFixed(4)).join(', ')}`);

  const bars = matched.flatMap(({ found: j, cosine }, k) =>
    types.map((_, i) => ({ x: i, panel: `process ${k + 1}, cosine ${cosine.toFixed(4)}`, share: 100 * found[j][i], truth: 100 * signatures[k][i] })),
  );
  await picture('signatures', {
    height: 90 * matched.length + 80, marginRight: 160, legend: { 'found, % of mutations': '#56b4e9', truth: '#1a1a1a' },
    x: { ticks: substitutions.map((_, s) => 16 * s + 8), tickFormat: (x) => substitutions[(x - 8) / 16], tickSize: 0, label: '96 types, by their substitution', labelAnchor: 'center' },
    y: { label: null, ticks: 3 }, fy: { label: null, padding: 0.15 },
    marks: [
      Plot.ruleX([16, 32, 48, 64, 80].map((x) => x - 0.5), { stroke: '#ddd' }),
      Plot.areaY(bars, { x: 'x', y: 'share', fy: 'panel', curve: 'step', fill: '#56b4e9' }),
      Plot.lineY(bars, { x: 'x', y: 'truth', fy: 'panel', curve: 'step', stroke: '#1a1a1a', strokeWidth: 0.8 }),
    ],
  });
});
