/** Sweeps of HALS in a problem: kernels and workgroups; and whether a product ends in its sweep. */
import { random } from '../../data/random.js';
import type { Problem, SweepChoice } from '../../engine.js';
import { type ProgramBuilder, programBuilder } from '../../graph/program.js';
import { T, type Tensor } from '../../graph/tensor.js';
import { chooseSweep } from '../plan/choose.js';
import { planSweep, sweptKernels } from '../plan/plan-products.js';
import type { AdapterFacts } from '../plan/planner.js';
import type { ProductShape, SweepShape } from '../plan/shapes.js';
import { distinct } from './choices.js';
import { only, sweepClass, sweeps, sweptClass } from './classes.js';
import { places, rounding, type Trial, type TunedClass, uniform, workgroupsFor } from './trial.js';

const kernels: readonly SweepChoice['kernel'][] = ['registers', 'private', 'group'];

/** Of the rows of A and of the columns of S. */
export function sweepClasses({ rows, cols, rank: k, restarts = 1 }: Problem): TunedClass<'sweep'>[] {
  const shapes: SweepShape[] = [
    { of: 'rows', k, items: rows, restarts },
    { of: 'columns', k, items: cols, restarts },
  ];
  return shapes.map((shape) => ({
    kind: 'sweep',
    name: sweepClass(shape),
    choices(facts) {
      const untuned = chooseSweep(shape, { ...facts, tuned: undefined });
      const all = kernels.flatMap((kernel) => workgroupsFor(facts).map((workgroup) => ({ kernel, workgroup })));
      const groups = untuned.kernel === 'group' ? [] : all.filter(({ kernel }) => kernel === 'group').slice(0, 1);
      const others = all.filter(({ kernel }) => kernel !== 'group');
      return distinct('sweep', [untuned, ...[...others, ...groups].filter((choice) => sweeps(choice, shape, facts))]);
    },
    trial: (count) => trial(shape, count, undefined),
  }));
}

/** AᵀX with the sweep of S, and XSᵀ with that of A. A sparse X has none. */
export function sweptClasses({ rows: N, cols: M, rank: k, restarts = 1, density }: Problem): TunedClass<'swept'>[] {
  if (density !== undefined) return [];
  const ofColumns: ProductShape = { rows: k, inner: N, cols: M, batch: restarts, transposeA: true, transposeB: false, sharedB: true };
  const ofRows: ProductShape = { rows: N, inner: M, cols: k, batch: restarts, transposeA: false, transposeB: true, sharedA: true };
  const both = [
    { of: 'columns', shape: ofColumns, items: M, inner: N },
    { of: 'rows', shape: ofRows, items: N, inner: M },
  ] as const;
  return both.map(({ of, shape, items, inner }) => ({
    kind: 'swept',
    name: sweptClass(shape),
    choices: (facts) => sweptChoices(shape, of, facts),
    trial: (count) => trial({ of, k, items, restarts }, count, inner),
  }));
}

/** The untuned choice is by the estimates, whatever was measured for the product and the sweep. */
function sweptChoices(shape: ProductShape, of: SweepShape['of'], facts: AdapterFacts) {
  const untuned = { ...facts, tuned: undefined };
  const apart = { kernel: 'apart', blocks: 0 } as const;
  const tileOf = (choice: (typeof sweptKernels)[number]) => planSweep(shape, of, untuned, { tuned: only('swept', choice) });
  const fused = sweptKernels.filter((choice) => tileOf(choice) !== undefined && (choice.kernel === 'register' || facts.subgroups));
  const plan = planSweep(shape, of, untuned);
  const same = fused.find((choice) => {
    const tile = tileOf(choice)!;
    return (['algorithm', 'blocksA', 'blocksB'] as const).every((part) => tile[part] === plan?.[part]);
  });
  return distinct('swept', [same ?? apart, apart, ...fused]);
}

