/** The objective of a fit that may be another than the squared error: the loss and its penalties, measured for the loop and the result. */
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, isSparse, sparseMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { betaLoss, type Loss } from '../programs/losses.js';
import type { VolumeShape } from '../programs/volume.js';
import { workOf } from './error.js';
import type { Model } from './factorization.js';
import type { FitStage } from './fit.js';
import { betaOf, checkDataOfLoss, divergenceInF64, kktOfEntries, type LossName, sizeOfLoss } from './loss.js';
import { type PenaltiesOfFit, type PenaltyOptions, penaltiesInF64, penaltiesOf } from './penalties.js';
import type { Problem } from './problem.js';
import { nnls } from './q.js';
import { cheap, type Factors } from './result.js';
import { type SimplexOptions, volumeInF64, volumeOf } from './volume.js';

/** `kktResidual` where the device has not measured it. */
type Stated = Pick<Model, 'divergence' | 'objective'> & { kktResidual?: number };

export interface Objective {
  loss: Loss;
  penalties: PenaltiesOfFit;
  volume?: VolumeShape;
  /** The fields of a stage that follow from it. */
  stage: Pick<FitStage, 'norm' | 'objective' | 'objectiveInF64'>;
  /** The fields of the result, from factors in the unit of the fit and the cost that the device found. */
  stated(factors: Factors, cost: number): Stated;
}

/** Throws InputError for data that the loss has no value for. */
export function objectiveOf(options: PenaltyOptions & SimplexOptions & { loss?: LossName | number }, problem: Problem): Objective {
  const { X, unit, costUnit } = problem;
  const beta = betaOf(options.loss);
  checkDataOfLoss(beta, X, problem.W);
  const loss = betaLoss(beta);
  // The loss of the X and W that were given is 2^given of that in the unit of the fit.
  const given = beta * unit + 2 * (costUnit - unit);
  const penalties = penaltiesOf(options, problem, given, options.simplex);
  const volume = volumeOf(options.minVolume ?? 0, problem);
  const penalty = ({ A: [A], S: [S] }: Factors) => penaltiesInF64(penalties, A, S) + (volume ? volumeInF64(volume, A) : 0);
  const divergence = ({ A: [A], S: [S] }: Factors) => divergenceInF64(problem, A, S, beta);
  const stage: Objective['stage'] =
    beta === 2 && !penalties.A && !penalties.S && !volume
      ? { objective: 'error' }
      : {
          ...(beta !== 2 && { norm: sizeOfLoss(problem, loss) }),
          objectiveInF64: (factors) => loss.factor * (divergence(factors) + penalty(factors)),
        };
  return {
    loss,
    penalties,
    volume,
    stage,
    stated(factors, cost) {
      const ofPenalties = penalty(factors);
      const ofLoss = workOf(problem, factors.A[0].cols) <= cheap ? divergence(factors) : Math.max(cost / loss.factor - ofPenalties, 0);
      const [A, S] = [factors.A[0], factors.S[0]];
      return {
        divergence: ofLoss * 2 ** given,
        objective: (ofLoss + ofPenalties) * 2 ** given,
        ...(beta === 1 && isSparse(X) && { kktResidual: kktOfEntries(X, A, S, penalties) }),
      };
    },
  };
}

/**
 * argmin_{S ≥ 0} ½‖W ∘ (X − AS)‖² + λ₁ Σ S + ½ λ₂ ‖S‖², exactly, or with `simplex` over columns that sum to one. The last term is the error of k more features that are 0 in X, and √λ₂ I in
 * A.
 */
export async function penalisedNnls(
  engine: Engine,
  X: DataMatrix,
  A: Matrix,
  { l1, l2, weights, simplex }: { l1: number; l2: number; weights?: Matrix; simplex?: boolean },
): Promise<Matrix> {
  const own = { ...(simplex ? { simplex } : { l1 }), ...(weights && { weights }) };
  if (l2 === 0) return (await nnls(engine, X, A, own)).S;
  const k = A.cols;
  const below = Float32Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? Math.sqrt(l2) : 0));
  const more = isSparse(X)
    ? sparseMatrix(X.rows + k, X.cols, {
        rowStarts: [...X.rowStarts, ...new Array<number>(k).fill(X.values.length)],
        columns: X.columns,
        values: X.values,
      })
    : withRows(X, new Float32Array(k * X.cols));
  if (weights) own.weights = withRows(weights, new Float32Array(k * X.cols).fill(1));
  return (await nnls(engine, more, withRows(A, below), own)).S;
}

function withRows(F: Matrix, rows: Float32Array): Matrix {
  const data = new Float32Array(F.data.length + rows.length);
  data.set(F.data);
  data.set(rows, F.data.length);
  return { rows: data.length / F.cols, cols: F.cols, data };
}
