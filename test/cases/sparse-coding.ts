/** Sparse coding on the device: codes against their KKT conditions with dictionaries free in sign, and steps against the reference. */
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { type Engine, withRun } from '../../src/engine.js';
import { programBuilder } from '../../src/graph/program.js';
import { forwardCode, sparseCodingProgram } from '../../src/programs/sparse-coding.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, type Entries, expectAtMost, seedOf, signedEntries, unit } from './support.js';

/** The bound of the cases of `nnls`, relative to the largest |DᵀX − λ| of a column. */
const tolerance = 1e-5;

/**
 * The largest violation of a KKT condition of ½‖x − Ds‖² + λ1ᵀs over s ≥ 0 in any column: s ≥ 0, w = Dᵀ(x − Ds) − λ ≤ 0 off the
 * support and = 0 on it; relative to the column's largest |Dᵀx − λ|, in f64, from D, X, S and λ alone.
 */
function strictKkt(X: Matrix, D: Matrix, lambda: number, S: Matrix): number {
  let worst = 0;
  for (let c = 0; c < X.cols; c++) {
    let violation = 0;
    let scale = 0;
    for (let j = 0; j < D.cols; j++) {
      let w = -lambda;
      let b = -lambda;
      for (let i = 0; i < D.rows; i++) {
        let residual = X.data[i * X.cols + c];
        for (let t = 0; t < D.cols; t++) residual -= D.data[i * D.cols + t] * S.data[t * S.cols + c];
        w += D.data[i * D.cols + j] * residual;
        b += D.data[i * D.cols + j] * X.data[i * X.cols + c];
      }
      const s = S.data[j * S.cols + c];
      if (!(s >= 0)) return Number.POSITIVE_INFINITY;
      violation = Math.max(violation, s > 0 ? Math.abs(w) : w);
      scale = Math.max(scale, Math.abs(b));
    }
    worst = Math.max(worst, scale > 0 ? violation / scale : violation);
  }
  return worst;
}

/** The codes of every column by cyclic coordinate descent in f64, s_j ← max(s_j + w_j / g_jj, 0): another algorithm than both executors'. */
export function codesByCoordinates(X: Matrix, D: Matrix, lambda: number, sweeps = 20_000): Float64Array {
  const S = new Float64Array(D.cols * X.cols);
  const k = D.cols;
  const G = new Float64Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) for (let t = 0; t < D.rows; t++) G[i * k + j] += D.data[t * k + i] * D.data[t * k + j];
  for (let c = 0; c < X.cols; c++) {
    const s = new Float64Array(k);
    const b = new Float64Array(k).fill(-lambda);
    for (let t = 0; t < D.rows; t++) for (let j = 0; j < k; j++) b[j] += D.data[t * k + j] * X.data[t * X.cols + c];
    for (let sweep = 0; sweep < sweeps; sweep++) {
      let moved = 0;
      for (let j = 0; j < k; j++) {
        if (G[j * k + j] === 0) continue;
        let w = b[j];
        for (let t = 0; t < k; t++) w -= G[j * k + t] * s[t];
        const next = Math.max(s[j] + w / G[j * k + j], 0);
        moved = Math.max(moved, Math.abs(next - s[j]));
        s[j] = next;
      }
      if (moved < 1e-13) break;
    }
    for (let j = 0; j < k; j++) S[j * X.cols + c] = s[j];
  }
  return S;
}

async function code(engine: Engine, X: Matrix, D: Matrix, lambda: number): Promise<{ S: Matrix; unconverged: number }> {
  const p = programBuilder('codes');
  const [Y, atoms, penalty] = [p.input('Y', X.rows, X.cols), p.input('D', D.rows, D.cols), p.input('lambda', 1, 1)];
  const [codes, factorizations] = [p.state('S', D.cols, X.cols), p.state('rounds', 1, X.cols)];
  p.section('code', () => forwardCode(p, Y, { D: atoms, lambda: penalty }, codes, { warm: false, rounds: factorizations }));
  return withRun(engine, p.build(), async (run) => {
    run.write(Y, X.data);
    run.write(atoms, D.data);
    run.write(penalty, [lambda]);
    run.execute('code');
    const [S, rounds] = await run.sample([codes, factorizations]);
    return { S: matrix(D.cols, X.cols, Float32Array.from(S)), unconverged: rounds.filter((r: number) => r < 0).length };
  });
}

