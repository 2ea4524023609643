/** Given starts: factors checked against the tensors that they start, in the unit of the fit, and completed where a part is left out. */
import { checkFinite, checkNonnegative, describe } from '../data/check.js';
import { type Matrix, matrix, transpose } from '../data/matrix.js';
import { type DataMatrix, isSparse, sparseTranspose } from '../data/sparse.js';
import { matrixTimesPowerOfTwo } from '../data/unit.js';
import type { Engine } from '../engine.js';
import { InputError, ShapeError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import type { StartEntries } from './nndsvd.js';
import type { StartPart } from './options.js';
import type { Problem } from './problem.js';
import { nnls, nnlsChain } from './q.js';
import type { Carrier } from './result.js';
import { isGiven, nameOf, partsOf, refusal } from './start.js';

/** What a method begins with, and how it takes it. */
export interface Wanted {
  /** The tensors that start from these factors. */
  A: readonly Tensor[];
  /** Left out where S follows from A. Then it is not looked at. */
  S?: readonly Tensor[];
  /** Classifiers, and the names of their classes. */
  B?: readonly Tensor[];
  classes?: readonly string[];
  /** The factors that take the unit of X: see Carrier. Default 'S'. */
  carrier?: Carrier;
  /** Whether A, and S of all layers but the last, may have negative entries. */
  signed?: boolean;
  /** Whether A cannot be made from S. */
  needsA?: boolean;
}

/** Factors in the unit of the fit. */
export interface Given {
  A?: Matrix[];
  S?: Matrix[];
  B?: Matrix[];
}

/**
 * The factors of a given start in the unit of the fit; undefined for a start in words.
 *
 * @throws ShapeError for a factor of another shape than the one that it starts; InputError for entries that it cannot have, a column of A
 * that is all zero, classifiers of other classes, and factors that f32 has no products of.
 */
export function givenFactors(start: unknown, { X, unit }: Problem, wanted: Wanted): Given | undefined {
  if (!isGiven(start)) return undefined;
  const parts = partsOf(start);
  const { carrier = 'S', signed = false, needsA = false } = wanted;
  if (needsA && parts.A === undefined) throw refusal(' has no A, from which this method begins; give it');
  const given: Given = {};
  for (const name of ['A', 'S', 'B'] as const) {
    const [list, tensors] = [parts[name], wanted[name]];
    if (!list || !tensors) continue;
    checkShapes(name, list, tensors, X, 'method' in start);
    given[name] = list.map((factor, l) => {
      const called = nameOf(name, l, list.length);
      const anySign = name === 'B' || (signed && (name === 'A' || l < list.length - 1));
      if (anySign) checkFinite(factor, called, 'start');
      else checkNonnegative(factor, called, 'start');
      if (name === 'A') checkColumns(factor, called);
      const carries = name === 'S' ? carrier === 'S' : name === 'A' && (carrier === 'A' || (carrier === 'A0' && l === 0));
      // What reads S has the inverse of its unit.
      const exponent = carries ? -unit : name === 'B' && carrier === 'S' ? unit : 0;
      return inRange(matrixTimesPowerOfTwo({ ...factor, data: factor.data.slice() }, exponent), called);
    });
  }
  if (given.B && parts.classes && wanted.classes) checkClasses(parts.classes, wanted.classes);
  return given;
}

function checkShapes(name: StartPart, list: readonly Matrix[], tensors: readonly Tensor[], X: DataMatrix, isModel: boolean): void {
  if (list.length !== tensors.length)
    throw new ShapeError(
      `start.${name} has ${list.length} ${list.length === 1 ? 'matrix' : 'matrices'}, but this fit needs ${tensors.length}; give one for each layer.`,
      { option: 'start' },
    );
  list.forEach(({ rows, cols }, l) => {
    const wanted = tensors[l];
    if (rows === wanted.rows && cols === wanted.cols) return;
    const turned = rows === wanted.cols && cols === wanted.rows ? ' It looks transposed: columns of X are samples.' : '';
    const others = name === 'S' && isModel && rows === wanted.rows ? ' For other samples give { A } of the model alone.' : '';
    throw new ShapeError(
      `${nameOf(name, l, list.length)} is ${rows}×${cols}, but beside X, ${X.rows}×${X.cols}, and the ranks of this fit it must be ${wanted.rows}×${wanted.cols}.${turned}${others}`,
      { option: 'start' },
    );
  });
}

function checkColumns({ rows, cols, data }: Matrix, called: string): void {
  const used = new Uint8Array(cols);
  for (let at = 0; at < rows * cols; at++) if (data[at] !== 0) used[at % cols] = 1;
  const column = used.indexOf(0);
  if (column < 0) return;
  throw new InputError(
    `${called} is zero in all of column ${column} (counted from 0), from which that component cannot begin; give it an entry, or take a smaller rank.`,
    { option: 'start' },
  );
}

/** Beyond these powers of two, Gram matrices and their products leave f32. */
const mostExponent = 40;

/** Throws InputError for a factor whose size f32 has no products of. */
export function inRange(factor: Matrix, called: string, option = 'start'): Matrix {
  const most = factor.data.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  if (most === 0 || (most < 2 ** mostExponent && most > 2 ** -mostExponent)) return factor;
  throw new InputError(
    `${called} has its largest entry at ${most.toExponential(0)} beside X, whose entries count as 1; share the scale between A and S otherwise.`,
    { option },
  );
}

function checkClasses(of: readonly string[], wanted: readonly string[]): void {
  if (of.length === wanted.length && of.every((name, c) => name === wanted[c])) return;
  throw new InputError(
    `The classes of the start are ${describe(of)}, but those of the labels ${describe(wanted)}; give the same, or { A, S } of the model alone.`,
    { option: 'start' },
  );
}

/** What an entry that would be 0 starts from, relative to the mean: an update that multiplies could not leave 0. */
const small = 0.01;

/** The same, with no entry below a hundredth of the mean. */
export function lifted({ rows, cols, data }: Matrix): Matrix {
  const least = (small * data.reduce((sum, x) => sum + x, 0)) / data.length;
  return matrix(
    rows,
    cols,
    data.map((x) => Math.max(x, least)),
  );
}

/**
 * A and S of every layer. What is missing is exact least squares: S⁰ = q(X, A⁰), Sˡ = q(Sˡ⁻¹, Aˡ), or the same of their transposes for A.
 * `lift` says of which layers no entry of it may be 0.
 */
export async function completed(
  engine: Engine,
  { X, W, missing }: Problem,
  { A, S }: Given,
  lift: (layer: number) => boolean = () => true,
): Promise<{ A: Matrix[]; S: Matrix[] }> {
  if (A && S) return { A, S };
  const liftedWhere = (factor: Matrix, l: number) => (lift(l) ? lifted(factor) : factor);
  if (A) return { A, S: (await nnlsChain(engine, X, A, { weights: W, ...(missing && { absent: 'missing' }) })).map(liftedWhere) };
  const found: Matrix[] = [];
  for (const [l, own] of S!.entries()) {
    const turned = l > 0 ? transpose(S![l - 1]) : isSparse(X) ? sparseTranspose(X) : transpose(X);
    const sight = l > 0 ? {} : { ...(W && { weights: transpose(W) }), ...(missing && { absent: 'missing' as const }) };
    found.push(liftedWhere(transpose((await nnls(engine, turned, transpose(own), sight)).S), l));
  }
  return { A: found, S: S! };
}

/** The entries of each layer. */
export function layerEntries({ A, S }: { A: readonly Matrix[]; S: readonly Matrix[] }): StartEntries[] {
  return A.map(({ data }, l) => ({ A: data, S: S[l].data }));
}
