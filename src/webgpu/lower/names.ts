/** Numbers that kernels have names for: they stand in parts of the WGSL, and are read from there. */
import type { Attributes, MapFunction } from '../../graph/operations.js';
import { named } from '../shaders.generated.js';
import type { Ending } from '../steps/step.js';

export const epilogues = named['matmul/epilogue'];
export const terms = named['reduce/terms'];
export const entryValues = named['sparse/values'];

/** softplusInverse → SOFTPLUS_INVERSE. */
export type ConstantCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? '' : '_'}${Uppercase<First>}${ConstantCase<Rest>}`
  : '';

export function constantCase<Name extends string>(name: Name): ConstantCase<Name> {
  return name.replace(/[A-Z]/g, '_$&').toUpperCase() as ConstantCase<Name>;
}

const functions: Readonly<Record<ConstantCase<MapFunction>, number>> = named['elementwise/functions'];

/** The number of a function in elementwise/map. */
export function functionNumber(fn: MapFunction): number {
  return functions[constantCase(fn)];
}

/** The number of an epilogue in the kernels. A product that ends in a sweep has none. */
export function epilogueOf({ epilogue, ending }: { epilogue: Attributes<'matmul'>['epilogue']; ending?: Ending }): number {
  return ending === 'update' ? epilogues.UPDATE : epilogues[constantCase(epilogue)];
}
