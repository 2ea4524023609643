import { type Device, init, jit, numpy as np } from '@jax-js/jax';
import type { Matrix } from '../../src/data/matrix.js';
import { type Contender, epsilon, type Factors, type Problem, smallerFactor } from './contender.js';

/** One compiled function for all: jax-js keeps a compilation a shape, so that only the first fit of a shape compiles. */
const step = jit((X: np.Array, A: np.Array, S: np.Array) => {
  const St = np.transpose(S.ref);
  const newA = update(A.ref, np.matmul(X.ref, St.ref), np.matmul(A, np.matmul(S.ref, St)));
  const At = np.transpose(newA.ref);
  const newS = update(S.ref, np.matmul(At.ref, X), np.matmul(np.matmul(At, newA.ref), S));
  return [newA, newS];
});

function update(factor: np.Array, numerator: np.Array, denominator: np.Array): np.Array {
  return factor.mul(numerator.div(denominator.add(epsilon)));
}

const squaredError = jit((X: np.Array, A: np.Array, S: np.Array) => {
  const off = X.sub(np.matmul(A, S));
  return np.sum(off.ref.mul(off));
});

interface JaxContender extends Contender {
  /** Iterates and tells ‖X − AS‖². */
  iterate(iterations: number): Promise<number>;
}

/** `ref` adds a use: jax-js functions consume the arrays that they are given. */
export async function onJax(problem: Problem, device: Device): Promise<JaxContender> {
  if (!(await init(device)).includes(device)) throw new Error(`@jax-js/jax has no device ${device} in this browser.`);
  const onDevice = ({ data, rows, cols }: Matrix) => np.array(data, { shape: [rows, cols], dtype: np.float32, device });
  const X = onDevice(problem.X);
  const starts = [onDevice(problem.A), onDevice(problem.S)];
  let [A, S] = starts.map((start) => start.ref);
  const done = () => (smallerFactor(problem) === 'A' ? A : S).ref.data();
  return {
    async reset() {
      A.dispose();
      S.dispose();
      [A, S] = starts.map((start) => start.ref);
      await done();
    },
    async run(times) {
      for (let i = 0; i < times; i++) [A, S] = step(X.ref, A, S);
      await done();
    },
    async iterate(times) {
      for (let i = 0; i < times; i++) [A, S] = step(X.ref, A, S);
      return (await squaredError(X.ref, A.ref, S.ref).data())[0];
    },
    async factors() {
      const [ofA, ofS] = await Promise.all([A.ref.data(), S.ref.data()]);
      return { A: ofA as Float32Array, S: ofS as Float32Array };
    },
    dispose() {
      for (const array of [X, A, S, ...starts]) array.dispose();
    },
  };
}

/** A fit from the host's data to the host's factors: the error is looked at after every ten iterations. */
export async function fitJax(problem: Problem, target: number): Promise<{ factors: Factors; iterations: number }> {
  const { X } = problem;
  const norm = X.data.reduce((sum, x) => sum + x * x, 0);
  const contender = await onJax(problem, 'webgpu');
  try {
    for (let iterations = 10; ; iterations += 10) {
      const squared = await contender.iterate(10);
      if (Math.sqrt(squared / norm) <= target || iterations >= 500) return { factors: await contender.factors(), iterations };
    }
  } finally {
    contender.dispose();
  }
}
