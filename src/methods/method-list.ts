/** The methods as plain data, for forms that are made from them, and a fit of any of them by its name. */
import { describe } from '../data/check.js';
import type { DataMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import { InputError } from '../errors.js';
import type { FitOptions } from './factorization.js';
import { type Factorization, type Method, methodOf, methods } from './methods.js';
import type { Option } from './options.js';

/** An option of a method: its kind tells its values. docs/options.md is made from the same list. */
export interface OptionInfo extends Omit<Option, 'check' | 'type'> {
  readonly name: string;
}

export interface MethodInfo {
  /** Its name on the command line and in model.json. */
  readonly name: Method;
  readonly summary: string;
  /** Whether it takes one layer, or one and more. */
  readonly layers: 'one' | 'many';
  /** The default of the option `restarts`. */
  readonly restarts: number;
  /** Whether X and A may have negative entries. */
  readonly signed: { readonly X: boolean; readonly A: boolean };
  /** Whether A⁰A¹…Aˡ can be multiplied, whatever stands between the factors. */
  readonly chained: boolean;
  /** Whether `stopping` may be 'kkt'. */
  readonly kktStops: boolean;
  /** The options beside those of every fit. */
  readonly options: readonly OptionInfo[];
}

/** All methods. It is plain data, so it can be posted from a worker to its page. */
export function methodList(): MethodInfo[] {
  return (Object.keys(methods) as Method[]).map((method) => {
    const { name, summary, layers, restarts = 1, signed, chained, kktStops = false, options } = methodOf(method);
    return {
      name: name as Method,
      summary,
      layers,
      restarts,
      signed,
      chained,
      kktStops,
      options: Object.entries(options).map(([option, { check, type, ...info }]) => ({ name: option, ...info })),
    };
  });
}

/** A fit of any method by its name; the functions of the methods have types for their options. Throws InputError for another name. */
export function factorize(
  engine: Engine,
  X: DataMatrix,
  method: Method,
  options: FitOptions & Readonly<Record<string, unknown>>,
): Promise<Factorization> {
  if (!Object.hasOwn(methods, method))
    throw new InputError(`There is no method ${describe(method)}; there are ${Object.keys(methods).join(', ')}.`, { option: 'method' });
  return methodOf(method).fit(engine, X, options) as Promise<Factorization>;
}
