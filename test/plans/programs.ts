/**
 * Every method with representative options, as a user calls it. The programs are caught where an engine is asked to prepare them, so
 * this list needs to know nothing of the rooms behind the public door, and stays as it is while they are moved.
 */
import { randomLowRank } from '../../src/data/generate.js';
import type { Matrix } from '../../src/data/matrix.js';
import { type DataMatrix, sparseFromDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import type { Program } from '../../src/graph/program.js';
import {
  createReferenceEngine,
  deepNmf,
  deepSemiNmf,
  type Factorization,
  hierarchicalNmf,
  ncp,
  neuralNcp,
  neuralNmf,
  nmf,
  nnls,
  nnlsVjp,
  sparseCoding,
  sparseTensor,
  ssnmf,
  tensor,
  transform,
  transformTensor,
  unfoldedNmf,
} from '../../src/index.js';

/** What to fit, under a name that says method and options. */
export interface PlanCase {
  name: string;
  /** Of the small set that every test run compares as text. */
  small?: boolean;
  run(engine: Engine): Promise<unknown>;
}

const X = randomLowRank(45, 38, 7, { seed: 1, noise: 0.1 });
/** Larger, so that products are split and tiled otherwise. */
const tall = randomLowRank(700, 260, 12, { seed: 2, noise: 0.1 });
const sparse = sparseFromDense({ ...X, data: X.data.map((x, i) => (i % 3 === 0 ? x : 0)) });
const mask: Matrix = { ...X, data: X.data.map((_, i) => (i % 5 === 0 ? 0 : 1)) };
const labels = Array.from({ length: X.cols }, (_, c) => (c % 4 === 3 ? '' : 'abc'[c % 3]));
const short = { restarts: 1, maxIterations: 3, checkEvery: 2 } as const;

const methods: PlanCase[] = [
  ...(['mu', 'hals', 'anls'] as const).flatMap((solver): PlanCase[] => [
    { name: `nmf ${solver}`, small: true, run: (e) => nmf(e, X, { ...short, ranks: 7, solver, restarts: 3 }) },
    { name: `nmf ${solver} weights`, run: (e) => nmf(e, X, { ...short, ranks: 7, solver, weights: mask }) },
    { name: `nmf ${solver} sparse`, run: (e) => nmf(e, sparse, { ...short, ranks: 7, solver, restarts: 2 }) },
    ...[3, 12, 20, 33].map(
      (rank): PlanCase => ({ name: `nmf ${solver} rank ${rank}, 700×260`, run: (e) => nmf(e, tall, { ...short, ranks: rank, solver }) }),
    ),
    { name: `nmf ${solver} rank 70, 700×260`, run: (e) => nmf(e, tall, { ...short, ranks: 70, solver, restarts: 2 }) },
  ]),
  ...([1, 2] as const).flatMap((model): PlanCase[] => [
    { name: `ssnmf model ${model}`, run: (e) => ssnmf(e, X, { ...short, ranks: 6, model, restarts: 2 }) },
    { name: `ssnmf model ${model} mask`, run: (e) => ssnmf(e, X, { ...short, ranks: 6, model, weights: mask }) },
  ]),
  ...([3, 4, 5, 6] as const).flatMap((model): PlanCase[] => [
    { name: `ssnmf model ${model}`, small: model === 6, run: (e) => ssnmf(e, X, { ...short, ranks: 6, model, labels, restarts: 2 }) },
    { name: `ssnmf model ${model} mask`, run: (e) => ssnmf(e, X, { ...short, ranks: 6, model, labels, weights: mask }) },
  ]),
  { name: 'ssnmf model 3 sparse', run: (e) => ssnmf(e, sparse, { ...short, ranks: 6, labels }) },
  ...(['mu', 'hals', 'anls'] as const).map(
    (solver): PlanCase => ({
      name: `hierarchical ${solver}`,
      small: solver === 'hals',
      run: (e) => hierarchicalNmf(e, X, { ...short, ranks: [7, 4, 2], solver, restarts: 2 }),
    }),
  ),
  { name: 'hierarchical not normalized', run: (e) => hierarchicalNmf(e, X, { ...short, ranks: [7, 4], normalize: false }) },
  { name: 'hierarchical labels', run: (e) => hierarchicalNmf(e, X, { ...short, ranks: [7, 4, 2], labels }) },
  { name: 'hierarchical sparse', run: (e) => hierarchicalNmf(e, sparse, { ...short, ranks: [7, 4] }) },
  ...(['none', 'average', 'max'] as const).map(
    (pooling): PlanCase => ({
      name: `deep pooling ${pooling}`,
      small: pooling === 'average',
      run: (e) => deepNmf(e, X, { ...short, ranks: [8, 3], pooling, restarts: 2 }),
    }),
  ),
  {
    name: 'deep power over samples',
    run: (e) => deepNmf(e, X, { ...short, ranks: [8, 3], pooling: 'average', poolOver: 'samples', activation: 'power' }),
  },
  { name: 'deep log1p labels', run: (e) => deepNmf(e, X, { ...short, ranks: [8, 3], activation: 'log1p', labels, start: 'random' }) },
  { name: 'deep sparse', run: (e) => deepNmf(e, sparse, { ...short, ranks: [8, 3] }) },
  ...(['identity', 'square', 'softplus', 'sigmoid', 'tanh'] as const).map(
    (nonlinearity): PlanCase => ({
      name: `deep-semi ${nonlinearity}`,
      small: nonlinearity === 'identity',
      run: (e) => deepSemiNmf(e, X, { ...short, ranks: [7, 3], nonlinearity, restarts: 2 }),
    }),
  ),
  { name: 'deep-semi labels', run: (e) => deepSemiNmf(e, X, { ...short, ranks: [7, 3], labels }) },
  { name: 'deep-semi sparse', run: (e) => deepSemiNmf(e, sparse, { ...short, ranks: [7, 3] }) },
  ...([1, 2] as const).flatMap((beta): PlanCase[] => [
    { name: `unfolded beta ${beta}`, small: beta === 2, run: (e) => unfoldedNmf(e, X, { ...short, ranks: 5, layers: 4, untied: 2, beta }) },
    {
      name: `unfolded beta ${beta} ratio mask`,
      run: (e) => unfoldedNmf(e, X, { ...short, ranks: 5, layers: 3, untied: 1, beta, output: 'ratioMask', sources: halves() }),
    },
  ]),
  { name: 'unfolded sparse', run: (e) => unfoldedNmf(e, sparse, { ...short, ranks: 5, layers: 3, untied: 0, restarts: 2 }) },
  ...(['adam', 'momentum'] as const).map(
    (optimiser): PlanCase => ({
      name: `sparse-coding ${optimiser}`,
      small: optimiser === 'adam',
      run: (e) => sparseCoding(e, X, { ...short, ranks: [8, 4], optimiser, restarts: 2 }),
    }),
  ),
  { name: 'sparse-coding labels, batches', run: (e) => sparseCoding(e, X, { ...short, ranks: [8, 4], labels, batchColumns: 10 }) },
  { name: 'sparse-coding sparse', run: (e) => sparseCoding(e, sparse, { ...short, ranks: [8, 4] }) },
  { name: 'neural', small: true, run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4, 2], restarts: 3 }) },
  { name: 'neural 700×260', run: (e) => neuralNmf(e, tall, { ...short, ranks: [40, 12, 5] }) },
  { name: 'neural one layer, random', run: (e) => neuralNmf(e, X, { ...short, ranks: [9], start: 'random' }) },
  { name: 'neural energy', run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4], cost: 'energy' }) },
  {
    name: 'neural both costs, L1',
    run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4], cost: { reconstruction: 1, energy: [0.1, 0.2] }, l1: 0.01 }),
  },
  { name: 'neural mask', run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4], weights: mask }) },
  { name: 'neural labels', run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4], labels, restarts: 2 }) },
  {
    name: 'neural cross-entropy on both layers',
    run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4], labels, labelLayers: [0, 1], labelLoss: 'crossEntropy' }),
  },
  ...(['momentum', 'adam'] as const).map(
    (optimiser): PlanCase => ({
      name: `neural ${optimiser}, batches`,
      run: (e) => neuralNmf(e, X, { ...short, ranks: [9, 4], optimiser, batchColumns: 11 }),
    }),
  ),
  { name: 'neural sparse', run: (e) => neuralNmf(e, sparse, { ...short, ranks: [9, 4], restarts: 2 }) },
  ...[1, 4, 9, 16, 32, 64, 128].flatMap((k): PlanCase[] => {
    const A = randomLowRank(140, k, 3, { seed: k, noise: 1 });
    const Y = randomLowRank(140, 300, 3, { seed: k + 1, noise: 1 });
    return [
      { name: `nnls k = ${k}`, small: k === 9, run: (e) => nnls(e, Y, A) },
      {
        name: `nnlsVjp k = ${k}`,
        run: (e) => nnlsVjp(e, { X: Y, A, S: randomLowRank(k, 300, 1, { seed: 3 }) }, randomLowRank(k, 300, 1, { seed: 4 })),
      },
    ];
  }),
];

