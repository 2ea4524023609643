/** The lines that plans are printed in. */
import type { Program } from '../graph/program.js';
import { pipelineKey } from './device/pipelines.js';
import { isHalf } from './layout/stored-inputs.js';
import type { Dispatch } from './lower/dispatch.js';
import { dispatchesOf, type LoweredProgram } from './lower/lower-program.js';

/** The first line of a plan. */
export function titleOf({ name, restarts }: Program, { sections, inputs }: Pick<LoweredProgram, 'sections' | 'inputs'>): string {
  const pipelines = new Set(dispatchesOf(sections).map(({ kernel, constants }) => pipelineKey(kernel, constants))).size;
  const named = [...inputs.values()].filter(isHalf).map((tensor) => tensor.name);
  const asHalves = named.length > 0 ? `, ${named.join(', ')} as 16-bit floats` : '';
  return `program ${name}, ${counted(restarts, 'restart')}, ${counted(pipelines, 'pipeline')}${asHalves}`;
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
