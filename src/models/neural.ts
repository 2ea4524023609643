import type { Matrix } from '../data/matrix.js';
import { type Engine, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import { control } from '../graph/operations.js';
import { neuralProgram } from '../methods/neural.js';
import {
  checkFit,
  type Factorization,
  type FitOptions,
  finishFit,
  randomFactors,
  readFactors,
  runStage,
  type StageResult,
  squaredNorm,
} from './fit.js';
import { fitSequentially } from './hierarchical.js';

export interface NeuralOptions extends FitOptions {
  /** [k₀, k₁, …]: each from 1 to 128, none larger than the one before, k₀ ≤ min(N, M). */
  ranks: readonly number[];
  /** 'hierarchical' (default): from a short hierarchical NMF of each restart. 'random': from |N(0,1)|. */
  start?: 'hierarchical' | 'random';
  /** Iterations per layer of the hierarchical start; default 20. */
  startIterations?: number;
}

/**
 * Neural NMF: the coefficients are functions of the features, S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ) with q(X, A) = argmin_{S ≥ 0} ‖X − AS‖²,
 * and all A⁰ … Aᴸ learn together on ‖X − A⁰…AᴸSᴸ‖² by projected gradient, differentiated exactly through every q. Each restart's step
 * size is controlled on the device (a step that would raise the objective is dropped), so the objective never increases.
 *
 * maxIterations defaults to 1000, tolerance to 1e-5 an iteration. Gao, Haddock, Molitor, Needell, Sadovnik, Will, Zhang: Neural
 * Nonnegative Matrix Factorization for Hierarchical Multilayer Topic Modeling, CAMSAP 2019; arXiv:2303.00058.
 *
 * @throws InputError for negative, NaN or infinite entries, ranks that do not fit, bad options; BreakdownError, LimitError.
 */
export async function neuralNmf(engine: Engine, X: Matrix, options: NeuralOptions): Promise<Factorization> {
  const started = performance.now();
  const { ranks, start = 'hierarchical', startIterations = 20 } = options;
  const settings = checkFit(X, ranks, options, { maxIterations: 1000, tolerance: 1e-5 });
  if (start !== 'hierarchical' && start !== 'random')
    throw new InputError(`start must be 'hierarchical' or 'random', not ${JSON.stringify(start)}.`);

  const t = neuralProgram(X.rows, X.cols, ranks, { restarts: settings.restarts, start });
  return withRun(engine, t.program, async (run) => {
    const stages: { name: string; result: StageResult }[] = [];
    if (t.sequential) {
      stages.push(...(await fitSequentially(run, t, t.sequential, X, settings, { started, maxIterations: startIterations })));
    } else {
      run.write(t.X, X.data);
      t.A.forEach((tensor, l) => {
        run.write(tensor, randomFactors(tensor.rows, tensor.cols, settings, l));
      });
    }

    const initial = new Float32Array(control.length);
    initial[control.eta] = 0.5;
    initial[control.cost] = 3e38;
    run.write(t.control, initial);
    run.execute('start');
    const result = await runStage(
      run,
      {
        name: 'all layers',
        step: 'step',
        cost: t.control,
        costAt: control.cost,
        norm: new Array<number>(settings.restarts).fill(squaredNorm(X.data)),
        maxIterations: settings.maxIterations,
        factors: async (restart) => {
          run.execute('view');
          return readFactors(run, t.A, t.view, restart);
        },
      },
      settings,
      started,
    );

    run.execute('finish');
    run.execute('errors');
    const sampled = (await run.sample([...t.errors, ...t.kkt])).map((values) => Array.from(values));
    const kkt = Array.from({ length: settings.restarts }, (_, r) => Math.max(...sampled.slice(ranks.length).map((values) => values[r])));
    const finished = {
      X,
      ranks,
      settings,
      squaredErrors: sampled.slice(0, ranks.length),
      kkt,
      rounds: t.rounds,
      started,
      own: { start, startIterations },
    };
    const factorization = await finishFit(run, t.A, t.S, {
      method: 'neural',
      ...finished,
      stages: [...stages, { name: 'all layers', result }],
    });
    // The start is cut short on purpose; only the joint descent says whether the fit converged.
    return { ...factorization, converged: result.stopReason === 'tolerance' || result.stopReason === 'exact' };
  });
}