/** New samples with models that the reference fitted: the programs of every `transform`. */
const transforms: PlanCase[] = (
  [
    ['deep', (e, Y) => deepNmf(e, Y, { ...short, ranks: [8, 3], pooling: 'average' })],
    ['deep-semi', (e, Y) => deepSemiNmf(e, Y, { ...short, ranks: [7, 3] })],
    ['deep-semi tanh', (e, Y) => deepSemiNmf(e, Y, { ...short, ranks: [7, 3], nonlinearity: 'tanh' })],
    ['hierarchical', (e, Y) => hierarchicalNmf(e, Y, { ...short, ranks: [7, 4] })],
    ['neural', (e, Y) => neuralNmf(e, Y, { ...short, ranks: [7, 4] })],
    ['sparse-coding', (e, Y) => sparseCoding(e, Y, { ...short, ranks: [8, 4] })],
    ['ssnmf model 2', (e, Y) => ssnmf(e, Y, { ...short, ranks: 6, model: 2 })],
    ['ssnmf model 3', (e, Y) => ssnmf(e, Y, { ...short, ranks: 6, labels })],
    ['unfolded', (e, Y) => unfoldedNmf(e, Y, { ...short, ranks: 5, layers: 3, untied: 1 })],
  ] as [string, (engine: Engine, Y: DataMatrix) => Promise<Factorization>][]
).map(([name, factorize]) => ({
  name: `transform ${name}`,
  async run(engine) {
    using reference = createReferenceEngine();
    return transform(engine, await factorize(reference, X), randomLowRank(X.rows, 17, 4, { seed: 5 }));
  },
}));

