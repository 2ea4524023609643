import { Matrix as MlMatrix } from 'ml-matrix';
import type { Matrix } from '../../src/data/matrix.js';
import { type Contender, epsilon, type Problem } from './contender.js';

/** f64 in plain JavaScript, on one core. */
export async function onMlMatrix(problem: Problem): Promise<Contender> {
  const load = ({ data, rows, cols }: Matrix) => MlMatrix.from1DArray(rows, cols, Array.from(data));
  const X = load(problem.X);
  let [A, S] = [load(problem.A), load(problem.S)];
  const update = (factor: MlMatrix, numerator: MlMatrix, denominator: MlMatrix) => factor.mul(numerator.div(denominator.add(epsilon)));
  const step = () => {
    const St = S.transpose();
    update(A, X.mmul(St), A.mmul(S.mmul(St)));
    const At = A.transpose();
    update(S, At.mmul(X), At.mmul(A).mmul(S));
  };
  return {
    async reset() {
      [A, S] = [load(problem.A), load(problem.S)];
    },
    async run(times) {
      for (let i = 0; i < times; i++) step();
    },
    async factors() {
      return { A: A.to1DArray(), S: S.to1DArray() };
    },
    dispose() {},
  };
}
