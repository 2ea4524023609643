/** What lowering produces: dispatches as plain data. */
import type { Tensor } from '../../graph/tensor.js';
import { strideOf } from '../layout/layout.js';
import { type AdapterFacts, planGrid } from '../plan/planner.js';
import type { shaders } from '../shaders.generated.js';

export type KernelName = keyof typeof shaders;
export type Constants = Readonly<Record<string, number | boolean>>;

/** Memory that only lives between the dispatches of one operation; all operations share it. */
export interface Scratch {
  readonly scratch: number;
  readonly bytes: number;
}

export interface Dispatch {
  readonly kernel: KernelName;
  readonly constants: Constants;
  /** In the order of the kernel's bindings. */
  readonly bindings: readonly (Tensor | Scratch)[];
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** One invocation per item and restart, see shaders/grid.wgsl. */
export function perItem(
  kernel: KernelName,
  items: number,
  restarts: number,
  bindings: Dispatch['bindings'],
  constants: Constants,
  facts: AdapterFacts,
): Dispatch {
  const grid = planGrid(items * restarts, facts);
  return {
    kernel,
    constants: { ...constants, ITEMS: items, RESTARTS: restarts, GRID: grid.perRow, WORKGROUP: grid.workgroup },
    bindings,
    workgroups: [grid.x, grid.y, 1],
  };
}

/** vec4 in one restart's copy of a tensor. */
export function vectors(tensor: Tensor): number {
  return (tensor.rows * strideOf(tensor)) / 4;
}
