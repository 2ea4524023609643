import type { Matrix } from '../data/matrix.js';
import { type Engine, type Run, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import { hierarchicalProgram, type Layers, type SequentialFit } from '../methods/hierarchical.js';
import type { NmfSolver } from '../methods/nmf.js';
import {
  checkFit,
  type Factorization,
  type FitOptions,
  finishFit,
  randomFactors,
  readFactors,
  runStage,
  type Settings,
  type StageResult,
  squaredNorm,
} from './fit.js';

export interface HierarchicalOptions extends FitOptions {
  /** [k₀, k₁, …]: each from 1 to 128, none larger than the one before, k₀ ≤ min(N, M). */
  ranks: readonly number[];
  /** Solver of each layer: 'anls' (default, exact) or 'mu' (multiplicative updates). */
  solver?: NmfSolver;
}

/**
 * Hierarchical NMF: X ≈ A⁰S⁰, then S⁰ ≈ A¹S¹, …, each layer fitted to the end before the next, so X ≈ A⁰A¹…AˡSˡ at every depth.
 *
 * With 'anls' the columns of every Aˡ have unit norm. maxIterations (default 500, 'mu' 2000) and tolerance (1e-6) hold for each layer.
 * Topics of layer l in data space are the columns of A⁰…Aˡ; Aˡ itself maps subtopics to supertopics.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function hierarchicalNmf(engine: Engine, X: Matrix, options: HierarchicalOptions): Promise<Factorization> {
  const started = performance.now();
  const { ranks, solver = 'anls' } = options;
  const settings = checkFit(X, ranks, options, { maxIterations: solver === 'mu' ? 2000 : 500, tolerance: 1e-6 });
  if (solver !== 'mu' && solver !== 'anls') throw new InputError(`solver must be 'mu' or 'anls', not ${JSON.stringify(solver)}.`);

  const t = hierarchicalProgram(X.rows, X.cols, ranks, { restarts: settings.restarts, solver });
  return withRun(engine, t.program, async (run) => {
    const stages = await fitSequentially(run, t, t, X, settings, { started, maxIterations: settings.maxIterations });
    run.execute('errors');
    for (const { finish } of t.layers) run.execute(finish);
    const sampled = (await run.sample([...t.errors, ...t.kkt.flat()])).map((values) => Array.from(values));
    const kkt = Array.from({ length: settings.restarts }, (_, r) => Math.max(...sampled.slice(ranks.length).map((values) => values[r])));
    const squaredErrors = sampled.slice(0, ranks.length);
    const rounds = t.layers.flatMap(({ rounds: own }) => (own ? [own] : []));
    return finishFit(run, t.A, t.S, {
      method: 'hierarchical',
      X,
      ranks,
      settings,
      squaredErrors,
      stages,
      kkt,
      rounds,
      started,
      own: { solver },
    });
  });
}

/** Fits the layers of a program one after another from random starts; also the warm start of Neural NMF. */
export async function fitSequentially(
  run: Run,
  { X: dataTensor, A, S }: Layers,
  { layers, cost }: SequentialFit,
  X: Matrix,
  settings: Settings,
  { started, maxIterations }: { started: number; maxIterations: number },
): Promise<{ name: string; result: StageResult }[]> {
  run.write(dataTensor, X.data);
  A.forEach((tensor, l) => {
    run.write(tensor, randomFactors(tensor.rows, tensor.cols, settings, 2 * l));
    run.write(S[l], randomFactors(S[l].rows, S[l].cols, settings, 2 * l + 1));
  });
  const stages: { name: string; result: StageResult }[] = [];
  let norm = new Array<number>(settings.restarts).fill(squaredNorm(X.data));
  for (let l = 0; l < A.length; l++) {
    const name = `layer ${l + 1} of ${A.length}`;
    run.execute(layers[l].start);
    const factors = (restart: number) => readFactors(run, A.slice(0, l + 1), S.slice(0, l + 1), restart);
    const stage = { name, step: layers[l].step, measure: layers[l].measure, cost: cost[l], norm, maxIterations, factors };
    const result = await runStage(run, stage, settings, started);
    stages.push({ name, result });
    if (l + 1 === A.length) break;
    // The next layer's errors are relative to this layer's S.
    const all = await run.read(S[l]);
    const size = S[l].rows * S[l].cols;
    norm = norm.map((_, restart) => squaredNorm(all.subarray(restart * size, (restart + 1) * size)) || 1);
  }
  return stages;
}
