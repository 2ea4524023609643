/** `nnls` with the option `simplex`: it is loaded where it is asked for. */
import type { Matrix } from '../data/matrix.js';
import { type DataMatrix, entriesOf, isSparse, stored } from '../data/sparse.js';
import { matrixTimesPowerOfTwo, powerOfTwoUnit } from '../data/unit.js';
import { type Engine, withRun } from '../engine.js';
import { InputError } from '../errors.js';
import { simplexProgram } from '../programs/simplex.js';
import { affordable, inverseTrace, settledBelow, trustedInF32, weightedWork } from './condition.js';
import type { Polished } from './polish.js';
import { polishSimplex } from './simplex-polish.js';
import { writeMatrix } from './write-matrix.js';

/** argmin ½‖W ∘ (X − AS)‖² over columns s ≥ 0 with Σ s = 1, exactly. The operands are checked. */
export async function simplexNnls(
  engine: Engine,
  givenX: DataMatrix,
  givenA: Matrix,
  { l1 = 0, weights, polish = false }: { l1?: number; weights?: Matrix; polish?: boolean },
): Promise<{ S: Matrix; support: Uint8Array; polished?: Float64Array } & Omit<Polished, 'S'>> {
  if (l1 !== 0)
    throw new InputError(`l1 ${l1} does nothing beside simplex, where every column of S sums to one; leave it out.`, { option: 'l1' });
  const [k, M] = [givenA.cols, givenX.cols];
  // Σ s = 1 ties X and A together, so they have one unit, the larger of both; S has none.
  const unit = Math.max(powerOfTwoUnit(stored(givenX)), powerOfTwoUnit(givenA.data));
  const [X, A] = [matrixTimesPowerOfTwo(givenX, -unit), matrixTimesPowerOfTwo(givenA, -unit)];
  const W = weights && matrixTimesPowerOfTwo(weights, -powerOfTwoUnit(weights.data));
  const { program, ...t } = simplexProgram(X.rows, M, k, { csrEntries: entriesOf(X), weighted: W !== undefined });
  const [S, residual, rounds, G] = await withRun(engine, program, (run) => {
    writeMatrix(run, t.X, X, t.W, W);
    run.write(t.A, A.data);
    run.execute('solve');
    return run.sample([t.S, t.residual, t.rounds, ...(t.G ? [t.G] : [])]);
  });
  const isDoubtful = W ? () => weightedWork(W, k) <= affordable : doubtfulColumns(X, A, G);
  const sure = (c: number) => !polish && rounds[c] > 0 && residual[c] <= settledBelow && !isDoubtful(c);
  const columns = Array.from({ length: M }, (_, c) => c).filter((c) => !sure(c));
  const again = polishSimplex(X, A, S, { columns, single: !polish, weights: W });
  let kktResidual = again.kktResidual;
  for (let c = 0; c < M; c++) if (sure(c)) kktResidual = Math.max(kktResidual, residual[c]);
  return {
    S: { rows: k, cols: M, data: Float32Array.from(again.S) },
    support: Uint8Array.from(again.S, (s) => (s > 0 ? 1 : 0)),
    kktResidual,
    unconverged: again.unconverged,
    illConditioned: again.illConditioned,
    ...(polish && { polished: again.S }),
  };
}

/**
 * The columns whose S f32 may miss by 1e-3: the rounding of b = Aᵀx is relative to ‖x‖ ‖a‖, so a column counts by how much longer it is than
 * those of A.
 */
export function doubtfulColumns(X: DataMatrix, A: Matrix, G: ArrayLike<number>): (c: number) => boolean {
  const k = A.cols;
  let most = 0;
  for (let j = 0; j < k; j++) most = Math.max(most, G[j * (k + 1)]);
  const trace = inverseTrace(
    Float64Array.from(G, (g) => g + most),
    k,
  );
  if (!(trace <= trustedInF32)) return () => true;
  const norms = new Float64Array(X.cols);
  if (isSparse(X)) for (let e = 0; e < X.values.length; e++) norms[X.columns[e]] += X.values[e] ** 2;
  else
    X.data.forEach((x, at) => {
      norms[at % X.cols] += x * x;
    });
  return (c) => trace * Math.sqrt(norms[c] / most) > trustedInF32;
}
