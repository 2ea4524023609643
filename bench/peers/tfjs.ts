import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Matrix } from '../../src/data/matrix.js';
import { type Contender, epsilon, type Problem, smallerFactor } from './contender.js';

/** TensorFlow.js has no compiler for a whole step: every operation is dispatched by itself. Transposes are flags of its products. */
export async function onTfjs(problem: Problem): Promise<Contender> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('@tensorflow/tfjs-backend-webgpu found no adapter.');
  await tf.ready();
  const onDevice = ({ data, rows, cols }: Matrix) => tf.tensor2d(Float32Array.from(data), [rows, cols], 'float32');
  const X = onDevice(problem.X);
  const starts = [onDevice(problem.A), onDevice(problem.S)];
  let [A, S] = starts.map((start) => start.clone());
  const update = (factor: tf.Tensor2D, numerator: tf.Tensor2D, denominator: tf.Tensor2D) =>
    tf.mul(factor, tf.div(numerator, tf.add(denominator, epsilon))) as tf.Tensor2D;
  const step = () => {
    const [newA, newS] = tf.tidy(() => {
      const a = update(A, tf.matMul(X, S, false, true), tf.matMul(A, tf.matMul(S, S, false, true)));
      const s = update(S, tf.matMul(a, X, true, false), tf.matMul(tf.matMul(a, a, true, false), S));
      return [a, s];
    });
    replace(newA, newS);
  };
  const replace = (newA: tf.Tensor2D, newS: tf.Tensor2D) => {
    A.dispose();
    S.dispose();
    [A, S] = [newA, newS];
  };
  const done = () => (smallerFactor(problem) === 'A' ? A : S).data();
  return {
    async reset() {
      replace(starts[0].clone(), starts[1].clone());
      await done();
    },
    async run(times) {
      for (let i = 0; i < times; i++) step();
      await done();
    },
    async factors() {
      return { A: await A.data(), S: await S.data() };
    },
    dispose: () => tf.dispose([X, A, S, ...starts]),
  };
}
