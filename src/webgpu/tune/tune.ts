/**
 * Measures the fastest kernel for products on this adapter, class by class. All candidates of a class work on the same matrices. Each is
 * checked against sums in f64 before it may win. A first round drops the slow ones, and the others take turns. The untuned choice stays
 * unless another one is clearly faster.
 */
import { median } from '../../data/median.js';
import { checkNames } from '../../data/names.js';
import { random } from '../../data/random.js';
import type { AbortSignalLike, Problem, ProductChoice, Run, TuneOptions, Tuning, TuningEntry } from '../../engine.js';
import { CancelledError, InputError, LimitError, ShaderError } from '../../errors.js';
import { type Program, programBuilder } from '../../graph/program.js';
import { T, type Tensor } from '../../graph/tensor.js';
import type { DeviceContext } from '../device/context.js';
import { prepareRun } from '../device/run.js';
import { dispatchesOf, lowerProgram } from '../lower/lower-program.js';
import { candidatePlans } from '../plan/plan-products.js';
import type { Forced } from '../plan/planner.js';
import { choiceText, distinctProducts, type TunedProduct, typicalProblems } from '../plan/product-shape.js';
import { createStopwatch, type Stopwatch } from './stopwatch.js';
import { kernelsTimed, tuningVersion } from './tuning.js';

/** A candidate goes on to the last rounds if its first one took no longer than this many times the fastest. */
const stillPromising = 1.5;
/** Gain below which the untuned choice stays: it is as good, within noise. And it stays unless it loses in most of the rounds. */
const worthAChange = 0.95;
const mostRounds = 0.8;
/** The shortest time of one measurement, if a submit may be that long. */
const spanMs = 4;

export async function tune(context: DeviceContext, adapter: string, options: TuneOptions = {}): Promise<Tuning> {
  const { problems = typicalProblems, repeats = 5, onProgress, signal } = options;
  checkOptions(problems, repeats);
  const classes = [...distinctProducts(problems)];
  const stopwatch = createStopwatch(context.device);
  const entries: TuningEntry[] = [];
  try {
    for (const [name, product] of classes) {
      const entry = await tuneClass({ ...context, timestamps: stopwatch.timestamps }, name, product, { stopwatch, repeats, signal });
      if (!entry) continue;
      entries.push(entry);
      onProgress?.({ done: entries.length, of: classes.length, entry });
    }
  } finally {
    stopwatch.dispose();
  }
  return { version: tuningVersion, kernels: kernelsTimed, adapter, clock: stopwatch.clock, entries };
}

function checkOptions(problems: readonly Problem[], repeats: number): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
  if (!isCount(repeats)) throw new InputError(`repeats must be a positive integer, not ${repeats}.`);
  if (problems.length === 0) throw new InputError('problems is empty; give at least one, or leave it out.');
  for (const problem of problems) {
    checkNames('A problem', problem, ['rows', 'cols', 'rank', 'restarts']);
    const { rows, cols, rank, restarts = 1 } = problem;
    if (![rows, cols, rank, restarts].every(isCount) || rank > Math.min(rows, cols, 128)) {
      throw new InputError(
        `A problem has rows, cols, rank and restarts ≥ 1, and rank ≤ min(rows, cols, 128), not ${rows}×${cols}, rank ${rank}, ${restarts} restarts.`,
      );
    }
  }
}

interface Measuring {
  stopwatch: Stopwatch;
  repeats: number;
  signal?: AbortSignalLike;
}

