/** Programs and their dispatches as text, in a canonical form: equal texts run equally. */
import { printProgram } from '../../src/graph/print.js';
import type { Program } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { byteLength, placeOf } from '../../src/webgpu/layout/layout.js';
import type { Dispatch, Scratch } from '../../src/webgpu/lower/dispatch.js';
import { lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import { stepText } from '../../src/webgpu/steps/step.js';

const limits = {
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding: 1 << 30,
  maxBufferSize: 1 << 30,
  maxWorkgroupStorage: 32_768,
  maxInvocationsPerWorkgroup: 1024,
};
const defaults = {
  ...limits,
  maxStorageBinding: 128 << 20,
  maxBufferSize: 256 << 20,
  maxWorkgroupStorage: 16_384,
  maxInvocationsPerWorkgroup: 256,
};

/** Adapters that the planner tells apart. */
export const adapters: Readonly<Record<string, AdapterFacts>> = {
  software: { ...limits, software: true, subgroups: true },
  'software without subgroups': { ...limits, software: true, subgroups: false },
  llvmpipe: { ...limits, software: true, llvmpipe: true, subgroups: true },
  hardware: { ...limits, software: false, subgroups: true },
  'default limits': { ...defaults, software: false, subgroups: false },
  halves: { ...limits, software: true, subgroups: true, halfInputs: true },
  // So little that X of most cases must be split.
  panels: { ...limits, software: true, subgroups: true, maxStorageBinding: 8192 },
};

/** The program as formulas. */
export function programText(program: Program): string {
  return `${printProgram(program)}\n`;
}

/** What would be recorded on an adapter, dispatch by dispatch, or why it is refused. */
export function dispatchText(program: Program, facts: AdapterFacts): string {
  let lowered: ReturnType<typeof lowerProgram>['sections'];
  try {
    lowered = lowerProgram(program, facts).sections;
  } catch (error) {
    return `refused: ${(error as Error).name}: ${(error as Error).message}\n`;
  }
  const lines: string[] = [];
  for (const [section, steps] of lowered) {
    lines.push(`${section}:`);
    for (const { step, dispatches } of steps) {
      lines.push(`  ${stepText(step)}`);
      for (const dispatch of dispatches) lines.push(`    ${lineOf(dispatch)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function lineOf({ kernel, constants, bindings, workgroups }: Dispatch): string {
  const set = Object.keys(constants)
    .sort()
    .map((name) => `${name}=${constants[name]}`);
  return `${kernel} ${workgroups.join('×')} (${bindings.map(boundText).join(', ')}) ${set.join(' ')}`;
}

function boundText(bound: Tensor | Scratch): string {
  if ('scratch' in bound) return `scratch ${bound.scratch} of ${bound.bytes}`;
  const { holder, offset, size } = placeOf(bound);
  return `${holder.name}:${byteLength(holder)}${offset > 0 || size !== undefined ? `[${offset}+${size}]` : ''}`;
}
