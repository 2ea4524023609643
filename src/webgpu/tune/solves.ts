/** Exact solves of a problem, and the masked ones of their derivative: kernels and workgroups. */
import { random } from '../../data/random.js';
import type { Problem, SolveKernel } from '../../engine.js';
import { programBuilder } from '../../graph/program.js';
import { chooseSolve } from '../plan/choose.js';
import type { SolveShape } from '../plan/shapes.js';
import { distinct } from './choices.js';
import { solveClass, solves } from './classes.js';
import { places, rounding, type Trial, type TunedClass, uniform, workgroupsFor } from './trial.js';

const kernels: readonly SolveKernel[] = ['registers', 'private', 'buffer', 'group'];

/** S for the columns of X, A for its rows, and the derivative of S. */
export function solveClasses({ rows, cols, rank: k, restarts = 1 }: Problem): TunedClass<'solve'>[] {
  const shape = (kind: SolveShape['kind'], items: number): SolveShape => {
    return { kind, k, cols: items, restarts, columns: Math.ceil(items / 4) * 4 * restarts };
  };
  return [shape('pivoting', cols), shape('pivoting', rows), shape('masked', cols)].map((own) => ({
    kind: 'solve',
    name: solveClass(own),
    choices(facts) {
      const all = kernels.flatMap((kernel) => workgroupsFor(facts).map((workgroup) => ({ kernel, workgroup })));
      const untuned = chooseSolve(own, { ...facts, tuned: undefined });
      return distinct('solve', [untuned, ...all.filter((choice) => solves(choice, own, facts))]);
    },
    trial: (count) => (own.kind === 'masked' ? maskedTrial(own, count) : pivotingTrial(own, count)),
  }));
}

/** Columns that differ; more of them repeat these. */
const mostColumns = 4096;

/** G = AᵀA and B = AᵀX of X = AS + noise, with A uniform and half of S zero: pivoting takes a few rounds, as at the start of a fit. */
function data({ k, cols }: SolveShape): { G: Float32Array; B: Float32Array; S: Float32Array } {
  const r = random(1);
  const height = 2 * k + 8;
  const A = uniform(r, height * k);
  const own = Math.min(cols, mostColumns);
  const [G, B, S] = [new Float32Array(k * k), new Float32Array(k * cols), new Float32Array(k * cols)];
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) for (let t = 0; t < height; t++) G[i * k + j] += A[t * k + i] * A[t * k + j];
  for (let c = 0; c < own; c++) {
    const s = Array.from({ length: k }, () => Math.max(0, 2 * r.uniform() - 1));
    const x = Array.from({ length: height }, (_, t) => s.reduce((sum, one, j) => sum + A[t * k + j] * one, r.uniform() - 0.5));
    for (let j = 0; j < k; j++) {
      S[j * cols + c] = s[j];
      B[j * cols + c] = x.reduce((sum, one, t) => sum + A[t * k + j] * one, 0);
    }
  }
  for (const rows of [B, S]) for (let j = 0; j < k; j++) for (let c = own; c < cols; c++) rows[j * cols + c] = rows[j * cols + (c % own)];
  return { G, B, S };
}

/** Of unknown j of a column: what its normal equation is off, (b − Gs)_j in f64, and the rounding of f32 in the largest of its terms. */
interface Slack {
  rest: number;
  bound: number;
}

/**
 * The slack of every unknown. A solution by Cholesky in f32 solves a system that is off by (3k + 1) u √(g_ii g_jj) at most (Higham 2002,
 * Theorem 10.4); twice that, and a few roundings of b, are allowed.
 */
function slacks(G: Float32Array, k: number, b: (j: number) => number, s: (j: number) => number): Slack[] {
  const norm = (j: number) => Math.sqrt(G[j * k + j]);
  const unknowns = Array.from({ length: k }, (_, j) => j);
  const most = unknowns.reduce((sum, i) => sum + norm(i) * Math.abs(s(i)), Math.max(...unknowns.map((i) => Math.abs(b(i)) / norm(i))));
  return unknowns.map((j) => ({
    rest: unknowns.reduce((sum, i) => sum - G[j * k + i] * s(i), b(j)),
    bound: 8 * (k + 2) * rounding * norm(j) * most,
  }));
}

/** The conditions of Karush, Kuhn and Tucker: s ≥ 0, b − Gs = 0 where s > 0 and ≤ 0 elsewhere. */
function pivotingTrial(shape: SolveShape, count: number): Trial {
  const { k, cols, restarts } = shape;
  const p = programBuilder('tuning', { restarts });
  const [G, B] = [p.input('G', k, k, { batched: true }), p.input('B', k, cols, { batched: true })];
  const [S, rounds] = [p.state('S', k, cols), p.state('rounds', 1, cols)];
  for (let i = 0; i < count; i++) p.section(String(i), () => p.nnls(G, B, S, { warm: false, rounds }));
  const values = data(shape);
  return {
    program: p.build(),
    write(run) {
      run.write(G, values.G);
      run.write(B, values.B);
    },
    async isRight(run, section) {
      run.write(S, new Float32Array(k * cols).fill(-1));
      run.execute(section);
      const actual = await run.read(S);
      return columnsOf(shape).every(({ column, offset }) => {
        const s = (j: number) => actual[offset + j * cols + column];
        return slacks(values.G, k, (j) => values.B[j * cols + column], s).every(
          ({ rest, bound }, j) => s(j) >= 0 && (s(j) > 0 ? Math.abs(rest) <= bound : rest <= bound),
        );
      });
    },
  };
}

/** G_PP β_P = g_P on the support of S, and 0 elsewhere. */
function maskedTrial(shape: SolveShape, count: number): Trial {
  const { k, cols, restarts } = shape;
  const p = programBuilder('tuning', { restarts });
  const G = p.input('G', k, k, { batched: true });
  const [S, gradient] = [p.input('S', k, cols, { batched: true }), p.input('gradient', k, cols, { batched: true })];
  const beta = p.state('beta', k, cols);
  for (let i = 0; i < count; i++) p.section(String(i), () => p.maskedSolve(G, S, gradient, { into: beta }));
  const values = data(shape);
  return {
    program: p.build(),
    write(run) {
      run.write(G, values.G);
      run.write(S, values.S);
      run.write(gradient, values.B);
    },
    async isRight(run, section) {
      run.write(beta, new Float32Array(k * cols).fill(-1));
      run.execute(section);
      const actual = await run.read(beta);
      return columnsOf(shape).every(({ column, offset }) => {
        const found = (j: number) => actual[offset + j * cols + column];
        return slacks(values.G, k, (j) => values.B[j * cols + column], found).every(({ rest, bound }, j) =>
          values.S[j * cols + column] > 0 ? Math.abs(rest) <= bound : found(j) === 0,
        );
      });
    },
  };
}

/** The columns that are checked: a few of the first restart and of the last. */
function columnsOf({ k, cols, restarts }: SolveShape): { column: number; offset: number }[] {
  return places(restarts).flatMap((restart) => places(cols).map((column) => ({ column, offset: restart * k * cols })));
}
