/** The plan of a program as text. No device is needed. */
import type { Program } from '../graph/program.js';
import { lowerProgram } from './lower/lower-program.js';
import type { AdapterFacts, ForcedBySection } from './plan/planner.js';
import { counted, groupsText, kernelText, titleOf } from './plan-lines.js';
import { stepText } from './steps/step.js';

/**
 * The program as it would be recorded on an adapter: each section with the number of its dispatches, and below every operation its
 * kernels, with the tile and the splits of products, and the workgroups. The title says whether measured choices are in use.
 */
export function planText(program: Program, facts: AdapterFacts, forced: ForcedBySection = {}): string {
  const whole = lowerProgram(program, facts, forced);
  const { sections: lowered } = whole;
  const lines = [`${titleOf(program, whole)}${facts.tuned ? ', tuned' : ''}`];
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

/** How many dispatches one execution of each section takes. */
export function dispatchCounts(program: Program, facts: AdapterFacts, forced: ForcedBySection = {}): Record<string, number> {
  return Object.fromEntries(
    Array.from(lowerProgram(program, facts, forced).sections, ([section, steps]) => [
      section,
      steps.reduce((sum, { dispatches }) => sum + dispatches.length, 0),
    ]),
  );
}
