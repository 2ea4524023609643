/**
 * Measures the fastest kernels on this adapter, class by class of every kind of work. All choices for a class work on the same data. Each
 * is checked against a computation in f64 before it may win. The untuned choice stays unless another one is clearly faster.
 */
import type { Choices, Run, TunedKind, TuneOptions, Tuning, TuningEntry } from '../../engine.js';
import { CancelledError, InputError, LimitError, ShaderError } from '../../errors.js';
import type { Program } from '../../graph/program.js';
import type { DeviceContext } from '../device/context.js';
import { prepareRun } from '../device/run.js';
import { dispatchesOf, lowerProgram } from '../lower/lower-program.js';
import { choiceText } from './choices.js';
import { only, tunedBy } from './classes.js';
import { checkProblems, classesOf, isCount, typicalProblems } from './problems.js';
import { fastest, type Verdict } from './race.js';
import { createStopwatch, type Stopwatch } from './stopwatch.js';
import type { TunedClass } from './trial.js';
import { kernelsTimed, mergeTunings, tuningVersion } from './tuning.js';

export async function tune(
  context: DeviceContext,
  adapter: string,
  before: Tuning | undefined,
  { problems = typicalProblems, repeats = 5, onProgress, signal }: TuneOptions = {},
): Promise<Tuning> {
  if (!isCount(repeats)) throw new InputError(`repeats must be a positive integer, not ${repeats}.`);
  checkProblems(problems);
  const classes = classesOf(problems).filter((own) => own.choices(context.facts).length > 1);
  const stopwatch = createStopwatch(context.device);
  const measured: Tuning = { version: tuningVersion, kernels: kernelsTimed, adapter, clock: stopwatch.clock, entries: [] };
  const { timestamps } = stopwatch;
  try {
    let done = 0;
    for (const own of classes) {
      const facts = { ...context.facts, tuned: tunedBy(mergeTunings(before, measured), context.facts) };
      const entry = await tuneClass({ ...context, facts, timestamps }, own, { stopwatch, repeats, signal });
      done++;
      if (!entry) continue;
      measured.entries.push(entry);
      onProgress?.({ done, of: classes.length, entry });
    }
  } finally {
    stopwatch.dispose();
  }
  return measured;
}

interface Measuring extends Pick<TuneOptions, 'signal'> {
  stopwatch: Stopwatch;
  repeats: number;
}

/** Undefined where the device has no room for the class, or no choice comes to a right result. */
async function tuneClass(
  context: DeviceContext,
  own: TunedClass,
  { stopwatch, repeats, signal }: Measuring,
): Promise<TuningEntry | undefined> {
  const choices = own.choices(context.facts);
  const trial = own.trial(choices.length);
  const forced = (section: string) => ({ tuned: only(own.kind, choices[Number(section)]) });
  // Of the classes of f32 inputs, even where the engine stores 16-bit floats: sums are checked to the last bits.
  const device: DeviceContext = { ...context, forced, facts: { ...context.facts, halfInputs: false } };
  const cancelled = () => {
    if (signal?.aborted) throw new CancelledError('The tuning was cancelled.', { cause: signal.reason });
  };
  cancelled();
  const usable = await compiling(device, trial.program);
  let run: Run;
  try {
    run = await prepareRun(device, { ...trial.program, sections: usable }, () => {});
  } catch (error) {
    if (error instanceof LimitError) return undefined;
    throw error;
  }
  try {
    trial.write(run);
    const verdict = await fastest(
      Object.keys(usable).map(Number),
      {
        isRight: (at) => trial.isRight(run, String(at)),
        async time(at, times) {
          cancelled();
          return stopwatch.time(() => run.execute(String(at), times));
        },
        mostAtOnce: (at) => Math.max(1, Math.floor(1024 / run.dispatches(String(at)))),
      },
      repeats,
    );
    return verdict && entryOf(own, choices, verdict);
  } finally {
    run.dispose();
  }
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

function entryOf<K extends TunedKind>({ kind, name }: TunedClass<K>, choices: readonly Choices[K][], { chosen, ms }: Verdict): TuningEntry {
  const times = [...ms].sort((a, b) => a[1] - b[1]).map(([at, value]) => [choiceText(kind, choices[at]), Number(value.toPrecision(4))]);
  return { kind, class: name, chosen: choices[chosen], default: choices[0], ms: Object.fromEntries(times) } as TuningEntry;
}
