/** The coefficients of a fit by columns, panel by panel: solved again where f32 was not sure of them, given away or put together. */
import { type Matrix, matrix } from '../data/matrix.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import type { Run } from '../engine.js';
import type { Tensor } from '../graph/tensor.js';
import type { ColumnData } from '../parallel/column-data.js';
import type { ColumnRun } from '../parallel/column-run.js';
import { gramOf, inverseTrace, trustedInF32 } from './condition.js';
import { squaredErrorOf } from './error.js';
import { type ExactLayers, exactLayers, faintColumns } from './exact-layers.js';
import { cheap, refuseBroken } from './result.js';

export interface ColumnEnd {
  restart: number;
  A: readonly Matrix[];
  S: readonly Tensor[];
  rounds: readonly Tensor[];
  /** λ₁ of each layer where S is exact; else nothing is solved again. */
  l1?: readonly number[];
  /** The exponent of the unit that S is given away in. */
  unit: number;
  /** Whether S is needed as a whole, beside what `takeS` gets. */
  keep: boolean;
}

export interface ExactColumns extends ExactLayers {
  /** ‖X − A⁰…AˡSˡ‖² of every depth in f64, where that is cheap. */
  squared?: number[];
}

/** S of the restart that is kept, in the unit of the fit. It is empty, k×0, where `takeS` of the columns got it and nobody else needs it. */
export async function exactColumns(givenRun: Run, columns: ColumnData, end: ColumnEnd): Promise<ExactColumns> {
  const run = givenRun as ColumnRun;
  const { A, S, rounds, l1, restart } = end;
  const { share, takeS } = columns;
  const { communicator, panels } = share;
  const whole = end.keep || !takeS;
  const kept = S.map(({ rows }) =>
    matrix(rows, whole ? share.to - share.from : 0, new Float32Array(whole ? rows * (share.to - share.from) : 0)),
  );
  const doubtful = l1 !== undefined && A.some((factor) => !(inverseTrace(gramOf(factor), factor.cols) <= trustedInF32));
  const measured = columns.rows * columns.cols * A[0].cols * A.length <= cheap || doubtful;
  const sums = new Float64Array(4 + A.length);
  for (const [p, range] of panels.entries()) {
    const width = range.to - range.from;
    const read = async (tensor: Tensor) => restartOf(await run.panel(tensor, p), run.widthOf(tensor), tensor, restart, width);
    const own = await Promise.all(S.map(read));
    const counts = await Promise.all(rounds.map(read));
    refuseBroken('a panel', { A: [], S: own.filter(({ data }) => data.some((x) => !Number.isFinite(x))) });
    // Where λ₁ takes a part of every gain, zero is an answer like any other.
    const isFaint = (S: Matrix, l: number) => !(l1![l] > 0) && faintColumns(S).includes(1);
    const unsure = l1 !== undefined && (doubtful || counts.some(({ data }) => data.some((x) => x < 0)) || own.some(isFaint));
    const X = unsure || measured ? await columns.panel(p) : undefined;
    const again = unsure && X ? exactLayers(X, A, own, { l1, rounds: counts.map(({ data }) => data) }) : undefined;
    const found = again?.S ?? own;
    sums[0] += again?.unconverged ?? counts.reduce((sum, { data }) => sum + data.filter((x) => x < 0).length, 0);
    sums[1] += again?.illConditioned ?? 0;
    sums[2] += again?.moved ? 1 : 0;
    sums[3] += again?.untrusted ?? 0;
    if (X && measured) for (const [l, S] of found.entries()) sums[4 + l] += squaredErrorOf({ X, seen: X }, A.slice(0, l + 1), S);
    for (const [layer, ofPanel] of found.entries()) {
      if (whole) put(kept[layer], ofPanel, range.from - share.from);
      await takeS?.({ layer, from: range.from, S: matrixTimesPowerOfTwo(ofPanel, end.unit) });
    }
  }
  await communicator.allReduce(sums, 'sum');
  const [unconverged, illConditioned, moved, untrusted, ...squared] = sums;
  // One after the other: ranks meet in the order of their calls.
  if (whole && communicator.size > 1) for (const [l, own] of kept.entries()) kept[l] = await ofAllRanks(own, columns);
  return { S: kept, moved: moved > 0, unconverged, illConditioned, untrusted, squared: measured ? squared : undefined };
}

/** One restart of a panel, without the columns that fill it up. */
function restartOf(entries: ArrayLike<number>, stride: number, { rows, batch }: Tensor, restart: number, width: number): Matrix {
  const at = batch === 1 ? 0 : restart * rows * stride;
  const data = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) data[i * width + j] = entries[at + i * stride + j];
  return matrix(rows, width, data);
}

function put(whole: Matrix, part: Matrix, from: number): void {
  for (let i = 0; i < part.rows; i++) whole.data.set(part.data.subarray(i * part.cols, (i + 1) * part.cols), i * whole.cols + from);
}

async function ofAllRanks(own: Matrix, { cols, share }: ColumnData): Promise<Matrix> {
  const { rows } = own;
  const all = matrix(rows, cols, new Float32Array(rows * cols));
  let from = 0;
  for (const data of await share.communicator.allGather(own.data)) {
    const part = matrix(rows, data.length / rows, data);
    put(all, part, from);
    from += part.cols;
  }
  return all;
}
