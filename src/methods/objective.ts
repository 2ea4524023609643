/** The objective of a fit that may be another than the squared error: the loss and its penalties, measured for the loop and the result. */
import { type Matrix, multiply } from '../data/matrix.js';
import type { Absent } from '../data/missing.js';
import { type DataMatrix, isSparse, type SparseMatrix, sparseMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { betaLoss, type Loss } from '../programs/losses.js';
import type { VolumeShape } from '../programs/volume.js';
import type { TransformOptions } from './definition.js';
import { workOf } from './error.js';
import type { Model } from './factorization.js';
import type { FitStage } from './fit.js';
import { betaOf, checkDataOfLoss, divergenceInF64, kktOfEntries, type LossName, lossTransform, sizeOfLoss } from './loss.js';
import type { NeighbourOptions } from './neighbours.js';
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
export function objectiveOf(
  options: PenaltyOptions & NeighbourOptions & SimplexOptions & { loss?: LossName | number },
  problem: Problem,
  held?: { A: number; S: number },
): Objective {
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
  const statedBy = (ofLoss: number, ofPenalties: number) => ({
    divergence: ofLoss * 2 ** given,
    objective: (ofLoss + ofPenalties) * 2 ** given,
  });
  return {
    loss,
    penalties,
    volume,
    stage,
    stated(factors, cost) {
      const ofPenalties = penalty(factors);
      const k = factors.A[0].cols;
      if (problem.columns) return statedBy(Math.max(cost / loss.factor - ofPenalties, 0), ofPenalties);
      // Of another β every entry of AS counts, also with a sparse X.
      const work = beta === 1 || beta === 2 ? workOf(problem, k) : X.rows * X.cols * k;
      const ofLoss = work <= cheap ? divergence(factors) : Math.max(cost / loss.factor - ofPenalties, 0);
      const [A, S] = [factors.A[0], factors.S[0]];
      return {
        ...statedBy(ofLoss, ofPenalties),
        ...(beta === 1 && isSparse(X) && { kktResidual: kktOfEntries(X, A, S, { penalties, held }) }),
      };
    },
  };
}

/** The divergence of X from A⁰…AᴸSᴸ, and the KKT residual of all layers where the device has measured all but the first. */
export function statedOfLayers(
  problem: Problem,
  { beta, penalties }: { beta: number; penalties?: readonly PenaltiesOfFit[] },
  { A, S }: Factors,
  kkt: readonly number[],
) {
  const { X, unit, costUnit } = problem;
  const inner = A.slice(1).reduceRight((Z, factor) => multiply(factor, Z), S[S.length - 1]);
  const divergence = divergenceInF64(problem, A[0], inner, beta) * 2 ** (beta * unit + 2 * (costUnit - unit));
  const byEntries = beta === 1 && isSparse(X);
  const kktResidual = byEntries ? Math.max(kktOfEntries(X, A[0], S[0], { penalties: penalties?.[0] }), ...kkt) : Math.max(...kkt);
  return { divergence, ...(!penalties && { objective: divergence }), kktResidual };
}

/**
 * argmin_{S ≥ 0} ½‖W ∘ (X − AS)‖² + λ₁ Σ S + ½ λ₂ ‖S‖², exactly, or with `simplex` over columns that sum to one. The last term is the error of k more features that are 0 in X, and √λ₂ I in
 * A.
 */
export async function penalisedNnls(
  engine: Engine,
  X: DataMatrix,
  A: Matrix,
  { l1, l2, weights, simplex, absent }: { l1: number; l2: number; weights?: Matrix; simplex?: boolean; absent?: Absent },
): Promise<Matrix> {
  const own = { ...(simplex ? { simplex } : { l1 }), ...(weights && { weights }), ...(absent && { absent }) };
  if (l2 === 0) return (await nnls(engine, X, A, own)).S;
  const k = A.cols;
  const below = Float32Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? Math.sqrt(l2) : 0));
  const more = isSparse(X) ? withZeros(X, k, absent === 'missing') : withRows(X, new Float32Array(k * X.cols));
  if (weights) own.weights = withRows(weights, new Float32Array(k * X.cols).fill(1));
  return (await nnls(engine, more, withRows(A, below), own)).S;
}

/** X with more rows of zeros, which are stored where others would be missing. */
function withZeros({ rows, cols, rowStarts, columns, values }: SparseMatrix, more: number, stored: boolean): SparseMatrix {
  const each = stored ? cols : 0;
  const data = new Float32Array(values.length + more * each);
  data.set(values);
  const places = new Uint32Array(data.length);
  places.set(columns);
  for (let at = values.length; at < data.length; at++) places[at] = (at - values.length) % cols;
  const starts = new Uint32Array(rowStarts.length + more);
  starts.set(rowStarts);
  for (let i = 0; i < more; i++) starts[rows + 1 + i] = values.length + (i + 1) * each;
  return sparseMatrix(rows + more, cols, { rowStarts: starts, columns: places, values: data });
}

/**
 * Sˡ of every layer of a hierarchy for new samples, each the minimum of its loss of Sˡ⁻¹ with the penalties of S that it was fitted with.
 * Weights are those of X.
 */
export async function penalisedChain(
  engine: Engine,
  X: DataMatrix,
  A: readonly Matrix[],
  { loss, l1S = 0, l2S = 0, weights, ...descent }: { loss?: LossName | number; l1S?: number; l2S?: number } & TransformOptions,
): Promise<Matrix[]> {
  const beta = betaOf(loss);
  const S: Matrix[] = [];
  for (const [l, factor] of A.entries()) {
    const own = { l1: l1S * factor.rows, l2: l2S * factor.rows, ...(l === 0 && weights && { weights }) };
    const layerX = S[l - 1] ?? X;
    S.push(
      beta === 2
        ? await penalisedNnls(engine, layerX, factor, own)
        : await lossTransform(engine, factor, layerX, betaLoss(beta), { ...descent, ...own }),
    );
  }
  return S;
}

function withRows(F: Matrix, rows: Float32Array): Matrix {
  const data = new Float32Array(F.data.length + rows.length);
  data.set(F.data);
  data.set(rows, F.data.length);
  return { rows: data.length / F.cols, cols: F.cols, data };
}