/** Undefined where the device has no room for the class. */
async function tuneClass(context: DeviceContext, name: string, product: TunedProduct, how: Measuring): Promise<TuningEntry | undefined> {
  const plans = candidatePlans(product.shape, context.facts, product.norm);
  const forced = (section: string) => forcedTo(plans[Number(section)]);
  const bench = benchFor(product, plans.length);
  // Of the classes of f32 inputs, even where the engine stores 16-bit floats: sums are checked to the last bits.
  const own: DeviceContext = { ...context, forced, facts: { ...context.facts, halfInputs: false } };
  const usable = await compiling(own, bench.program);
  let run: Run;
  try {
    run = await prepareRun(own, { ...bench.program, sections: usable }, () => {});
  } catch (error) {
    if (error instanceof LimitError) return undefined;
    throw error;
  }
  try {
    bench.write(run);
    const right: number[] = [];
    for (const at of Object.keys(usable).map(Number)) if (await bench.isRight(run, String(at))) right.push(at);
    const rounds = await race(run, right, how);
    return rounds.size === 0 ? undefined : entryOf(name, plans, rounds);
  } finally {
    run.dispose();
  }
}

function forcedTo({ algorithm, blocksA, blocksB, splits }: ProductChoice): Forced {
  return { matmul: algorithm, blocks: [blocksA, blocksB], splits };
}

/** The sections whose pipelines this device accepts. */
async function compiling(context: DeviceContext, program: Program): Promise<Program['sections']> {
  const sections = await Promise.all(
    Object.entries(program.sections).map(async ([section, operations]) => {
      const alone = lowerProgram({ ...program, sections: { [section]: operations } }, context.facts, context.forced);
      const pipelines = dispatchesOf(alone.sections).map(({ kernel, constants }) => context.pipelines.get(kernel, constants));
      const refused = (await Promise.allSettled(pipelines)).find((result) => result.status === 'rejected');
      if (refused && !(refused.reason instanceof ShaderError)) throw refused.reason;
      return refused ? [] : [[section, operations] as const];
    }),
  );
  return Object.fromEntries(sections.flat());
}

/** Milliseconds of one execution in each round, by section, of the candidates in the last rounds. */
async function race(run: Run, sections: readonly number[], { stopwatch, repeats, signal }: Measuring): Promise<Map<number, number[]>> {
  const time = async (at: number, times: number) => {
    if (signal?.aborted) throw new CancelledError('The tuning was cancelled.', { cause: signal.reason });
    return (await stopwatch.time(() => run.execute(String(at), times))) / times;
  };
  // Not the first execution, which the check was: pages and caches are warm by now.
  const first = new Map<number, number>();
  for (const at of sections) {
    const few = Math.min(4, mostAtOnce(run, at));
    const roughly = few * (await time(at, few));
    // Browsers round timestamps to a tenth of a millisecond.
    const enough = Math.ceil(Math.min((few * spanMs) / Math.max(roughly, 0.1), mostAtOnce(run, at)));
    first.set(at, roughly > 1 ? roughly / few : await time(at, enough));
  }
  const best = Math.min(...first.values());
  const promising = sections.filter((at) => at === 0 || first.get(at)! <= stillPromising * best);
  const samples = new Map<number, number[]>(promising.map((at) => [at, []]));
  for (let round = 0; round < repeats; round++) {
    for (const at of promising) {
      const times = Math.ceil(Math.min(spanMs / Math.max(first.get(at)!, 1e-3), mostAtOnce(run, at)));
      samples.get(at)!.push(await time(at, times));
    }
  }
  return samples;
}

/** Executions of a section that go into one submit. */
function mostAtOnce(run: Run, at: number): number {
  return Math.max(1, Math.floor(1024 / run.dispatches(String(at))));
}

function entryOf(name: string, plans: readonly ProductChoice[], rounds: ReadonlyMap<number, readonly number[]>): TuningEntry {
  const medians = new Map(Array.from(rounds, ([at, values]) => [at, median(values)]));
  const [fastest] = [...medians].reduce((best, one) => (one[1] < best[1] ? one : best));
  const at = isClearlyFaster(rounds.get(fastest)!, rounds.get(0)) ? fastest : 0;
  const ms = Object.fromEntries(
    [...medians].sort((a, b) => a[1] - b[1]).map(([i, value]) => [choiceText(plans[i]), Number(value.toPrecision(4))]),
  );
  return { class: name, chosen: choiceOf(plans[at]), default: choiceOf(plans[0]), ms };
}

