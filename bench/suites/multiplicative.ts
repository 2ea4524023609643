/** One multiplicative iteration of NMF in Gram form: orthant beside its peers, in the same page on the same adapter. */
import { createReferenceEngine } from '../../src/reference/engine.js';
import {
  type Bench,
  checkNote,
  fewestRepeats,
  firstRunRow,
  interleave,
  milliseconds,
  ratioTo,
  relativeDifference,
  rowOf,
  type Subject,
  unitsFor,
} from '../measure.js';
import { type Contender, type Factors, flopsOf, makeProblem, type Problem } from '../peers/contender.js';
import { onMlMatrix } from '../peers/ml-matrix.js';
import { onOrthant } from '../peers/orthant.js';
import type { Row } from '../rows.js';

export interface Shape {
  N: number;
  M: number;
  k: number;
}

const sizes = [
  [1024, 512],
  [4096, 1024],
  [300, 20_000],
  [90, 87],
];

/** All of them for the geometric mean, or a few that say most. */
export function shapesFor(quick: boolean): Shape[] {
  const all = sizes.flatMap(([N, M]) => [7, 16, 50, 128].map((k) => ({ N, M, k })));
  const few = ['1024 16', '1024 50', '300 16', '90 7', '90 50'];
  return all.filter(({ N, k }) => !quick || few.includes(`${N} ${k}`));
}

export function caseName({ N, M, k }: Shape): string {
  return `multiplicative update, ${N}×${M}, k = ${k}`;
}

const tolerance = 1e-4;

/**
 * After this many iterations every entry of A and S is compared, relative to the largest of the factor: 10, fewer where the reference
 * would take too long.
 */
export function checkedIterations({ N, M, k }: Shape, quick: boolean): number {
  return Math.max(1, Math.min(10, Math.floor((quick ? 1e9 : 4e9) / flopsOf(N, M, k))));
}

/** An iteration that takes longer than this many milliseconds is a repeat by itself, and there are few of them. */
const long = 200;

/** They take ten to a hundred times as long as the others on a software adapter: so they run the smaller problems only. */
const slowPeers = new Set(['@tensorflow/tfjs-backend-webgpu', 'onnxruntime-web']);

function isTooLarge({ N, M, k }: Shape, { quick, engine }: Bench): boolean {
  if (quick) return k > 16 || N * M > 1e6;
  return engine.software && k > 16 && N * M > 1e6;
}

export async function multiplicativeSuite(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  const broken = new Set<string>();
  // In Node there are fewer to compare with, and in a hurry two shapes show whether it differs from Chrome.
  const shapes = shapesFor(bench.quick).filter(({ M, k }) => bench.browser || !bench.quick || (k <= 16 && M < 1000));
  for (const shape of shapes) rows.push(...(await contest(bench, shape, broken)));
  return rows;
}

type Maker = (problem: Problem) => Promise<Contender>;

/** Peers that need a browser are imported only there. */
function makers({ engine, browser }: Bench): Record<string, Maker> {
  const everywhere: Record<string, Maker> = { orthant: (problem) => onOrthant(engine, problem), 'ml-matrix': onMlMatrix };
  if (!browser) return everywhere;
  const { orthant, ...others } = everywhere;
  return {
    orthant,
    '@jax-js/jax': async (problem) => (await import('../peers/jax.js')).onJax(problem, 'webgpu'),
    '@tensorflow/tfjs-backend-webgpu': async (problem) => (await import('../peers/tfjs.js')).onTfjs(problem),
    'onnxruntime-web': async (problem) => (await import('../peers/onnxruntime.js')).onOnnxRuntime(problem),
    '@jax-js/jax (wasm)': async (problem) => (await import('../peers/jax.js')).onJax(problem, 'wasm'),
    ...others,
  };
}

interface Entrant {
  timed: Subject;
  verdict: Pick<Row, 'checked' | 'note'>;
}

async function contest(bench: Bench, shape: Shape, broken: Set<string>): Promise<Row[]> {
  const name = caseName(shape);
  const settings = { ...bench, progress: (line: string) => bench.progress(`${name}: ${line}`) };
  const problem = makeProblem(shape.N, shape.M, shape.k);
  settings.progress('f64 reference');
  const expected = await referenceFactors(problem, checkedIterations(shape, bench.quick));
  const contenders: Contender[] = [];
  const entrants: Entrant[] = [];
  const firstRuns: Row[] = [];
  try {
    for (const [subject, make] of Object.entries(makers(bench))) {
      if (broken.has(subject) || (slowPeers.has(subject) && isTooLarge(shape, bench))) continue;
      settings.progress(`${subject}: first run and check`);
      try {
        let contender!: Contender;
        const firstMs = await milliseconds(async () => {
          contender = await make(problem);
          contenders.push(contender);
          await contender.run(1);
        });
        firstRuns.push(firstRunRow('mu', { subject, case: name }, firstMs));
        entrants.push(await enter(settings, shape, subject, contender, expected));
      } catch (error) {
        if (subject === 'orthant') throw error;
        broken.add(subject);
        bench.warn(`${subject} is left out: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    const times = await interleave(
      entrants.map(({ timed }) => timed),
      settings,
    );
    const rows = entrants.map(({ timed, verdict }, i) => {
      if (i === 0) return rowOf('mu', timed, times[i], verdict);
      const { words, ratio } = ratioTo(times[0], times[i]);
      return rowOf('mu', timed, times[i], { ...verdict, note: `${words}; ${verdict.note}`, figures: { ratio } });
    });
    return [...rows, ...firstRuns];
  } finally {
    for (const contender of contenders) contender.dispose();
  }
}

/** Checks a contender and decides how much of it a repeat is. */
async function enter(bench: Bench, shape: Shape, subject: string, contender: Contender, expected: Factors): Promise<Entrant> {
  const iterationMs = await milliseconds(() => contender.run(1));
  const checked = checkedIterations(shape, bench.quick);
  await contender.reset();
  await contender.run(checked);
  const { A, S } = await contender.factors();
  const differences = [relativeDifference(A, expected.A), relativeDifference(S, expected.S)];
  const units = iterationMs > long ? 1 : await unitsFor((times) => contender.run(times), bench);
  const timed: Subject = {
    subject,
    case: caseName(shape),
    units,
    repeats: iterationMs > long ? Math.min(fewestRepeats, bench.repeats) : undefined,
    reset: contender.reset,
    run: () => contender.run(units),
  };
  return { timed, verdict: checkNote(differences, tolerance, `after ${checked} iteration${checked === 1 ? '' : 's'}`) };
}

export async function referenceFactors(problem: Problem, iterations: number): Promise<Factors> {
  using reference = createReferenceEngine();
  const contender = await onOrthant(reference, problem);
  await contender.run(iterations);
  return contender.factors();
}
