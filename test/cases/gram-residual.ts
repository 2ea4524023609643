/**
 * Residuals by Gram matrices, on both sides of the choice. Where they stand for themselves, they are within the rounding that the choice
 * counts on, 2⁻²² ‖X‖². Where X was read, the result is as exact as that of a residual without them, which Gram matrices cannot give there.
 */
import { type Random, random } from '../../src/data/random.js';
import type { Program } from '../../src/graph/program.js';
import { programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import type { AdapterFacts, Forced } from '../../src/webgpu/plan/planner.js';
import {
  type Case,
  type Entries,
  execute,
  expectAtMost,
  kernelsOf,
  pipelinesOf,
  rounded,
  seedOf,
  uniformEntries,
  unit,
} from './support.js';

/**
 * By restart: how far X is from AZ, relative to its entries. Gram matrices stand for 'far' ones; for 'near' ones X is read. With 'faint' ones
 * AZ is so small that no wrong term brings the sum down to where X would be read, and the right result hide the fault.
 */
type Distance = 'far' | 'near' | 'faint';

interface Circumstances {
  distances?: readonly Distance[];
  forced?: Forced;
  halfInputs?: boolean;
  /** The least relative change that is told apart, of the residual of the first restart and of X. */
  fall?: (residual: number, norm: number) => number;
  once?: boolean;
  /** Whether X is read, where `distances` do not say it. */
  read?: boolean;
}

interface Written {
  program: Program;
  values: Map<Tensor, Entries>;
  cost: Tensor;
}

/** One X, and for each restart factors near it or far from it. */
function written(
  name: string,
  [N, M, k]: readonly [number, number, number],
  r: Random,
  { distances = ['far'], halfInputs = false, fall }: Circumstances,
): Written {
  const restarts = distances.length;
  const near = { A: uniformEntries(r, N * k), Z: uniformEntries(r, k * M) };
  const noise = uniformEntries(r, N * M);
  let entries: Entries = Float32Array.from(noise, (e, at) => product(near.A, near.Z, M, k, at) + 0.02 * (e - 0.5));
  if (halfInputs) entries = rounded(entries);
  const size = ({ A, Z }: typeof near) => Math.sqrt(normOf(Float64Array.from(entries, (_, at) => product(A, Z, M, k, at))));
  /** `scale` times as large as the factors near X, so that AZ is no larger than X where a bound is relative to X. */
  const other = (scale: number) => {
    const drawn = { A: uniformEntries(r, N * k), Z: uniformEntries(r, k * M) };
    const factor = (scale * size(near)) / size(drawn);
    return { ...drawn, Z: drawn.Z.map((z) => factor * z) };
  };
  const factors = distances.map((distance) => (distance === 'near' ? near : other(distance === 'far' ? 1 : 0.02)));
  const residualOf = ({ A, Z }: typeof near) => normOf(Float64Array.from(entries, (x, at) => x - product(A, Z, M, k, at)));

  const p = programBuilder(name, { restarts });
  const X = p.data('X', N, M);
  const A = p.input('A', N, k, { batched: true });
  const Z = p.input('Z', k, M, { batched: true });
  const [cost, H] = [p.state('cost', 1, 1), p.state('H', k, M)];
  p.section('all', () => {
    const [G, B] = [p.gram(A), p.matmul(T(A), X)];
    p.residualNorm(X, A, Z, { into: cost, fall: fall?.(residualOf(factors[0]), normOf(entries)) ?? 1e-5 });
    p.matmul(G, Z, { scale: -1, add: B, into: H });
  });
  const values = new Map<Tensor, Entries>([
    [X, entries],
    [A, Float32Array.from(factors.flatMap((one) => [...one.A]))],
    [Z, Float32Array.from(factors.flatMap((one) => [...one.Z]))],
  ]);
  return { program: p.build(), values, cost };
}

function product(A: Entries, Z: Entries, M: number, k: number, at: number): number {
  let sum = 0;
  for (let t = 0; t < k; t++) sum += A[Math.floor(at / M) * k + t] * Z[t * M + (at % M)];
  return sum;
}

function normOf(entries: Entries): number {
  let sum = 0;
  for (const x of entries) sum += x * x;
  return sum;
}

function gramCase(what: string, shape: readonly [number, number, number], circumstances: Circumstances = {}): Case {
  const name = `residual by Gram matrices, ${shape.join('×')}, ${what}`;
  const { forced: own, halfInputs = false, distances = ['far'], read, once } = circumstances;
  const forced: Forced = { gram: true, ...own };
  const seed = seedOf(name);
  const make = () => written(name, shape, random(seed), circumstances);
  const on = (facts: AdapterFacts) => ({ ...facts, halfInputs });
  return {
    name,
    once,
    kernels: (facts) => kernelsOf(make().program, on(facts), forced),
    pipelines: (facts) => pipelinesOf(make().program, on(facts), forced),
    async run({ guarded }) {
      const { program, values, cost } = make();
      const engine = await guarded({ forced, halfInputs });
      using reference = createReferenceEngine();
      const [actual] = await execute(engine, program, values, [cost]);
      const [expected] = await execute(reference, program, values, [cost]);
      await engine.inspected();
      const norm = normOf([...values.values()][0]);
      distances.forEach((distance, r) => {
        // x − az is off by unit · √k · |x|, of either sign, and the sum of squares by twice that times x − az, and by its own rounding.
        const spread = Math.sqrt((shape[2] * expected[r] * norm) / (shape[0] * shape[1]));
        const bound = (read ?? distance === 'near') ? 8 * unit * (expected[r] + spread) : 4 * unit * norm;
        expectAtMost(
          `‖X − AZ‖² of restart ${r}, ${actual[r]} where the reference says ${expected[r]} (seed ${seed}): the difference`,
          Math.abs(actual[r] - expected[r]),
          bound,
        );
      });
    },
  };
}

/** As if the least change were a little more, or less, than the residual of the first restart shows. */
const threshold = (times: number) => (residual: number, norm: number) => (times * (2 ** -21 * norm)) / residual;

export const gramResidual: Case[] = [
  gramCase('far', [37, 29, 3]),
  gramCase('near', [37, 29, 3], { distances: ['near'] }),
  gramCase('faint', [37, 29, 3], { distances: ['faint'], fall: () => 0.5 }),
  gramCase('faint restarts beside near ones', [45, 131, 7], { distances: ['faint', 'near', 'faint'] }),
  gramCase('some restarts near', [130, 67, 9], { distances: ['far', 'near', 'far', 'near', 'near'] }),
  gramCase('few rows and many columns', [9, 1030, 6], { distances: ['near', 'far'], once: true }),
  // Products of software adapters add up longer runs, whose rounding is beyond what the choice counts on.
  gramCase('one row of Z and 5 columns', [300, 5, 1], { distances: ['far', 'near'], forced: { matmul: 'tiled' } }),
  gramCase('long sums', [20_000, 10, 2], { forced: { matmul: 'tiled' }, once: true }),
  gramCase('16-bit floats', [61, 90, 5], { distances: ['far', 'near'], halfInputs: true }),
  gramCase('just above the threshold', [37, 70, 3], { fall: threshold(1.001), read: false }),
  gramCase('just below the threshold', [37, 70, 3], { fall: threshold(0.999), read: true }),
  gramCase('squares of so many tiles that they are folded before', [530, 500, 2], {
    distances: ['near', 'far'],
    forced: { matmul: 'tiled', blocks: [2, 2], splits: 1 },
    once: true,
  }),
];