/** True as well where the untuned choice came to a wrong product. */
function isClearlyFaster(times: readonly number[], untuned: readonly number[] | undefined): boolean {
  if (untuned === undefined) return true;
  const won = times.filter((time, round) => time < untuned[round]).length;
  return median(times) <= worthAChange * median(untuned) && won >= mostRounds * times.length;
}

function choiceOf({ algorithm, blocksA, blocksB, splits }: ProductChoice): ProductChoice {
  return { algorithm, blocksA, blocksB, splits };
}

interface Bench {
  /** The product `count` times, in sections 0, 1, …. */
  program: Program;
  write(run: Run): void;
  isRight(run: Run, section: string): Promise<boolean>;
}

function benchFor({ shape, norm }: TunedProduct, count: number): Bench {
  const { rows, inner, cols, batch, sharedA, sharedB, transposeA = false, transposeB = false } = shape;
  const p = programBuilder('tuning', { restarts: batch });
  const factor = (name: string, [height, width]: [number, number], transposed: boolean, shared = false) =>
    p.input(name, transposed ? width : height, transposed ? height : width, { batched: !shared });
  const A = factor('A', [rows, inner], transposeA, sharedA);
  const isGram = rows === cols && transposeA !== transposeB && !sharedA && !sharedB;
  const B = isGram ? A : factor('B', [inner, cols], transposeB, sharedB);
  const E = norm ? p.input('E', rows, cols) : undefined;
  const C = norm ? p.state('C', 1, 1) : p.state('C', rows, cols);
  for (let i = 0; i < count; i++) {
    p.section(String(i), () => {
      if (E) p.residualNorm(E, A, B, { into: C });
      else if (isGram) p.gram(A, transposeA ? 'columns' : 'rows', { into: C });
      else p.matmul(transposeA ? T(A) : A, transposeB ? T(B) : B, { into: C });
    });
  }
  const r = random(1);
  const values = new Map([A, B, ...(E ? [E] : [])].map((tensor) => [tensor, uniform(r, tensor.rows * tensor.cols * tensor.batch)]));
  const entry = (tensor: Tensor, transposed: boolean, i: number, j: number) =>
    values.get(tensor)![transposed ? j * tensor.cols + i : i * tensor.cols + j];
  const productAt = (i: number, j: number) => {
    let sum = 0;
    for (let t = 0; t < inner; t++) sum += entry(A, transposeA, i, t) * entry(B, transposeB, t, j);
    return sum;
  };
  /**
   * Of the first restart: corners and a few entries between them, or the sum of squares. Sums of positive terms, so the bound is relative.
   */
  const expected = new Map<number, number>();
  if (E) expected.set(0, squares(values.get(E)!, productAt, rows, cols));
  else for (const [i, j] of places(rows, cols)) expected.set(i * cols + j, productAt(i, j));
  const bound = 8 * 2 ** -24 * Math.sqrt(norm ? rows * cols : inner);
  return {
    program: p.build(),
    write(run) {
      for (const [tensor, entries] of values) run.write(tensor, entries);
    },
    async isRight(run, section) {
      // Another candidate's product must not be left there.
      run.write(C, new Float32Array(C.rows * C.cols).fill(-1));
      run.execute(section);
      const actual = await run.read(C);
      return [...expected].every(([at, value]) => Math.abs(actual[at] - value) <= bound * value);
    },
  };
}

function uniform(r: { uniform(): number }, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => r.uniform());
}

function squares(E: Float32Array, productAt: (i: number, j: number) => number, rows: number, cols: number): number {
  let total = 0;
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) total += (E[i * cols + j] - productAt(i, j)) ** 2;
  return total;
}

function* places(rows: number, cols: number): Generator<[number, number]> {
  for (const i of [0, rows - 1, rows >> 1, rows >> 2]) for (const j of [0, cols - 1, cols >> 1, (cols * 3) >> 2]) yield [i, j];
}
