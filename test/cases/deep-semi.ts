/** Deep Semi-NMF: one iteration on the device and on the reference, and descent on the device. Also small f64 matrices for the tests. */
import { random } from '../../src/data/random.js';
import type { Engine, Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import type { Nonlinearity } from '../../src/programs/curves.js';
import { type DeepSemiProgram, deepSemiProgram } from '../../src/programs/deep-semi.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, expectAtMost, seedOf } from './support.js';

/** A matrix in f64, for formulas in plain loops. */
export interface Dense {
  rows: number;
  cols: number;
  data: Float64Array;
}

export function dense(rows: number, cols: number, data: ArrayLike<number>): Dense {
  return { rows, cols, data: Float64Array.from(data) };
}

export function times(A: Dense, B: Dense): Dense {
  const out = dense(A.rows, B.cols, new Float64Array(A.rows * B.cols));
  for (let i = 0; i < A.rows; i++)
    for (let t = 0; t < A.cols; t++)
      for (let j = 0; j < B.cols; j++) out.data[i * B.cols + j] += A.data[i * A.cols + t] * B.data[t * B.cols + j];
  return out;
}

export function transposed(A: Dense): Dense {
  return dense(
    A.cols,
    A.rows,
    A.data.map((_, at) => A.data[(at % A.rows) * A.cols + Math.floor(at / A.rows)]),
  );
}

export function each([first, ...others]: readonly Dense[], f: (x: number, y: number, z: number) => number): Dense {
  return dense(
    first.rows,
    first.cols,
    first.data.map((x, at) => f(x, others[0]?.data[at] ?? 0, others[1]?.data[at] ?? 0)),
  );
}

export function add(A: Dense, B: Dense): Dense {
  return each([A, B], (x, y) => x + y);
}

export interface Given {
  seed: number;
  /** Random labels: every third column has none. */
  classes?: number;
}

/** Writes X (free in sign), Z, H > 0, the label graph and the control vector. */
export function writeDeepSemi(run: Run, t: DeepSemiProgram, { seed, classes = 0 }: Given): void {
  const r = random(seed);
  const signed = (tensor: Tensor) => Float64Array.from({ length: tensor.rows * tensor.cols * tensor.batch }, () => r.normal());
  run.write(t.X, signed(t.X));
  t.Z.forEach((Z, l) => {
    // Smaller where there is a g, whose saturation would leave next to no gradient.
    const scale = t.nonlinear ? 0.3 : 1;
    run.write(
      Z,
      signed(Z).map((z) => scale * z),
    );
    run.write(
      t.H[l],
      signed(t.H[l]).map((x) => Math.abs(x) + 0.1),
    );
  });
  const M = t.X.cols;
  if (t.graph) {
    const labels = Array.from({ length: M }, (_, c) => (c % 3 === 2 ? -1 : c % classes));
    const size = (i: number) => labels.filter((label) => label === i).length;
    run.write(
      t.graph.Y,
      Float64Array.from({ length: classes * M }, (_, at) => {
        const i = Math.floor(at / M);
        return labels[at % M] === i ? 1 / Math.sqrt(size(i)) : 0;
      }),
    );
    run.write(
      t.graph.D,
      Float64Array.from({ length: t.graph.D.rows * M }, (_, at) => (labels[at % M] >= 0 ? 1 : 0)),
    );
  }
  if (!t.nonlinear) return;
  const initial = new Float64Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 3e38;
  run.write(t.nonlinear.control, initial);
  run.write(
    t.nonlinear.first,
    Float64Array.from({ length: control.length }, (_, i) => (i === control.eta ? 1 : 0)),
  );
}

const forms: [Nonlinearity, number][] = [
  ['identity', 0],
  ['identity', 3],
  ['square', 0],
  ['softplus', 3],
  ['sigmoid', 0],
  ['tanh', 0],
];

const once = forms.map(
  ([nonlinearity, classes]): Case => ({
    name: `deep semi-NMF, ${nonlinearity}${classes ? ' with labels' : ''}: pre-training and one iteration`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const labels = classes ? { weight: 0.7, classes } : undefined;
      const t = deepSemiProgram(31, 37, [6, 4, 3], { restarts: 2, nonlinearity, labels });
      const after = async (on: Engine) => {
        using run = await on.prepare(t.program);
        writeDeepSemi(run, t, { seed, classes });
        run.execute(t.pretrained[0].step);
        run.execute(t.pretrained[0].measure);
        const first = await run.sample([t.Z[0], t.H[0], t.pretrained[0].cost]);
        if (t.nonlinear) run.execute('start');
        run.execute('step');
        if (!t.nonlinear) run.execute('measure');
        run.execute('errors');
        return [...first, ...(await run.sample([...t.Z, ...t.H, t.cost, ...t.errors]))];
      };
      using reference = createReferenceEngine();
      const [actual, expected] = [await after(engine), await after(reference)];
      expected.forEach((values, i) => {
        let [difference, norm] = [0, 0];
        for (let j = 0; j < values.length; j++) {
          difference += (actual[i][j] - values[j]) ** 2;
          norm += values[j] ** 2;
        }
        // Small Gram matrices of random factors are inverted: rounding times a condition of up to about 1e3.
        expectAtMost(`result ${i}: ‖device − reference‖ / ‖reference‖ (seed ${seed})`, Math.sqrt(difference / norm), 1e-4);
      });
    },
  }),
);

const descents = forms.map(
  ([nonlinearity, classes]): Case => ({
    name: `deep semi-NMF, ${nonlinearity}${classes ? ' with labels' : ''}: the objective never rises, H ≥ 0`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const labels = classes ? { weight: 0.7, classes } : undefined;
      const t = deepSemiProgram(31, 37, [6, 3], { restarts: 2, nonlinearity, labels });
      using run = await engine.prepare(t.program);
      writeDeepSemi(run, t, { seed, classes });
      if (t.nonlinear) run.execute('start');
      let before = [3e38, 3e38];
      for (let iteration = 1; iteration <= 30; iteration++) {
        run.execute('step');
        if (!t.nonlinear) run.execute('measure');
        const [state, H] = await run.sample([t.cost, t.H[1]]);
        const costs = before.map((_, r) => (t.nonlinear ? state[r * control.length + control.cost] : state[r]));
        costs.forEach((cost, r) => {
          expectAtMost(`objective of restart ${r} in iteration ${iteration} (seed ${seed})`, cost, before[r] * (1 + 1e-5));
        });
        before = costs;
        for (const h of H) if (!(h >= 0)) throw new Error(`an entry of H is ${h}`);
      }
    },
  }),
);

export const deepSemi: Case[] = [...once, ...descents];
