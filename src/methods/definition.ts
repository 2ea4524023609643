/** The definition of a method. methods.ts lists all definitions. */
import type { Matrix } from '../data/matrix.js';
import type { Absent } from '../data/missing.js';
import type { DataMatrix } from '../data/sparse.js';
import type { Engine } from '../engine.js';
import type { Program } from '../graph/program.js';
import type { FitOptions, Model } from './factorization.js';
import type { OptionRecord } from './options.js';

/** The sizes that a program needs of the data and of the fit. */
export interface ProgramShape {
  rows: number;
  cols: number;
  ranks: readonly number[];
  restarts: number;
  /** Number of stored entries of a sparse X; left out for a dense one. */
  csrEntries?: number;
  /** Whether X has weights. */
  weighted: boolean;
  /** Number of classes of the labels; left out without labels. */
  classes?: number;
}

export interface TransformOptions {
  /**
   * W ≥ 0 of the new samples, N×M', for methods that take weights: 0 marks a missing value, as NaN in newX does, which then has no influence. newX must
   * be dense.
   * Every sample needs a value that is not missing.
   */
  weights?: Matrix;
  /**
   * What the entries that a sparse newX does not store are, for methods that have this option: 'zero', or 'missing', as ratings that nobody
   * gave. Default: as in the fit.
   */
  absent?: Absent;
  /** Most iterations, for the divergences of 'ssnmf', whose coefficients come from a descent. Default 2000. */
  maxIterations?: number;
  /** The relative fall of the objective per iteration at which that descent stops. Default 1e-7. */
  tolerance?: number;
}

/** The names of all of them. */
export const transformOptionNames = Object.keys({ weights: true, absent: true, maxIterations: true, tolerance: true } satisfies Record<
  keyof TransformOptions,
  true
>);

export interface MethodDefinition {
  /** Its name on the command line and in model.json. */
  readonly name: string;
  /** The line of the help. */
  readonly summary: string;
  /** Whether it takes one layer, or one and more. */
  readonly layers: 'one' | 'many';
  /** The default of the option `restarts`; 1 where it is left out. */
  readonly restarts?: number;
  /** Whether X and A may have negative entries. */
  readonly signed: { readonly X: boolean; readonly A: boolean };
  /** Whether each Aˡ has a row for each row of Sˡ⁻¹, so that A⁰A¹…Aˡ can be multiplied whatever stands between the factors. */
  readonly chained: boolean;
  /** Whether its stages can end by the KKT residual; default false. */
  readonly kktStops?: boolean;
  /** Its options beside `FitOptions`. */
  readonly options: OptionRecord;
  /**
   * The settings of a model that `transform` reads, each with its value where a model that was made elsewhere leaves it out; undefined for
   * one that it has to say.
   */
  readonly applied?: Readonly<Record<string, unknown>>;
  /** Earlier names of options, and the text to write now. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Throws InputError for options that fit neither each other nor the ranks. `nameOf` words their names, as flags on the command line. */
  readonly checkBeside?: (options: Readonly<Record<string, unknown>>, ranks: readonly number[], nameOf: (name: string) => string) => void;
  // Methods and not properties: their parameters are those of each method.
  fit(engine: Engine, X: DataMatrix, options: FitOptions): Promise<Model>;
  transform(engine: Engine, model: Model, newX: DataMatrix, options?: TransformOptions): Promise<Matrix[]>;
  /** The program that `fit` runs with these options, made without data. */
  program(shape: ProgramShape, options: object): Program;
}
