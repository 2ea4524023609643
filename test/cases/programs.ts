/** Whole programs, the same iterations on the device and on the f64 reference, and what must hold on the device whatever the data. */
import { randomLowRank } from '../../src/data/generate.js';
import type { Matrix } from '../../src/data/matrix.js';
import { random } from '../../src/data/random.js';
import type { Engine, Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { hierarchicalProgram } from '../../src/programs/hierarchical.js';
import { type NeuralProgram, type NeuralProgramOptions, neuralProgram } from '../../src/programs/neural.js';
import { type NmfProgram, nmfProgram } from '../../src/programs/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, type Entries, expectAtMost, expectClose, seedOf, uniformEntries, unit } from './support.js';

/** Runs the same steps on both executors and compares the tensors named, in the Frobenius norm. */
async function compare(
  engine: Engine,
  prepare: (engine: Engine) => Promise<Run>,
  tensors: readonly Tensor[],
  tolerance: number,
  seed: number,
): Promise<void> {
  using reference = createReferenceEngine();
  const read = async (on: Engine): Promise<Entries[]> => {
    using run = await prepare(on);
    return await run.sample(tensors);
  };
  const actual = await read(engine);
  const expected = await read(reference);
  tensors.forEach((tensor, i) => {
    let difference = 0;
    let norm = 0;
    for (let j = 0; j < expected[i].length; j++) {
      difference += (actual[i][j] - expected[i][j]) ** 2;
      norm += expected[i][j] ** 2;
    }
    expectAtMost(`${tensor.name}: ‖device − reference‖ / ‖reference‖ (seed ${seed})`, Math.sqrt(difference / norm), tolerance);
  });
}

/** Multiplicative updates: every step multiplies by quotients of sums of about 50 positive terms, each good to √50 roundings. */
const positiveSums = 3 * 4 * Math.sqrt(50) * 2 * unit;

/** Exact solves and gradients through them: rounding (6e-8) times the condition of the Gram matrices of random factors, up to about 1e3. */
const throughSolves = 1e-4;

function startNmf(run: Run, t: NmfProgram, X: Matrix, W: Float32Array | undefined, seed: number): void {
  const r = random(seed);
  run.write(t.X, X.data);
  if (t.W) run.write(t.W, W!);
  run.write(t.A, uniformEntries(r, t.A.rows * t.A.cols * t.A.batch));
  run.write(t.S, uniformEntries(r, t.S.rows * t.S.cols * t.S.batch));
  run.execute(t.sections.start);
}

function missing(X: Matrix, seed: number): Float32Array {
  const r = random(seed + 1);
  return X.data.map(() => (r.uniform() < 0.2 ? 0 : r.uniform() + 0.5));
}

const nmfCases = (['mu', 'hals', 'anls'] as const).flatMap((solver) =>
  [false, true].flatMap((weighted): Case[] => [
    {
      name: `nmf ${solver}${weighted ? ' weighted' : ''}, three steps of three restarts`,
      async run({ engine }) {
        const seed = seedOf(this.name);
        const X = randomLowRank(61, 47, 7, { seed, noise: 0.1 });
        const t = nmfProgram(61, 47, 7, { restarts: 3, solver, weighted });
        await compare(
          engine,
          async (on) => {
            const run = await on.prepare(t.program);
            startNmf(run, t, X, missing(X, seed), seed);
            run.execute(t.sections.step, 3);
            run.execute(t.sections.measure);
            return run;
          },
          [t.A, t.S, t.cost],
          solver === 'mu' ? positiveSums : throughSolves,
          seed,
        );
      },
    },
  ]),
);

const descents = { mu: 'multiplicative updates', hals: 'sweeps of HALS' } as const;

const monotone = (['mu', 'hals'] as const).flatMap((solver) =>
  [false, true].map(
    (weighted): Case => ({
      name: `${descents[solver]} never raise the objective${weighted ? ', weighted' : ''}`,
      async run({ engine }) {
        const seed = seedOf(this.name);
        const X = randomLowRank(53, 39, 5, { seed, noise: 0.3 });
        const t = nmfProgram(53, 39, 6, { restarts: 2, solver, weighted });
        using run = await engine.prepare(t.program);
        startNmf(run, t, X, missing(X, seed), seed);
        let before = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
        for (let iteration = 1; iteration <= 60; iteration++) {
          run.execute(t.sections.step);
          run.execute(t.sections.measure);
          const [A, S, cost] = await run.sample([t.A, t.S, t.cost]);
          // Rounding of N·M terms can show as an increase once the descent is that slow.
          cost.forEach((c, r) => {
            expectAtMost(
              `objective of restart ${r} in iteration ${iteration} (seed ${seed})`,
              c,
              before[r] * (1 + 8 * unit * Math.sqrt(53 * 39)),
            );
          });
          before = Array.from(cost);
          expectNonnegative(A, S);
        }
      },
    }),
  ),
);

function expectNonnegative(...all: Entries[]): void {
  for (const entries of all) for (const x of entries) if (!(x >= 0)) throw new Error(`an entry is ${x}`);
}

const hierarchical: Case = {
  name: 'hierarchical NMF, two steps a layer',
  async run({ engine }) {
    const seed = seedOf(this.name);
    const X = randomLowRank(45, 51, 6, { seed, noise: 0.1 });
    const t = hierarchicalProgram(45, 51, [6, 3, 2], { restarts: 2, solver: 'anls' });
    await compare(
      engine,
      async (on) => {
        const run = await on.prepare(t.program);
        const r = random(seed);
        run.write(t.X, X.data);
        for (const tensor of [...t.A, ...t.S]) run.write(tensor, uniformEntries(r, tensor.rows * tensor.cols * 2));
        for (const { start, step, measure } of t.layers) {
          run.execute(start);
          run.execute(step, 2);
          run.execute(measure);
        }
        run.execute('errors');
        return run;
      },
      [...t.A, ...t.S, ...t.cost, ...t.errors],
      throughSolves,
      seed,
    );
  },
};

async function startNeural(engine: Engine, t: NeuralProgram, X: Matrix, seed: number): Promise<Run> {
  const run = await engine.prepare(t.program);
  const r = random(seed);
  run.write(t.X, X.data);
  for (const tensor of t.A) run.write(tensor, uniformEntries(r, tensor.rows * tensor.cols * tensor.batch));
  const initial = new Float32Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 3e38;
  run.write(t.control, initial);
  if (t.W) run.write(t.W, missing(X, seed));
  if (t.order)
    run.write(
      t.order,
      Float32Array.from({ length: X.cols }, (_, c) => (5 * c) % X.cols),
    );
  for (const { Y, L, mask } of t.classifiers) {
    // Twenty columns carry one of three labels.
    const label = (entries: Tensor, of: (row: number, column: number) => boolean) =>
      run.write(
        entries,
        Float32Array.from({ length: entries.rows * entries.cols }, (_, at) =>
          at % X.cols < 20 && of(Math.floor(at / X.cols), at % X.cols) ? 1 : 0,
        ),
      );
    label(Y, (row, column) => row === column % 3);
    label(L, () => true);
    label(mask, () => true);
  }
  run.execute('start');
  return run;
}

/** `together`: with small products joined in dispatches, as on hardware. */
const gradientAndSteps = (ranks: readonly number[], together = false): Case => ({
  name: `Neural NMF [${ranks}], gradient and two steps${together ? ', products joined' : ''}`,
  async run(stack) {
    const engine = together ? await stack.engineWith({ forced: { together } }) : stack.engine;
    const seed = seedOf(this.name);
    const X = randomLowRank(41, 43, 5, { seed, noise: 0.2 });
    const t = neuralProgram(41, 43, ranks, { restarts: 3, start: 'random' });
    await compare(engine, (on) => startNeural(on, t, X, seed), [...t.A, ...t.S, ...t.D, t.control], throughSolves, seed);
    await compare(
      engine,
      async (on) => {
        const run = await startNeural(on, t, X, seed);
        run.execute('step', 2);
        run.execute('finish');
        return run;
      },
      // Not A: where a unit carries next to nothing its step is scaled up by as much, rounding included, to no effect on the rest.
      [...t.S, ...t.D],
      throughSolves,
      seed,
    );
  },
});

const neural = [[5], [6, 3], [6, 4, 2]].flatMap((ranks): Case[] => [
  gradientAndSteps(ranks),
  gradientAndSteps(ranks, true),
  {
    name: `Neural NMF [${ranks}] never raises its objective and has no negative entry`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const X = randomLowRank(41, 43, 5, { seed, noise: 0.2 });
      const t = neuralProgram(41, 43, ranks, { restarts: 3, start: 'random' });
      using run = await startNeural(engine, t, X, seed);
      let before = [3e38, 3e38, 3e38];
      for (let iteration = 1; iteration <= 40; iteration++) {
        run.execute('step');
        const [state, ...factors] = await run.sample([t.control, ...t.A, ...t.S]);
        const costs = before.map((_, r) => state[r * control.length + control.cost]);
        costs.forEach((cost, r) => {
          expectAtMost(`objective of restart ${r} in iteration ${iteration} (seed ${seed})`, cost, before[r]);
        });
        before = costs;
        expectNonnegative(...factors);
      }
      run.execute('finish');
      run.execute('errors');
      const errors = await run.read(t.errors[ranks.length - 1]);
      // What the control vector says is what the factors are worth.
      expectClose('final squared error', Array.from(errors), before, { terms: 41 * 43 });
    },
  },
]);

