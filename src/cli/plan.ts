/** The output of `orthant devices --plan`: the kernels that a tuning may choose, untuned and tuned, and the dispatches of an iteration. */
import type { Choices, TunedKind, TuningEntry } from '../engine.js';
import { programFor } from '../methods/program-for.js';
import { tensorProgramFor } from '../methods/tensor-program-for.js';
import { requestDawnAdapter } from '../node/dawn.js';
import { findTuning } from '../node/tuning-store.js';
import { adapterFacts, describeAdapter, requestDevice } from '../webgpu/device/device.js';
import { dispatchCounts } from '../webgpu/plan-text.js';
import { choiceText } from '../webgpu/tune/choices.js';
import { classesOf, quickProblems } from '../webgpu/tune/problems.js';
import { tunedBy } from '../webgpu/tune/tuning.js';
import { alignColumns } from './columns.js';
import type { Io } from './io.js';
import { splitClass, tuningTable } from './tune.js';

export interface Plan {
  adapter: string;
  /** Where a tuning is kept, and whether it can be used; null where there is none. */
  tuning: { path: string; problem?: string } | null;
  choices: { kind: TunedKind; class: string; default: Choices[TunedKind]; tuned: Choices[TunedKind] | null }[];
  programs: { program: string; dispatchesPerIteration: number }[];
}

/** The plan of the adapter that --device auto would use, and the tuning kept for it. */
export async function planOfAdapter({ env }: Io): Promise<{ plan: Plan; entries: TuningEntry[] }> {
  const dawn = await requestDawnAdapter();
  try {
    const device = await requestDevice(dawn.adapter);
    const facts = adapterFacts(device, dawn.adapter.info);
    device.destroy();
    const adapter = describeAdapter(dawn.adapter.info);
    const found = await findTuning(adapter, env);
    const tuned = found?.tuning && tunedBy(found.tuning, facts);
    const typical = classesOf(quickProblems).map(({ kind, name, choices }) => {
      const [untuned] = choices(facts);
      return { kind, class: name, default: untuned, tuned: null };
    });
    const entries = found?.tuning?.entries ?? [];
    const measured = entries.map(({ kind, class: name, default: untuned, chosen }) => ({
      kind,
      class: name,
      default: untuned,
      tuned: chosen,
    }));
    const dispatches = (program: ReturnType<typeof programFor>, step: string) => dispatchCounts(program, { ...facts, tuned })[step];
    const programs = [
      ...defaultPrograms.map(({ program, method, shape, step }) => ({
        program,
        dispatchesPerIteration: dispatches(programFor(method, shape), step),
      })),
      ...tensorPrograms.map(({ program, method, options }) => ({
        program,
        dispatchesPerIteration: dispatches(tensorProgramFor(method, options), 'step'),
      })),
    ];
    const tuning = found ? { path: found.path, ...(found.problem ? { problem: found.problem } : {}) } : null;
    return { plan: { adapter, tuning, choices: tuned ? measured : typical, programs }, entries };
  } finally {
    dawn.release();
  }
}

/** Typical programs, and the section that is an iteration. */
export const defaultPrograms = [
  { program: 'nmf by mu, 200×300, rank 10', method: 'nmf', shape: { rows: 200, cols: 300, ranks: [10], solver: 'mu' }, step: 'step0' },
  { program: 'nmf by anls, 200×300, rank 10', method: 'nmf', shape: { rows: 200, cols: 300, ranks: [10] }, step: 'step0' },
  { program: 'neural, 87×90, ranks 9,4,2', method: 'neural', shape: { rows: 87, cols: 90, ranks: [9, 4, 2] }, step: 'step' },
] as const;

const tensorPrograms = [
  { program: 'ncp by hals, 40×40×40, rank 7', method: 'ncp', options: { shape: [40, 40, 40], rank: 7 } },
  { program: 'neural-ncp, 40×40×40, rank 7, ranks 4,2', method: 'neural-ncp', options: { shape: [40, 40, 40], rank: 7, ranks: [4, 2] } },
] as const;

export function planLines({ plan, entries }: { plan: Plan; entries: readonly TuningEntry[] }): string[] {
  const { adapter, tuning, choices, programs } = plan;
  const untuned = choices.map((choice) => [...splitClass(choice.class), choiceText(choice.kind, choice.default)]);
  const table =
    entries.length > 0 ? tuningTable(entries) : alignColumns([['work', 'sizes up to', 'default'], ...untuned], ['left', 'left', 'left']);
  const state = tuning?.problem
    ? `Not tuned: ${tuning.path} is not used. ${tuning.problem} Run orthant tune.`
    : tuning
      ? `Tuned: ${tuning.path}.`
      : 'Not tuned: the default is used. orthant tune measures the fastest kernels here.';
  const counts = programs.map(({ program, dispatchesPerIteration }) => [program, `${dispatchesPerIteration}`]);
  return [
    `What ${adapter} runs:`,
    '',
    ...table,
    '',
    state,
    '',
    ...alignColumns([['dispatches an iteration', ''], ...counts], ['left', 'right']),
  ];
}
