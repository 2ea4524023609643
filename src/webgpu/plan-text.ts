/** The plan of a program as text. No device is needed. */
import type { Program } from '../graph/program.js';
import { pipelineKey } from './device/pipelines.js';
import type { Dispatch } from './lower/dispatch.js';
import { dispatchesOf, type LoweredProgram, lowerProgram } from './lower/lower-program.js';
import type { AdapterFacts, ForcedBySection } from './plan/planner.js';
import { stepText } from './steps/step.js';

/**
 * The program as it would be recorded on an adapter: each section with the number of its dispatches, and below every operation its
 * kernels, with the tile and the splits of products, and the workgroups.
 */
export function planText(program: Program, facts: AdapterFacts, forced: ForcedBySection = {}): string {
  const whole = lowerProgram(program, facts, forced);
  const { sections: lowered } = whole;
  const lines = [titleOf(program, whole)];
  for (const [section, steps] of lowered) {
    const dispatches = steps.flatMap((step) => step.dispatches);
    lines.push(`  ${section}: ${counted(dispatches.length, 'dispatch', 'es')}`);
    for (const { step, dispatches: own } of steps) {
      lines.push(`    ${stepText(step)}`);
      const kernels = own.map(kernelText);
      const width = Math.max(...kernels.map((text) => text.length));
      own.forEach(({ workgroups }, i) => {
        lines.push(`      ${kernels[i].padEnd(width)}  ${groupsText(workgroups)}`);
      });
    }
  }
  return lines.join('\n');
}

/** The first line of a plan. */
export function titleOf({ name, restarts }: Program, { sections, halves }: Pick<LoweredProgram, 'sections' | 'halves'>): string {
  const pipelines = new Set(dispatchesOf(sections).map(({ kernel, constants }) => pipelineKey(kernel, constants))).size;
  const asHalves = halves.size > 0 ? `, ${Array.from(halves.keys(), (tensor) => tensor.name).join(', ')} as 16-bit floats` : '';
  return `program ${name}, ${counted(restarts, 'restart')}, ${counted(pipelines, 'pipeline')}${asHalves}`;
}

/** How many dispatches one execution of each section takes. */
export function dispatchCounts(program: Program, facts: AdapterFacts, forced: ForcedBySection = {}): Record<string, number> {
  return Object.fromEntries(
    Array.from(lowerProgram(program, facts, forced).sections, ([section, steps]) => [
      section,
      steps.reduce((sum, { dispatches }) => sum + dispatches.length, 0),
    ]),
  );
}

export function kernelText({ kernel, constants }: Dispatch): string {
  const { BLOCKS_A, BLOCKS_B, QUADS_A = BLOCKS_A, QUADS_B = BLOCKS_B, SPLITS } = constants;
  const tile = QUADS_A ? ` ${4 * Number(QUADS_A)}×${4 * Number(QUADS_B)}` : '';
  const parts = Number(SPLITS) > 1 ? (kernel === 'reduce/sum-partials' ? ` of ${SPLITS} parts` : ` in ${SPLITS} parts`) : '';
  return `${kernel}${tile}${parts}`;
}

export function groupsText(workgroups: Dispatch['workgroups']): string {
  const sizes = workgroups.slice(0, workgroups[2] > 1 ? 3 : workgroups[1] > 1 ? 2 : 1);
  return workgroups.every((size) => size === 1) ? '1 workgroup' : `${sizes.join('×')} workgroups`;
}

export function counted(count: number, what: string, plural = 's'): string {
  return `${count} ${what}${count === 1 ? '' : plural}`;
}