const squared = { layer: 1, loss: 'squared', weight: 3, classes: 3, labelled: 20 } as const;
const crossEntropy = { layer: 0, loss: 'crossEntropy', weight: 3, classes: 3, labelled: 20 } as const;

const variants = (
  [
    ['energy', { cost: { reconstruction: [0, 0.5], energy: [1, 2] } }],
    ['levels', { cost: { reconstruction: [1, 0.5] } }],
    ['L1', { cost: { l1: [0.05, 0.02] } }],
    ['weights', { weighted: true }],
    ['squared classifier', { classifiers: [squared] }],
    ['cross-entropy', { classifiers: [crossEntropy] }],
    ['momentum', { optimiser: { name: 'momentum', rate: 0.05, momentum: 0.9 } }],
    [
      'Adam on mini-batches with both classifiers',
      { optimiser: { name: 'adam', rate: 0.01 }, batchColumns: 17, classifiers: [squared, crossEntropy] },
    ],
  ] satisfies [string, Partial<NeuralProgramOptions>][]
).map(
  ([label, options]): Case => ({
    name: `Neural NMF [6,3] with ${label}`,
    async run({ engine }) {
      const seed = seedOf(this.name);
      const X = randomLowRank(41, 43, 5, { seed, noise: 0.2 });
      const t = neuralProgram(41, 43, [6, 3], { restarts: 2, start: 'random', ...options });
      const prepare = (steps: number) => async (on: Engine) => {
        const run = await startNeural(on, t, X, seed);
        run.execute('step', steps);
        return run;
      };
      await compare(engine, prepare(0), [...t.S, ...t.D, t.control], throughSolves, seed);
      await compare(engine, prepare(1), [...t.A, t.control], throughSolves, seed);
    },
  }),
);

