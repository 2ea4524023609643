/** What a method is, in one place; methods.ts lists them all. */
import type { Matrix } from '../data/matrix.js';
import type { DataMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import type { Program } from '../graph/program.js';
import type { FitOptions, Model } from './factorization.js';
import type { OptionRecord } from './options.js';

/** What a program must know of the data and of the fit before there is any. */
export interface ProgramShape {
  rows: number;
  cols: number;
  ranks: readonly number[];
  restarts: number;
  /** X is sparse, with so many stored entries. */
  csrEntries?: number;
  /** X has weights. */
  weighted: boolean;
  /** There are labels, of so many classes. */
  classes?: number;
}

/** For the methods whose coefficients of new samples are found by a descent. */
export interface TransformOptions {
  /** Most iterations; default 2000. */
  maxIterations?: number;
  /** Where it stops: relative fall of the objective per iteration; default 1e-7. */
  tolerance?: number;
}

export interface MethodDefinition {
  /** As the command line and model.json spell it. */
  readonly name: string;
  /** The line of the help. */
  readonly summary: string;
  /** Factors of one layer, or of one and more. */
  readonly layers: 'one' | 'many';
  /** What may have negative entries. */
  readonly signed: { readonly X: boolean; readonly A: boolean };
  /** Each Aˡ takes the rows of the Sˡ⁻¹ before: A⁰A¹…Aˡ can be multiplied, whatever stands between the factors. */
  readonly chained: boolean;
  /** Beside `FitOptions`. */
  readonly options: OptionRecord;
  /** Names that options had before, and what to write now. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Throws InputError for options that fit neither each other nor the ranks; `nameOf` words their names, as flags on the command line. */
  readonly checkBeside?: (options: Readonly<Record<string, unknown>>, ranks: readonly number[], nameOf: (name: string) => string) => void;
  // Methods and not properties: their parameters are those of each method.
  fit(engine: Engine, X: DataMatrix, options: FitOptions): Promise<Model>;
  transform(engine: Engine, model: Model, newX: DataMatrix, options?: TransformOptions): Promise<Matrix[]>;
  /** What `fit` runs with these options, made without data. */
  program(shape: ProgramShape, options: object): Program;
}
