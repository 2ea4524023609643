/** The work of a program and the bound of its time on a GPU that need not be at hand, operation by operation. No device is needed. */
import type { Profile } from '../engine.js';
import type { Program } from '../graph/program.js';
import { lowerProgram } from './lower/lower-program.js';
import { workOf } from './lower/work.js';
import type { ForcedBySection } from './plan/planner.js';
import { boundSeconds, factsOfProfiles, profileOf, shareOf } from './plan/profiles.js';
import { counted, groupsText, kernelText, titleOf } from './plan-lines.js';
import { stepText } from './steps/step.js';

/** Sums over dispatches: see `Work`. `seconds` is the bound by published peaks: see `boundSeconds`. It is an estimate. */
export interface Cost {
  bytes: number;
  requested: number;
  operations: number;
  seconds: number;
}

/** A section, once executed. */
export interface SectionCost extends Cost {
  dispatches: number;
  steps: (Cost & { operation: string; kernels: (Cost & { kernel: string; workgroups: string; share: number })[] })[];
}

export interface CostOptions {
  /** X as 16-bit floats: see EngineOptions. Default false. */
  halfInputs?: boolean;
  forced?: ForcedBySection;
}

/**
 * The cost of every section of a program on a profile, planned for a GPU with subgroups and the least limits of WebGPU.
 *
 * @throws InputError for a profile that does not exist.
 */
export function costOf(program: Program, profile: string | Profile, options: CostOptions = {}): Record<string, SectionCost> {
  return costed(program, profileOf(profile), options).costs;
}

function costed(program: Program, profile: Profile, { halfInputs, forced }: CostOptions) {
  const lowered = lowerProgram(program, { ...factsOfProfiles, halfInputs }, forced);
  const costs = Array.from(lowered.sections, ([section, steps]): [string, SectionCost] => {
    const own = steps.map(({ step, dispatches }) => {
      const kernels = dispatches.map((dispatch) => {
        const { invocations, ...work } = workOf(dispatch);
        const seconds = boundSeconds({ ...work, invocations }, profile);
        const share = shareOf(invocations, profile);
        return { kernel: kernelText(dispatch), workgroups: groupsText(dispatch.workgroups), share, ...work, seconds };
      });
      return { operation: stepText(step), ...sumOf(kernels), kernels };
    });
    const dispatches = own.reduce((sum, { kernels }) => sum + kernels.length, 0);
    return [section, { dispatches, ...sumOf(own), steps: own }];
  });
  return { title: titleOf(program, lowered), costs: Object.fromEntries(costs) };
}

function sumOf(costs: readonly Cost[]): Cost {
  const total = (of: keyof Cost) => costs.reduce((sum, cost) => sum + cost[of], 0);
  return { bytes: total('bytes'), requested: total('requested'), operations: total('operations'), seconds: total('seconds') };
}

/** The plan of a program as `planText` prints it, with the cost of each section and operation on a profile in front. */
export function costText(program: Program, profile: string | Profile, options: CostOptions = {}): string {
  const on = profileOf(profile);
  const { title, costs } = costed(program, on, options);
  const sections = Object.entries(costs).flatMap(([section, cost]) => sectionLines(section, cost));
  return [title, ...profileLines(on), '', costHeads, ...sections].join('\n');
}

/** A section with its operations and their kernels, figures in front. */
export function sectionLines(name: string, { dispatches, steps, ...cost }: SectionCost): string[] {
  const blank = ' '.repeat(costHeads.length);
  const lines = [`${figures(cost)}  ${name}: ${counted(dispatches, 'dispatch', 'es')}`];
  for (const { operation, kernels, ...own } of steps) {
    // Trials kept together are several operations in one dispatch.
    const [first, ...more] = operation.split('; ');
    lines.push(`${figures(own)}    ${first}`, ...more.map((text) => `${blank}    ${text}`));
    const width = Math.max(...kernels.map(({ kernel }) => kernel.length));
    for (const { kernel, workgroups, share } of kernels)
      lines.push(`${blank}      ${kernel.padEnd(width)}  ${workgroups}${share < 1 ? `, ${percent(share)}` : ''}`);
  }
  return lines;
}

/** The peaks behind the bounds. */
export function profileLines({ label, bandwidth, flops, units, dispatchSeconds }: Profile): string[] {
  return [
    `on ${label}: ${scaled(bandwidth)}B/s, ${scaled(flops)}FLOP/s, ${units} units, ${seconds(dispatchSeconds)} a dispatch`,
    'The peaks are published ones and the time of a dispatch is a guess, so the bounds are estimates.',
  ];
}

/** Bytes, bytes requested, operations and the bound, of one width each. */
export const costHeads = row(['bytes', 'requested', 'operations', 'bound']);

export function figures({ bytes, requested, operations, seconds: time }: Cost): string {
  return row([`${scaled(bytes)}B`, `${scaled(requested)}B`, operations === 0 ? '–' : scaled(operations).trim(), seconds(time)]);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padStart([7, 9, 10, 8][i])).join('  ');
}

/** Three digits and the prefix of the unit: "1.01 T", "528 k". */
function scaled(value: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(value, 1) * 1.0005) / 3)));
  const digits = value / 1000 ** power;
  return `${power === 0 ? Math.round(digits) : Number(digits.toPrecision(3))} ${['', 'k', 'M', 'G', 'T'][power]}`;
}

function seconds(time: number): string {
  const [unit, name] = time < 1e-3 ? [1e-6, 'µs'] : time < 1 ? [1e-3, 'ms'] : [1, 's'];
  return `${Number((time / unit).toPrecision(3))} ${name}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}