/** λ as a share of the typical |Dᵀx|: 0, one that empties part of the support, and one that is beyond every entry (S = 0). */
const exact = [
  [7, 33, 3],
  [31, 61, 9],
  [20, 45, 33], // more atoms than features
  [87, 67, 17],
  [150, 40, 70],
].flatMap(([N, M, k]) =>
  // Not examined: more atoms than features with λ = 0, where columns have many exact codes. The kernel does not settle on one for every
  // column there (it says so in `rounds`); no fit comes there, since k₀ ≤ N and ranks never grow.
  (k > N ? [0.3, 1, 100] : [0, 0.3, 1, 100]).map(
    (share): Case => ({
      name: `codes of a dictionary free in sign ${N}×${k}, M = ${M}, λ = ${share}`,
      async run({ engine }) {
        const seed = seedOf(this.name);
        const r = random(seed);
        const D = matrix(
          N,
          k,
          signedEntries(r, N * k).map((d) => d / Math.sqrt(N)),
        );
        const X = matrix(N, M, signedEntries(r, N * M));
        const { S, unconverged } = await code(engine, X, D, share);
        expectAtMost(`columns that hit the budget (seed ${seed})`, unconverged, 0);
        expectAtMost(`KKT residual in f64 (seed ${seed})`, strictKkt(X, D, share, S), tolerance);
        const active = S.data.filter((s) => s > 0).length / S.data.length;
        if (share === 100) expectAtMost(`share of codes that are not zero (seed ${seed})`, active, 0);
        else if (!(active > 0.01 && active < 0.9)) throw new Error(`${active} of the codes are positive; the case examines nothing.`);
      },
    }),
  ),
);

/** Rounding times the condition of Gram matrices, as in `programs`; each step of Adam divides by |gradient|, so it is left out after one. */
const throughSolves = 1e3 * 2 * unit;

const steps = ([24, 10] as const).flatMap((batchColumns) =>
  (['momentum', 'adam'] as const).map(
    (kind): Case => ({
      name: `sparse coding [8,5], ${kind}, ${batchColumns} of 24 columns, three steps of two restarts`,
      async run({ engine }) {
        const seed = seedOf(this.name);
        const t = sparseCodingProgram(17, 24, [8, 5], {
          restarts: 2,
          batchColumns,
          reconstruction: 1,
          supervised: { classes: 3, labelled: 18, weight: 1 },
          learnLambda: true,
          optimiser: kind === 'adam' ? { name: kind, rate: 0.003 } : { name: kind, rate: 0.02, momentum: 0.9 },
        });
        const tensors = [...t.A, ...t.lambda, t.B!, ...t.S, t.cost, ...t.errors];
        const execute = async (on: Engine): Promise<Entries[]> => {
          using run = await on.prepare(t.program);
          const r = random(seed);
          run.write(
            t.X,
            signedEntries(r, 17 * 24).map((x) => x / 4),
          );
          run.write(
            t.Y!,
            Float32Array.from({ length: 72 }, (_, i) => (i % 24 < 18 && (i % 24) % 3 === Math.floor(i / 24) ? 1 : 0)),
          );
          const order = Float32Array.from({ length: 24 }, (_, i) => (7 * i + 3) % 24);
          if (t.order) run.write(t.order, order);
          for (const start of t.startOrder) run.write(start!, [...order, ...order.toReversed()]);
          for (const lambda of t.lambda) run.write(lambda, [0.01, 0.02]);
          run.write(t.B!, signedEntries(r, 2 * 15));
          run.execute('start');
          run.execute('step', 3);
          run.execute('measure');
          run.execute('errors');
          return await run.sample(tensors);
        };
        using reference = createReferenceEngine();
        const actual = await execute(engine);
        const expected = await execute(reference);
        tensors.forEach((tensor, i) => {
          let difference = 0;
          let norm = 0;
          expected[i].forEach((value: number, j: number) => {
            difference += (actual[i][j] - value) ** 2;
            norm += value ** 2;
          });
          expectAtMost(`${tensor.name}: ‖device − reference‖ / ‖reference‖ (seed ${seed})`, Math.sqrt(difference / norm), throughSolves);
        });
      },
    }),
  ),
);

export const sparseCoding: Case[] = [...exact, ...steps];
