/** Fits with no option but ranks, seed and labels: the published table, held-out digits, the genres of Brown. */
import { readFile } from 'node:fs/promises';
import {
  accuracies,
  drawTableOne,
  neuralOf,
  supervisions,
  type TableOneResult,
  type TableSupervision,
} from '../../src/cli/table1-experiment.js';
import { defaults as ofTopics } from '../../src/cli/topics.js';
import type { Engine } from '../../src/engine.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { agreement } from '../../src/methods/scores.js';
import { largestTopics } from '../../src/topics/clustering.js';
import { brownTopics, digits } from './data.js';
import { accuracyOf } from './study.js';

export interface DefaultFit {
  what: 'table1' | 'digits' | 'brown';
  seed: number;
  ranks: number[];
  /** Of each level: error ÷ SVD bound. */
  ratios: number[];
  /** Of the whole factorization. */
  error: number;
  /** Table 1. */
  supervision?: TableSupervision;
  published?: number;
  /** Of Table 1: the part of all columns whose class is predicted; of digits that no fit saw. */
  accuracy?: number;
  /** Brown: of the last level against informative and imaginative. */
  method?: 'neural' | 'hierarchical';
  purity?: number;
}

export async function byDefault(engine: Engine, onFit: (fit: DefaultFit) => void): Promise<DefaultFit[]> {
  const fits: DefaultFit[] = [];
  const add = (fit: DefaultFit) => {
    onFit(fit);
    fits.push(fit);
  };
  await tableOneFits(engine, [0, 1, 2], add);
  for (const seed of [0, 1]) add(await digitsFit(engine, seed));
  for (const seed of [0, 1]) for (const fit of await brownFits(engine, seed)) add(fit);
  return fits;
}

const summary = (model: Factorization) => ({
  ranks: model.layers.map(({ rank }) => rank),
  ratios: model.layers.map(({ relativeError, svdBound }) => relativeError / svdBound!),
  error: model.relativeError,
});

async function tableOneFits(engine: Engine, seeds: readonly number[], add: (fit: DefaultFit) => void): Promise<void> {
  const file = new URL('../../docs/table1/table1.json', import.meta.url);
  const { cells } = JSON.parse(await readFile(file, 'utf8')) as TableOneResult;
  const allRanks = [9, 4, 2] as const;
  for (const seed of seeds) {
    const { X, labels, labelled } = drawTableOne(seed);
    for (const supervision of supervisions)
      for (const layers of [1, 2, 3] as const) {
        const truth = labels[allRanks[layers - 1]].map(String);
        const given = { full: truth, semi: truth.map((label, m) => (labelled[m] ? label : null)), none: undefined }[supervision];
        const model = await neuralNmf(engine, X, { ranks: allRanks.slice(0, layers), seed, ...(given && { labels: given, truth }) });
        const { accuracy } = accuracies(model, labelled, supervision);
        const published = neuralOf(cells, supervision, layers).published.error;
        add({ what: 'table1', seed, supervision, published, ...summary(model), ...(accuracy !== null && { accuracy }) });
      }
  }
}

/** Three quarters of all digits with their labels, and the rest that the fit does not see. */
async function digitsFit(engine: Engine, seed: number): Promise<DefaultFit> {
  const data = await digits(seed, { train: 1347, test: 450 });
  const model = await neuralNmf(engine, data.X, { ranks: [30, 10], seed, labels: data.classes });
  return { what: 'digits', seed, ...summary(model), accuracy: await accuracyOf(engine, model, data) };
}

/** As `orthant topics brown --ranks 15,2`, and hierarchical NMF on the same matrix with the same number of starts and iterations. */
async function brownFits(engine: Engine, seed: number): Promise<DefaultFit[]> {
  const { X, classes } = await brownTopics();
  const options = { ranks: [15, 2], seed, ...ofTopics };
  const models = { neural: await neuralNmf(engine, X, options), hierarchical: await hierarchicalNmf(engine, X, options) };
  return (['neural', 'hierarchical'] as const).map((method) => {
    const { purity } = agreement(largestTopics(models[method], 1), classes);
    return { what: 'brown', seed, method, ...summary(models[method]), purity };
  });
}
