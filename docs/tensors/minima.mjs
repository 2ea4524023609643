// Which errors the levels of the published tensor with noise 0.4 reach together. Run: npm run build, node docs/tensors/minima.mjs (four
// minutes on the software adapter). See ../tensors.md.
//
// Outer products from 60 random starts and 150 changes of the best ones end in a few local minima. From each of those below 0.2731 the
// levels learn with the products, in 8 restarts, with weights that bring ranks 7 and 2 to the limits 0.2730 and 0.5012.
import { hierarchicalTensor, ncp, neuralNcp } from 'orthant';
import { createEngine } from 'orthant/node';

const rank = 7;
const engine = await createEngine({ prefer: 'software' });
const X = hierarchicalTensor({ noise: 0.4, seed: 14 });
const minima = new Map();

async function fit(options) {
  const model = await ncp(engine, X, { rank, restarts: 1, maxIterations: 2000, tolerance: 1e-7, ...options });
  const error = model.relativeError.toFixed(5);
  minima.set(error, { model, times: (minima.get(error)?.times ?? 0) + 1 });
  return model;
}

let best;
for (let seed = 100; seed < 160; seed++) {
  const model = await fit({ seed });
  if (!best || model.relativeError < best.relativeError) best = model;
}
// Numerical Recipes' linear congruential generator.
let state = 12345;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
for (let change = 0; change < 150; change++) {
  // Two components give way to noise, in part or whole.
  const columns = [Math.floor(rank * next()), Math.floor(rank * next())];
  const share = Math.min(1, 2 * next());
  const changed = (value, i) => (columns.includes(i % rank) ? value * (1 - share) + 2 * share * next() : value);
  await fit({ start: { factors: best.factors.map((factor) => ({ ...factor, data: factor.data.map(changed) })) } });
}

const sorted = [...minima].sort(([a], [b]) => Number(a) - Number(b));
console.log(sorted.map(([error, { times }]) => `${error} (${times})`).join(', '));
console.log('\n| products | rank 7 | rank 4 | rank 2 |\n|---|---|---|---|');
for (const [error, { model }] of sorted.filter(([one]) => Number(one) < 0.2731)) {
  const options = { rank, ranks: [4, 2], factors: 'learned', weights: [1, 2, 0.5], start: { factors: model.factors } };
  const { levels } = await neuralNcp(engine, X, options);
  console.log(`| ${error} | ${levels.map(({ relativeError }) => relativeError.toFixed(5)).join(' | ')} |`);
}
engine.dispose();
