/** One setting, all methods, all seeds. */
import { random } from '../../src/data/random.js';
import type { Engine } from '../../src/engine.js';
import { deepNmf } from '../../src/methods/deep.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import type { Data, Setting } from './families.js';
import { clusters, nmi, purity, type Spread, spread } from './scores.js';

export const methods = ['hierarchical', 'deep', 'neural'] as const;
export type Method = (typeof methods)[number];
export const restarts = 3;
/** Of each layer of hierarchical NMF (500), and of all layers together of the others, after their short hierarchical starts. */
export const caps: Record<Method, number> = { hierarchical: 500, deep: 1000, neural: 500 };
/** Relative fall of the objective per iteration where a fit is called converged: the same for all. */
export const tolerance = 1e-5;
export const labelledShare = 0.4;

export interface Cell {
  family: Setting['family'];
  parameter: string;
  value: string;
  ranks: number[];
  shape: [number, number];
  method: Method;
  supervision: 'none' | 'semi';
  seeds: number;
  /** Relative error of the whole factorization over the SVD bound of its last rank. */
  ratio: Spread;
  /** Relative error after the first layer over the SVD bound of its rank. */
  firstRatio: Spread;
  svdBound: Spread;
  /** Last layer against the super-classes, first layer against the fine classes. */
  nmi: Spread;
  purity: Spread;
  fineNmi: Spread;
  /** On the samples fitted without their label; null without supervision. */
  accuracy: Spread | null;
  /** Fits that met their tolerance before the cap. */
  converged: number;
  seconds: Spread;
}

interface Fit {
  fit: Factorization;
  seconds: number;
  data: Data;
}

/** The cells of a setting: every method on the same data, of each seed. */
export async function study(engine: Engine, setting: Setting, supervision: Cell['supervision'], seeds: number): Promise<Cell[]> {
  const fits: Record<Method, Fit[]> = { hierarchical: [], deep: [], neural: [] };
  for (let seed = 1; seed <= seeds; seed++) {
    const data = await setting.data(seed);
    const labels = supervision === 'semi' ? someLabels(data.coarse, seed) : undefined;
    for (const method of methods) {
      const started = performance.now();
      const fit = await fitOne(engine, method, setting, data, labels, seed);
      fits[method].push({ fit, seconds: (performance.now() - started) / 1000, data });
    }
  }
  return methods.map((method) => cell(setting, supervision, method, fits[method]));
}

/**
 * Labels weigh the same in all three: a labelled sample's squared loss counts as ‖X‖²/M, the average sample. That is the default of
 * hierarchical and Deep NMF; Neural NMF's own unit is ‖X‖² over the labelled samples, so it gets their share as its weight.
 */
function fitOne(
  engine: Engine,
  method: Method,
  { ranks }: Setting,
  { X, coarse }: Data,
  labels: (string | null)[] | undefined,
  seed: number,
) {
  const options = { ranks, seed, restarts, tolerance, maxIterations: caps[method], ...(labels ? { labels, truth: coarse } : {}) };
  if (method === 'hierarchical') return hierarchicalNmf(engine, X, options);
  if (method === 'deep') return deepNmf(engine, X, options);
  const labelled = labels?.filter((label) => label !== null).length ?? 0;
  return neuralNmf(engine, X, { ...options, cost: 'reconstruction', ...(labels ? { labelWeight: labelled / X.cols } : {}) });
}

/** Of each class the same share, drawn by seed. */
function someLabels(classes: readonly string[], seed: number): (string | null)[] {
  const r = random(seed);
  const labels: (string | null)[] = classes.map(() => null);
  for (const name of new Set(classes)) {
    const members = classes.flatMap((other, c) => (other === name ? [c] : []));
    for (let i = 0; i < Math.round(labelledShare * members.length); i++) {
      const [c] = members.splice(r.integer(members.length), 1);
      labels[c] = name;
    }
  }
  return labels;
}

function cell({ family, parameter, value, ranks }: Setting, supervision: Cell['supervision'], method: Method, fits: Fit[]): Cell {
  const of = (score: (fit: Fit) => number) => spread(fits.map(score));
  const last = ranks.length - 1;
  return {
    family,
    parameter,
    value,
    ranks,
    shape: [fits[0].data.X.rows, fits[0].data.X.cols],
    method,
    supervision,
    seeds: fits.length,
    ratio: of(({ fit }) => fit.relativeError / fit.svdBound!),
    firstRatio: of(({ fit }) => fit.layers[0].relativeError / fit.layers[0].svdBound!),
    svdBound: of(({ fit }) => fit.svdBound!),
    nmi: of(({ fit, data }) => nmi(clusters(fit.A, fit.S[last]), data.coarse)),
    purity: of(({ fit, data }) => purity(clusters(fit.A, fit.S[last]), data.coarse)),
    fineNmi: of(({ fit, data }) => nmi(clusters(fit.A.slice(0, 1), fit.S[0]), data.fine)),
    accuracy: supervision === 'semi' ? of(({ fit }) => fit.supervision!.accuracy.unlabelled!) : null,
    converged: fits.filter(({ fit }) => fit.converged).length,
    seconds: of(({ seconds }) => seconds),
  };
}
