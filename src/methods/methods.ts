/** All methods. A method that is added here is in the library, on the command line, in the tables of the docs and in the tests. */
import { deepMethod } from './deep.js';
import { deepSemiMethod } from './deep-semi.js';
import type { MethodDefinition } from './definition.js';
import { hierarchicalMethod } from './hierarchical.js';
import { neuralMethod } from './neural.js';
import { nmfMethod } from './nmf.js';
import { sparseCodingMethod } from './sparse-coding.js';
import { ssnmfMethod } from './ssnmf.js';
import { unfoldedMethod } from './unfolded.js';

export const methods = {
  nmf: nmfMethod,
  ssnmf: ssnmfMethod,
  hierarchical: hierarchicalMethod,
  deep: deepMethod,
  'deep-semi': deepSemiMethod,
  unfolded: unfoldedMethod,
  'sparse-coding': sparseCodingMethod,
  neural: neuralMethod,
} as const satisfies Record<string, MethodDefinition>;

export type Method = keyof typeof methods;

/** A fitted model of any method. `method` tells its method, and so the type of `settings`. */
export type Factorization = { [M in Method]: Awaited<ReturnType<(typeof methods)[M]['fit']>> }[Method];

/** The definition of a method, as code that serves all of them sees it. */
export function methodOf(name: Method): MethodDefinition {
  return methods[name];
}

/** The names of the methods that take this option. */
export function methodsWith(option: string): Method[] {
  return (Object.keys(methods) as Method[]).filter((name) => option in methods[name].options);
}
