/**
 * The vocabulary: every operation that a method may ask of an executor. Each is one definition, in the file of its family. Files of the
 * same names have its meaning (src/reference: one loop nest in f64) and its lowering (src/webgpu/lower). An operation of a program is plain
 * data.
 */
import { type Definition, type Input, type Operands, type Output, type Writer, whole } from './operations/definition.js';
import { elementwise } from './operations/elementwise.js';
import { multilinear } from './operations/multilinear.js';
import { nnls } from './operations/nnls.js';
import { products } from './operations/products.js';
import { reduce } from './operations/reduce.js';
import { update } from './operations/update.js';
import type { Tensor } from './tensor.js';

export { type MapFunction, mapFunctions } from './operations/elementwise.js';
export { control, type Sweep } from './operations/update.js';

export const operations = { ...elementwise, ...multilinear, ...products, ...nnls, ...reduce, ...update };

export type OperationKind = keyof typeof operations;

export type Attributes<K extends OperationKind> = Readonly<
  Parameters<(typeof operations)[K]['write']>[0] extends Writer<infer A> ? A : never
>;

export type OperationOf<K extends OperationKind> = {
  readonly kind: K;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes<K>;
};

export type Operation = { [K in OperationKind]: OperationOf<K> }[OperationKind];

/** The definition of an operation whose kind only the program knows. */
export function definitionOf(kind: OperationKind): Definition<object, unknown[], unknown> {
  return operations[kind] as unknown as Definition<object, unknown[], unknown>;
}

/** The rule of input number `at`, from the definition. */
export function inputRule({ kind, attributes }: Operation, at: number): Input {
  return ruleAt(definitionOf(kind).inputs, at, attributes);
}

export function outputRule({ kind, attributes }: Operation, at: number): Output {
  return ruleAt(definitionOf(kind).outputs, at, attributes);
}

function ruleAt<Rule extends object>(operands: Operands<Rule, object>, at: number, attributes: object): Rule | typeof whole {
  const rule = Object.values(operands)[at] ?? whole;
  return typeof rule === 'function' ? rule(attributes) : rule;
}

/** The outputs that are read before they are written. */
export function readOutputs(operation: Operation): Tensor[] {
  return operation.outputs.filter((_, at) => outputRule(operation, at).inPlace);
}