const cube = tensor(
  [9, 8, 7],
  Array.from({ length: 504 }, (_, at) => ((at * 7919) % 31) / 31),
);
const sparseCube = sparseTensor([9, 8, 7], {
  coordinates: [0, 3, 5, 8].flatMap((i) => [0, 2, 4, 7].flatMap((j) => [0, 3, 6].flatMap((l) => [i, j, l]))),
  values: Array.from({ length: 48 }, (_, at) => 1 + (at % 5)),
});
const four = tensor(
  [5, 4, 3, 6],
  Array.from({ length: 360 }, (_, at) => ((at * 7919) % 29) / 29),
);
const shortTensor = { maxIterations: 3, checkEvery: 2, bounds: false, starts: 2, startIterations: 2, restarts: 2 } as const;
const levels = { ...shortTensor, rank: 5, ranks: [3, 2], chains: 1 } as const;

const tensors: PlanCase[] = [
  ...(['hals', 'anls'] as const).flatMap((solver): PlanCase[] => [
    { name: `ncp ${solver}`, small: true, run: (e) => ncp(e, cube, { ...shortTensor, rank: 4, solver }) },
    { name: `ncp ${solver} sparse`, run: (e) => ncp(e, sparseCube, { ...shortTensor, rank: 4, solver }) },
    { name: `ncp ${solver} four modes, rank 17`, run: (e) => ncp(e, four, { ...shortTensor, rank: 17, solver }) },
  ]),
  ...(['held', 'learned'] as const).flatMap((factors): PlanCase[] => [
    { name: `neural-ncp ${factors}`, small: true, run: (e) => neuralNcp(e, cube, { ...levels, factors }) },
    { name: `neural-ncp ${factors} sparse`, run: (e) => neuralNcp(e, sparseCube, { ...levels, factors }) },
  ]),
  { name: 'neural-ncp two of four modes', run: (e) => neuralNcp(e, four, { ...levels, ranks: [3, 2], modes: [0, 3] }) },
  {
    name: 'transform neural-ncp',
    async run(engine) {
      using reference = createReferenceEngine();
      return transformTensor(engine, await neuralNcp(reference, cube, levels), tensor([9, 8, 2], new Array(144).fill(1)), { mode: 2 });
    },
  },
];

export const planCases: readonly PlanCase[] = [...methods, ...transforms, ...tensors];

/** Two sources of a mixture, whose columns add up to rank 5. */
function halves() {
  const half = { ...X, data: X.data.map((x) => x / 2) };
  return [
    { columns: 2, target: half },
    { columns: 3, target: half },
  ];
}

/** What a fit asks an engine to prepare, in order, and what it returns. It runs on the f64 reference to its end. */
export async function runCase({ run }: PlanCase): Promise<{ programs: Program[]; result: unknown }> {
  using reference = createReferenceEngine();
  const programs: Program[] = [];
  const result = await run({
    ...reference,
    prepare(program) {
      programs.push(program);
      return reference.prepare(program);
    },
  });
  return { programs, result };
}
