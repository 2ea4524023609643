/** From the options of the command line to the method's own function. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { deepNmf } from '../methods/deep.js';
import { deepSemiNmf } from '../methods/deep-semi.js';
import type { Factorization, FitOptions, Method } from '../methods/factorization.js';
import { hierarchicalNmf } from '../methods/hierarchical.js';
import { neuralNmf } from '../methods/neural.js';
import { nmf } from '../methods/nmf.js';
import { sparseCoding } from '../methods/sparse-coding.js';
import { ssnmf } from '../methods/ssnmf.js';
import { unfoldedNmf } from '../methods/unfolded.js';
import type { GivenLabels } from './labels.js';
import type { MethodOptions } from './method-options.js';

export interface Problem {
  X: DataMatrix;
  ranks: number[];
  mask?: Matrix;
  given?: GivenLabels;
}

export function fitMethod(
  engine: Engine,
  method: Method,
  { X, ranks, mask, given }: Problem,
  options: MethodOptions,
  common: FitOptions,
): Promise<Factorization> {
  const [rank] = ranks;
  const { solver, model, pooling, poolSize, poolOver, activation, nonlinearity, layers, untied, beta, lambda } = options;
  const { cost, l1, batchColumns, labelLayers, labelLoss } = options;
  const labels = { labels: given?.labels, truth: given?.truth, labelWeight: options.labelWeight };
  switch (method) {
    case 'nmf':
      return nmf(engine, X, { ...common, rank, solver, weights: mask });
    case 'ssnmf':
      return ssnmf(engine, X, { ...common, ...labels, rank, model, mask });
    case 'hierarchical':
      return hierarchicalNmf(engine, X, { ...common, ...labels, ranks, solver, supervisedLayers: labelLayers });
    case 'deep':
      return deepNmf(engine, X, { ...common, ...labels, ranks, pooling, poolSize, poolOver, activation });
    case 'deep-semi':
      return deepSemiNmf(engine, X, { ...common, ...labels, ranks, nonlinearity });
    case 'unfolded':
      return unfoldedNmf(engine, X, { ...common, rank, layers, untied, beta });
    case 'sparse-coding': {
      const optimiser = options.optimiser as 'momentum' | 'adam' | undefined; // 'projected' was refused before
      return sparseCoding(engine, X, { ...common, ...labels, ranks, lambda, optimiser, batchColumns });
    }
    case 'neural': {
      const { optimiser } = options;
      return neuralNmf(engine, X, { ...common, ...labels, ranks, mask, cost, l1, optimiser, batchColumns, labelLayers, labelLoss });
    }
  }
}
