/** Dispatches, the result of lowering, as plain data: each is a call of a kernel with its bindings by name. */
import type { OperationKind, OperationOf } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import { restartStep, strideOf } from '../layout/layout.js';
import { isHalf } from '../layout/stored-inputs.js';
import { type AdapterFacts, type Forced, planGrid } from '../plan/planner.js';
import { type Shader, shaders } from '../shaders.generated.js';

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

/** An operation → the dispatches that run it. */
export type Lowering<K extends OperationKind> = (operation: OperationOf<K>, facts: AdapterFacts, forced: Forced) => Dispatch[];

export type Lowerings<Kinds extends OperationKind> = { readonly [K in Kinds]: Lowering<K> };

/** Stands in for an operand that was left out, since every binding must be bound. The kernel does not use it. */
export interface StandIn {
  readonly standIn: Tensor | Scratch;
}

export function standIn(bound: Tensor | Scratch): StandIn {
  return { standIn: bound };
}

type Operand = Tensor | Scratch | StandIn;

type BindingName<K extends KernelName> = (typeof shaders)[K]['bindings'][number]['name'];
type ConstantName<K extends KernelName> = (typeof shaders)[K]['constants'][number] | (typeof shaders)[K]['sizes'][number]['name'];
/** Constants that follow from the tensors that are bound: see `layoutOf`. */
type LayoutName<K extends KernelName> = Extract<
  ConstantName<K>,
  `${Uppercase<BindingName<K>>}_${'STRIDE' | 'BATCH'}` | `HALF_${Uppercase<BindingName<K>>}` | 'STRIDE'
>;
type GridName = 'ITEMS' | 'RESTARTS' | 'GRID' | 'WORKGROUP';

export type Operands<K extends KernelName> = { readonly [N in BindingName<K>]: Operand };

/** The constants of a kernel that do not follow from its bindings. Those of scratch memory have to be given, too. */
export type Numbers<K extends KernelName, Known extends string = never> = {
  readonly [N in Exclude<ConstantName<K>, LayoutName<K> | Known>]: number | boolean;
} & { readonly [N in LayoutName<K>]?: number };

/** One invocation per item and restart, see shaders/grid.wgsl. */
export function perItem<K extends KernelName>(
  kernel: K,
  items: number,
  restarts: number,
  operands: Operands<K>,
  numbers: Numbers<K, GridName>,
  facts: AdapterFacts,
  workgroup?: number,
): Dispatch {
  const grid = planGrid(items * restarts, facts, workgroup);
  const constants = { ...numbers, ITEMS: items, RESTARTS: restarts, GRID: grid.perRow, WORKGROUP: grid.workgroup };
  return call(kernel, operands, constants, [grid.x, grid.y, 1]);
}

/** One invocation per restart, for a few numbers each. */
export function perRestart<K extends KernelName>(
  kernel: K,
  restarts: number,
  operands: Operands<K>,
  numbers: Numbers<K, 'RESTARTS'>,
): Dispatch {
  return call(kernel, operands, { ...numbers, RESTARTS: restarts }, [Math.ceil(restarts / 64), 1, 1]);
}

/** A dispatch with the constants that follow from its bindings, where they are not given. */
export function call(
  kernel: KernelName,
  operands: Readonly<Record<string, Operand>>,
  numbers: Constants,
  workgroups: Dispatch['workgroups'],
): Dispatch {
  const shader = shaders[kernel] as Shader;
  const layout = layoutOf(shader, operands);
  const declared = [...shader.constants, ...shader.sizes.map(({ name }) => name)];
  const derived = declared.filter((name) => layout.has(name)).map((name) => [name, layout.get(name)]);
  const bindings = shader.bindings.map(({ name }) => {
    const operand = operands[name];
    return 'standIn' in operand ? operand.standIn : operand;
  });
  return { kernel, constants: { ...Object.fromEntries(derived), ...numbers }, bindings, workgroups };
}

/**
 * The layout of the bound tensors, under the names of the kernels. A binding x has X_STRIDE, from one row to the next, and X_BATCH, from
 * one restart to the next, both in elements of its array. HALF_X says whether it holds 16-bit floats. STRIDE alone is that of the first
 * output.
 */
function layoutOf({ bindings }: Shader, operands: Readonly<Record<string, Operand>>): Map<string, number | boolean> {
  const layout = new Map<string, number | boolean>();
  for (const { name, access, width } of bindings) {
    const operand = operands[name];
    if ('scratch' in operand) continue;
    const absent = 'standIn' in operand;
    const stride = (absent ? 4 : strideOf(operand)) / width;
    const label = name.toUpperCase();
    layout.set(`${label}_STRIDE`, stride);
    layout.set(`${label}_BATCH`, absent ? 0 : restartStep(operand) / width);
    layout.set(`HALF_${label}`, !absent && isHalf(operand));
    if (access === 'read_write' && !layout.has('STRIDE')) layout.set('STRIDE', stride);
  }
  return layout;
}

/** Entries in one restart's copy of a tensor, padding included. */
export function entries(tensor: Tensor): number {
  return tensor.rows * strideOf(tensor);
}

/** vec4 in one restart's copy of a tensor. */
export function vectors(tensor: Tensor): number {
  return entries(tensor) / 4;
}
