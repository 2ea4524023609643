/** Exact nonnegative least squares of many columns: orthant beside ml-fcnnls, by the residual that each one leaves. */
import { type Matrix, matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import { polish } from '../../src/methods/polish.js';
import { qProgram } from '../../src/programs/q.js';
import { gramOf, largestResidual, productOf } from '../kkt.js';
import { type Bench, fewestRepeats, firstRunRow, interleave, milliseconds, ratioTo, rowOf, type Subject } from '../measure.js';
import { loadFcnnls } from '../peers/ml-fcnnls.js';
import type { Row } from '../rows.js';

const N = 200;
const tolerance = 1e-4;

export interface LeastSquares {
  A: Matrix;
  X: Matrix;
}

/** X = AS with noise, S half zeros: both the free entries and those at the bound matter. */
export function leastSquares(k: number, M: number): LeastSquares {
  const source = random(k);
  const A = matrix(
    N,
    k,
    Float32Array.from({ length: N * k }, () => Math.abs(source.normal())),
  );
  const X = new Float32Array(N * M);
  const s = new Float64Array(k);
  for (let c = 0; c < M; c++) {
    for (let i = 0; i < k; i++) s[i] = Math.max(0, source.normal());
    for (let t = 0; t < N; t++) {
      let sum = 0.1 * Math.abs(source.normal());
      for (let i = 0; i < k; i++) sum += A.data[t * k + i] * s[i];
      X[t * M + c] = sum;
    }
  }
  return { A, X: matrix(N, M, X) };
}

export async function nnlsSuite(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  const [columns, ranks] = bench.quick ? [10_000, [8, 16]] : [100_000, [8, 16, 32]];
  for (const k of ranks) rows.push(...(await contest(bench, k, columns)));
  return rows;
}

interface Solver {
  subject: string;
  /** The case, if it is not that of the others. */
  label?: string;
  solve(): Promise<void>;
  solution(): ArrayLike<number>;
}

async function contest(bench: Bench, k: number, M: number): Promise<Row[]> {
  const name = `exact nonnegative least squares, ${M.toLocaleString('en')} columns of ${N}, k = ${k}`;
  const progress = (line: string) => bench.progress(`${name}: ${line}`);
  progress('data');
  const { A, X } = leastSquares(k, M);
  const [G, B] = [gramOf(A.data, N, k), productOf(A.data, X.data, N, M, k)];
  const t = qProgram(N, M, k);
  const begun = performance.now();
  using run = await bench.engine.prepare(t.program);
  run.write(t.X, X.data);
  run.write(t.A, A.data);
  const preparing = performance.now() - begun;
  let ours: ArrayLike<number> = [];
  let polished: ArrayLike<number> = [];
  const peer = loadFcnnls(A, X);
  let theirs: ReturnType<typeof peer> | undefined;
  const solvers: Solver[] = [
    {
      subject: 'orthant',
      async solve() {
        run.execute('solve');
        ours = await run.read(t.S);
      },
      solution: () => ours,
    },
    {
      subject: 'orthant',
      label: `${name}, polished in f64`,
      async solve() {
        run.execute('solve');
        polished = polish(X, A, await run.read(t.S)).S;
      },
      solution: () => polished,
    },
    {
      subject: 'ml-fcnnls',
      async solve() {
        theirs = peer();
      },
      solution: () => theirs!.to1DArray(),
    },
  ];
  const firstRuns: Row[] = [];
  const subjects: Subject[] = [];
  const residuals: number[] = [];
  for (const { subject, label, solve, solution } of solvers) {
    progress(`${subject}: first run and check`);
    const first = await milliseconds(solve);
    if (label === undefined) firstRuns.push(firstRunRow('nnls', { subject, case: name }, (subject === 'orthant' ? preparing : 0) + first));
    residuals.push(largestResidual(G, B, solution(), k, M));
    subjects.push({
      subject,
      case: label ?? name,
      units: 1,
      repeats: Math.min(fewestRepeats, bench.repeats),
      reset: async () => {},
      run: solve,
    });
  }
  const times = await interleave(subjects, { ...bench, progress });
  const rows = subjects.map((subject, i) => {
    const kkt = residuals[i];
    const note = `largest KKT residual ${kkt.toExponential(1)} (tolerance ${tolerance})`;
    const checked = kkt <= tolerance;
    if (subject.subject === 'orthant') {
      const theirs = ratioTo(times[i], times[times.length - 1]).ratio[1];
      return rowOf('nnls', subject, times[i], {
        checked,
        note: `${note}; with AᵀX, AᵀA and reading S back; ml-fcnnls takes ${theirs.toPrecision(3)} × as long`,
        figures: { kkt },
      });
    }
    const { words, ratio } = ratioTo(times[0], times[i]);
    return rowOf('nnls', subject, times[i], { checked, note: `${words}; ${note}`, figures: { kkt, ratio } });
  });
  return [...rows, ...firstRuns];
}