const envelope: Case = {
  name: 'one layer: the gradient through q vanishes (envelope identity)',
  async run({ engine }) {
    const seed = seedOf(this.name);
    const X = randomLowRank(41, 43, 5, { seed, noise: 0.2 });
    const t = neuralProgram(41, 43, [5], { restarts: 1, start: 'random' });
    for (const [on, tolerance] of [
      [createReferenceEngine(), 1e-12],
      [engine, 1e-4],
    ] as const) {
      using run = await startNeural(on, t, X, seed);
      const [A, S, D] = await run.sample([t.A[0], t.S[0], t.D[0]]);
      // ∂C/∂A with S held: −2 (X − AS)Sᵀ, in f64 from the factors read back.
      let scale = 0;
      let worst = 0;
      const residual = Float64Array.from(X.data, (x, at) => {
        let r = x;
        for (let j = 0; j < 5; j++) r -= A[Math.floor(at / 43) * 5 + j] * S[j * 43 + (at % 43)];
        return r;
      });
      for (let i = 0; i < 41; i++) {
        for (let j = 0; j < 5; j++) {
          let direct = 0;
          for (let c = 0; c < 43; c++) direct -= 2 * residual[i * 43 + c] * S[j * 43 + c];
          scale = Math.max(scale, Math.abs(direct));
          worst = Math.max(worst, Math.abs(D[i * 5 + j] - direct));
        }
      }
      expectAtMost(`${on.kind}: gradient through q relative to the direct gradient (seed ${seed})`, worst / scale, tolerance);
    }
  },
};

export const programs: Case[] = [...nmfCases, ...monotone, hierarchical, ...neural, ...variants, envelope];
