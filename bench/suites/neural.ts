/** Neural NMF [9, 4, 2] on the data of Table 1: its section 'step' alone, with one restart, with sixteen, and with one and labels. */
import { tableOne } from '../../src/data/generate.js';
import type { Engine, Run } from '../../src/engine.js';
import { control } from '../../src/graph/operations.js';
import { randomFactors } from '../../src/methods/fit.js';
import { type NeuralProgram, neuralProgram } from '../../src/programs/neural.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import {
  type Bench,
  checkNote,
  firstRunRow,
  interleave,
  milliseconds,
  pairedRatio,
  relativeDifference,
  rowOf,
  type Subject,
} from '../measure.js';
import { median, type Row } from '../rows.js';

export const ranks = [9, 4, 2];
export const { X, labels } = tableOne(0);

/** The cases. The supervised step has a squared classifier of the two classes on the last layer, every column labelled. */
const cases = [
  { restarts: 1, supervised: false },
  { restarts: 16, supervised: false },
  { restarts: 1, supervised: true },
];

/**
 * Few iterations, because a trial step that is accepted in f64 and barely not in f32 sends the two descents different ways; the
 * accepted cost of every restart is compared.
 */
const checkedIterations = 10;
const tolerance = 1e-4;

export async function neuralSuite(bench: Bench): Promise<Row[]> {
  const { engine } = bench;
  // Always the first ones from the same start, for a warm solve costs less the nearer the fit is to its end.
  const iterations = bench.quick ? 25 : 100;
  const rows: Row[] = [];
  const subjects: Subject[] = [];
  const verdicts: Pick<Row, 'checked' | 'note'>[] = [];
  const runs: Run[] = [];
  try {
    for (const { restarts, supervised } of cases) {
      const what = `${supervised ? 'supervised, ' : ''}${restarts} restart${restarts === 1 ? '' : 's'}`;
      bench.progress(`${what}: first run and check`);
      const classifiers = supervised ? [{ layer: 2, loss: 'squared' as const, weight: 1, classes: 2, labelled: X.cols }] : [];
      const t = neuralProgram(X.rows, X.cols, ranks, { restarts, start: 'random', classifiers });
      let run!: Run;
      const firstMs = await milliseconds(async () => {
        run = await prepared(engine, t);
        runs.push(run);
        run.execute('step');
        await run.sample([t.control]);
      });
      const subject: Subject = {
        subject: 'orthant',
        case: `step of [${ranks}], ${X.rows}×${X.cols}, ${what}`,
        units: iterations,
        async reset() {
          writeStart(run, t);
          await run.sample([t.control]);
        },
        async run() {
          run.execute('step', iterations);
          await run.sample([t.control]);
        },
      };
      verdicts.push(await checkNeural(engine, t));
      subjects.push(subject);
      rows.push(firstRunRow('neural', subject, firstMs));
    }
    const times = await interleave(subjects, bench);
    const gain = 16 * pairedRatio(times[1], times[0]);
    const perSecond = (restarts: number, own: readonly number[]) => `${Math.round((restarts * 1000) / median(own))} restart-iterations/s`;
    const rates = [
      perSecond(1, times[0]),
      `${perSecond(16, times[1])}, ${gain.toFixed(2)} × those of 1 restart`,
      `10,000 epochs take ${(10 * median(times[2])).toFixed(0)} s`,
    ];
    const stepRows = subjects.map((subject, i) =>
      rowOf('neural', subject, times[i], { ...verdicts[i], note: `${rates[i]}; ${verdicts[i].note}` }),
    );
    return [...stepRows, ...rows];
  } finally {
    for (const run of runs) run.dispose();
  }
}

async function prepared(engine: Engine, t: NeuralProgram): Promise<Run> {
  const run = await engine.prepare(t.program);
  writeStart(run, t);
  return run;
}

/** Random factors and a fresh control vector, as neuralNmf (src/methods/neural.ts) writes them, evaluated. */
export function writeStart(run: Run, t: NeuralProgram): void {
  const settings = { seed: 0, restarts: t.program.restarts };
  run.write(t.X, X.data);
  t.A.forEach((tensor, l) => {
    run.write(tensor, randomFactors(tensor.rows, tensor.cols, settings, l));
  });
  // Older programs, which --against may bring, have no classifiers.
  for (const { Y, L, mask } of t.classifiers ?? []) {
    run.write(
      Y,
      Float32Array.from({ length: 2 * X.cols }, (_, at) => (Math.floor(at / X.cols) === labels[2][at % X.cols] ? 1 : 0)),
    );
    for (const tensor of [L, mask]) run.write(tensor, new Float32Array(tensor.rows * tensor.cols).fill(1));
  }
  const initial = new Float32Array(control.length);
  initial[control.eta] = 0.5;
  initial[control.cost] = 3e38;
  run.write(t.control, initial);
  run.execute('start');
}

/** `expected` is the program with the right results: another one where `t` is of another commit. */
export async function checkNeural(engine: Engine, t: NeuralProgram, expected: NeuralProgram = t): Promise<Pick<Row, 'checked' | 'note'>> {
  const costs = async (executor: Engine, own: NeuralProgram) => {
    using run = await prepared(executor, own);
    run.execute('step', checkedIterations);
    const [values] = await run.sample([own.control]);
    return Array.from({ length: own.program.restarts }, (_, restart) => values[restart * control.length + control.cost]);
  };
  using reference = createReferenceEngine();
  const right = await costs(reference, expected);
  const differences = (await costs(engine, t)).map((cost, restart) => relativeDifference([cost], [right[restart]]));
  return checkNote(differences, tolerance, `in cost after ${checkedIterations} iterations`);
}