/** Sweeps of F for G = DᵀD and B; or, with `inner`, for B = XD made of an X and a D with that many places in common. */
function trial({ of, k, items, restarts }: SweepShape, count: number, inner: number | undefined): Trial {
  const p = programBuilder('tuning', { restarts });
  const ofRows = of === 'rows';
  const size = (lines: number): [number, number] => (ofRows ? [lines, k] : [k, lines]);
  const F = p.state('F', ...size(items));
  const G = p.input('G', k, k, { batched: true });
  const r = random(1);
  const height = 2 * k + 8;
  const source = uniform(r, height * k);
  const gram = new Float32Array(k * k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) for (let t = 0; t < height; t++) gram[i * k + j] += source[t * k + i] * source[t * k + j];
  const start = uniform(r, items * k);
  const right = rightSide(p, r, { of, k, items, inner });
  for (let i = 0; i < count; i++) p.section(String(i), () => p.halsUpdate(F, G, right.tensor(), { of }));
  const at = (line: number, j: number) => (ofRows ? line * k + j : j * items + line);
  return {
    program: p.build(),
    write(run) {
      run.write(G, gram);
      for (const [tensor, entries] of right.values) run.write(tensor, entries);
    },
    async isRight(run, section) {
      run.write(F, start);
      run.execute(section);
      const after = await run.read(F);
      return places(restarts).every((restart) =>
        places(items).every((line) =>
          isSwept(gram, k, {
            before: (j) => start[at(line, j)],
            after: (j) => after[restart * items * k + at(line, j)],
            b: (j) => right.at(line, j),
            bound: right.bound,
          }),
        ),
      );
    },
  };
}

interface RightSide {
  tensor(): Tensor;
  values: ReadonlyMap<Tensor, Float32Array>;
  /** Entry j of the right side of a line, in f64. */
  at(line: number, j: number): number;
  /** What f32 may lose of it, relative to it. */
  bound: number;
}

/** Positive numbers about as large as those of G, or products of positive numbers. */
function rightSide(
  p: ProgramBuilder,
  r: { uniform(): number },
  { of, k, items, inner }: Pick<SweepShape, 'of' | 'k' | 'items'> & { inner: number | undefined },
): RightSide {
  const ofRows = of === 'rows';
  if (inner === undefined) {
    const B = ofRows ? p.input('B', items, k, { batched: true }) : p.input('B', k, items, { batched: true });
    const entries = uniform(r, items * k).map((value) => k * value);
    return {
      tensor: () => B,
      values: new Map([[B, entries]]),
      at: (line, j) => entries[ofRows ? line * k + j : j * items + line],
      bound: 0,
    };
  }
  const X = ofRows ? p.input('X', items, inner) : p.input('X', inner, items);
  const D = ofRows ? p.input('D', k, inner, { batched: true }) : p.input('D', inner, k, { batched: true });
  const [x, d] = [uniform(r, items * inner), uniform(r, inner * k)];
  // About as large as without a product.
  const scaled = x.map((value) => (4 * k * value) / inner);
  const values = new Map([
    [X, scaled],
    [D, d],
  ]);
  const at = (line: number, j: number) => {
    let sum = 0;
    for (let t = 0; t < inner; t++) sum += ofRows ? scaled[line * inner + t] * d[j * inner + t] : scaled[t * items + line] * d[t * k + j];
    return sum;
  };
  return { tensor: () => (ofRows ? p.matmul(X, T(D)) : p.matmul(T(D), X)), values, at, bound: 8 * rounding * Math.sqrt(inner) };
}

interface Swept {
  before(j: number): number;
  after(j: number): number;
  b(j: number): number;
  /** Of b, relative to it. */
  bound: number;
}

/** Whether every entry is what f64 makes of the entries that the sweep had at its turn: new ones before it, old ones after it. */
function isSwept(G: Float32Array, k: number, { before, after, b, bound }: Swept): boolean {
  return Array.from({ length: k }, (_, j) => j).every((j) => {
    let [rest, size] = [b(j), Math.abs(b(j))];
    for (let l = 0; l < k; l++) {
      const term = G[j * k + l] * (l < j ? after(l) : before(l));
      rest -= term;
      size += Math.abs(term);
    }
    const diagonal = G[j * k + j];
    const allowed = ((k + 8) * rounding * size + bound * Math.abs(b(j))) / diagonal;
    return Math.abs(after(j) - Math.max(before(j) + rest / diagonal, 0)) <= allowed;
  });
}
