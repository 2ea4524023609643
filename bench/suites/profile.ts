/** Where the time of an iteration goes: every operation of a step alone, in turns with the whole step. Not a comparison with anyone. */
import { randomLowRank } from '../../src/data/generate.js';
import type { Engine, Run } from '../../src/engine.js';
import type { Operation } from '../../src/graph/operations.js';
import { operationText } from '../../src/graph/print.js';
import type { Program } from '../../src/graph/program.js';
import { shapeText, type Tensor } from '../../src/graph/tensor.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { type Bench, interleave, rowOf, type Settings, type Subject } from '../measure.js';
import { median, type Row } from '../rows.js';
import { ranks, writeStart, X } from './neural.js';

const [N, M, k] = [1024, 512, 16];

interface Profiled {
  name: string;
  program: Program;
  step: string;
  /** Executions of each operation in a repeat. */
  times: number;
  /** Inputs and states keep their identity in the taken-apart program. */
  start(run: Run): void;
}

export async function profileSuite(settings: Bench): Promise<Row[]> {
  const { engine } = settings;
  const rows: Row[] = [];
  for (const restarts of [1, 16]) {
    const t = neuralProgram(X.rows, X.cols, ranks, { restarts, start: 'random' });
    const name = `neural [${ranks}] × ${restarts}`;
    rows.push(
      ...(await profile(
        engine,
        { name, program: t.program, step: 'step', times: 400 / restarts + 25, start: (run) => writeStart(run, t) },
        settings,
      )),
    );
  }
  const t = nmfProgram(N, M, k, { restarts: 1, solver: 'mu', weighted: false });
  const start = (run: Run) => {
    const entries = (count: number) => Float32Array.from({ length: count }, (_, i) => 0.5 + ((i * 7919) % 101) / 101);
    run.write(t.X, randomLowRank(N, M, k).data);
    run.write(t.A, entries(N * k));
    run.write(t.S, entries(k * M));
  };
  rows.push(
    ...(await profile(engine, { name: `mu ${N}×${M}, k = ${k}`, program: t.program, step: t.sections.step, times: 20, start }, settings)),
  );
  return rows;
}

/** Rows from the costliest operation down, each with its share of the sum. */
async function profile(engine: Engine, { name, program, step, times, start }: Profiled, settings: Settings): Promise<Row[]> {
  const apart = takeApart(program, step);
  using run = await engine.prepare(apart.program);
  start(run);
  run.execute(step, 20);
  const anything = apart.program.tensors.find(({ role, rows, cols }) => role === 'state' && rows * cols < 64) ?? apart.program.tensors[0];
  const done = async () => {
    await run.sample([anything]);
  };
  const subjects = [step, ...apart.sections].map((section, i): Subject => {
    const operation = i === 0 ? undefined : program.sections[step][i - 1];
    return {
      subject: 'orthant',
      case: operation ? `${name}: ${operationText(operation)} [${shapeText(operation.outputs[0])}]` : `${name}: the whole step`,
      units: times,
      reset: done,
      async run() {
        run.execute(section, times);
        await done();
      },
    };
  });
  const measured = await interleave(subjects, { ...settings, progress: (line) => settings.progress(`${name}: ${line}`) });
  const total = measured.slice(1).reduce((sum, own) => sum + median(own), 0);
  const rows = subjects.map((subject, i) => {
    const share = `${((100 * median(measured[i])) / total).toFixed(1)} % of the operations' sum`;
    return rowOf('profile', subject, measured[i], { checked: false, note: share });
  });
  return rows.sort((a, b) => b.medianMs - a.medianMs);
}

/** The program with each operation of a section as a section of its own. Transients become states, so that they keep their entries. */
export function takeApart(program: Program, step: string) {
  const kept = new Map(
    program.tensors.map((tensor): [Tensor, Tensor] => [tensor, tensor.role === 'transient' ? { ...tensor, role: 'state' } : tensor]),
  );
  const keep = (operation: Operation): Operation =>
    ({
      ...operation,
      inputs: operation.inputs.map((one) => kept.get(one)!),
      outputs: operation.outputs.map((one) => kept.get(one)!),
    }) as Operation;
  const whole = Object.entries(program.sections).map(([label, operations]) => [label, operations.map(keep)] as const);
  const single = program.sections[step].map((operation, i) => [`${step}/${i}`, [keep(operation)]] as const);
  return {
    program: { ...program, tensors: [...kept.values()], sections: Object.fromEntries([...whole, ...single]) } satisfies Program,
    sections: single.map(([label]) => label),
  };
}
