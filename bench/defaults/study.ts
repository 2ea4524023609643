/** Every candidate for the defaults on one data set: errors over the SVD bounds of all levels, and agreement with the classes. */
import { random, shuffle } from '../../src/data/random.js';
import type { Engine } from '../../src/engine.js';
import { type NeuralFactorization, type NeuralOptions, neuralNmf } from '../../src/methods/neural.js';
import { agreement } from '../../src/methods/scores.js';
import { predict } from '../../src/models/apply.js';
import { largestTopics } from '../../src/topics/clustering.js';
import type { Data, DataSet } from './data.js';

export interface Settings {
  /** 'upper 0.1' is the deepest level with the weight 1 and every other with 0.1. */
  cost: 'reconstruction' | 'levels' | 'upper 0.1';
  start: 'hierarchical' | 'random';
  restarts: number;
  labelWeight: number;
}

export const centre: Settings = { cost: 'levels', start: 'hierarchical', restarts: 4, labelWeight: 1 };
/** The defaults of orthant 0.1.0. */
export const before: Settings = { cost: 'reconstruction', start: 'hierarchical', restarts: 1, labelWeight: 0.1 };

export interface Candidate {
  name: string;
  settings: Settings;
  /** It differs by what only labels have. */
  labelsOnly?: boolean;
}

const differing = (name: string, change: Partial<Settings>): Candidate => ({
  name,
  settings: { ...centre, ...change },
  ...(change.labelWeight === undefined ? {} : { labelsOnly: true }),
});

/** One factor at a time around the centre. */
export const candidates: readonly Candidate[] = [
  { name: 'centre', settings: centre },
  { name: 'before', settings: before },
  differing('cost reconstruction', { cost: 'reconstruction' }),
  differing('cost upper 0.1', { cost: 'upper 0.1' }),
  differing('start random', { start: 'random' }),
  ...[1, 2, 8].map((restarts) => differing(`restarts ${restarts}`, { restarts })),
  ...[0.1, 0.3, 3].map((labelWeight) => differing(`label weight ${labelWeight}`, { labelWeight })),
];

export const supervisions = ['none', 'labels'] as const;
export type Supervision = (typeof supervisions)[number];

/** Most iterations of a fit here, so that the study ends; the default is 1000. */
export const mostIterations = 300;

export interface Cell {
  candidate: string;
  supervision: Supervision;
  /** Of each level: error ÷ SVD bound of each seed. */
  ratios: number[][];
  /** Of each seed. Without labels the purity of the last level; with labels the part of the scored samples whose class is predicted. */
  scores: number[];
}

/** The cells of a data set; `onCell` hears of each when it is done. */
export async function study(engine: Engine, set: DataSet, onCell: (cell: Cell) => void): Promise<Cell[]> {
  const drawn = await Promise.all(Array.from({ length: set.seeds }, (_, seed) => set.data(seed)));
  const cells: Cell[] = [];
  for (const supervision of supervisions)
    for (const { name, settings, labelsOnly } of candidates) {
      if (labelsOnly && supervision === 'none') continue;
      const ratios: number[][] = set.ranks.map(() => []);
      const scores: number[] = [];
      for (const [seed, data] of drawn.entries()) {
        const options = { ...optionsOf(settings, set.ranks), seed, maxIterations: mostIterations };
        const model = await neuralNmf(
          engine,
          data.X,
          supervision === 'none' ? options : { ...options, ...labelsOf(set, data, seed, settings) },
        );
        model.layers.forEach(({ relativeError, svdBound }, l) => {
          ratios[l].push(relativeError / svdBound!);
        });
        scores.push(supervision === 'none' ? purityOf(model, data) : await accuracyOf(engine, model, data));
      }
      const cell = { candidate: name, supervision, ratios, scores };
      onCell(cell);
      cells.push(cell);
    }
  return cells;
}

function optionsOf({ cost, start, restarts }: Settings, ranks: readonly number[]): NeuralOptions & { ranks: number[] } {
  const weights = ranks.map((_, l) => (l === ranks.length - 1 ? 1 : 0.1));
  return { ranks: [...ranks], start, restarts, cost: cost === 'upper 0.1' ? weights : cost };
}

/** The labels of a part of the samples, the same number of every class but for rounding, drawn by seed. */
export function someLabels(classes: readonly string[], part: number, seed: number): (string | null)[] {
  const labels: (string | null)[] = classes.map(() => null);
  for (const name of new Set(classes)) {
    const members = shuffle(
      random(seed),
      classes.flatMap((other, m) => (other === name ? [m] : [])),
    );
    for (const m of members.slice(0, Math.max(1, Math.round(part * members.length)))) labels[m] = name;
  }
  return labels;
}

function labelsOf({ labelled }: DataSet, { classes }: Data, seed: number, { labelWeight }: Settings) {
  return { labels: someLabels(classes, labelled, seed), truth: classes, labelWeight };
}

function purityOf(model: NeuralFactorization, { classes }: Data): number {
  return agreement(largestTopics(model, model.A.length - 1), classes).purity;
}

/** On the samples that no fit sees, or else on those that were fitted without their label. */
export async function accuracyOf(engine: Engine, model: NeuralFactorization, { fresh }: Data): Promise<number> {
  if (!fresh) return model.supervision!.accuracy.unlabelled!;
  const { labels } = await predict(engine, model, fresh.X);
  return labels.filter((label, m) => label === fresh.classes[m]).length / labels.length;
}
