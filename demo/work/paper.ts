/** The published experiment, in the worker. */
import { type Matrix, matrix, type NeuralFactorization, type NeuralOptions, neuralNmf } from 'orthant';
import { type Check, type Factors, type FitEvent, runFit } from './fits.js';

/** A⁰…AˡSˡ with its relative error. */
export interface Level {
  relativeError: number;
  reconstruction: Matrix;
}

export interface PaperFit {
  X: Matrix;
  options: NeuralOptions;
}

export async function fitPaper(
  { X, options }: PaperFit,
  id: number,
  hear: (event: FitEvent) => void,
  draw: (levels: Level[], check: Check) => void,
): Promise<{ levels: Level[]; model: NeuralFactorization }> {
  const model = await runFit((engine, hooks) => neuralNmf(engine, X, { ...options, ...hooks, svdBound: false }), {
    id,
    hear,
    draw: (factors, check) => draw(levelsOf(X, factors), check),
  });
  return { levels: levelsOf(X, model), model };
}

export function levelsOf(X: Matrix, { A, S }: Factors): Level[] {
  let features = A[0];
  return S.map((coefficients, l) => {
    if (l > 0) features = product(features, A[l]);
    const reconstruction = product(features, coefficients);
    return { reconstruction, relativeError: relativeError(X, reconstruction) };
  });
}

function product(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.cols);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.cols; k++) {
      const factor = a.data[i * a.cols + k];
      for (let j = 0; j < b.cols; j++) out.data[i * b.cols + j] += factor * b.data[k * b.cols + j];
    }
  return out;
}

function relativeError(X: Matrix, reconstruction: Matrix): number {
  let [error, norm] = [0, 0];
  for (let i = 0; i < X.data.length; i++) {
    error += (X.data[i] - reconstruction.data[i]) ** 2;
    norm += X.data[i] ** 2;
  }
  return Math.sqrt(error / norm);
}
