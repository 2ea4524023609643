/** The parts of the benchmark that could quietly measure the wrong thing. Nothing here is timed. */
import * as ort from 'onnxruntime-web';
import { expect, test } from 'vitest';
import { gramOf, largestResidual, productOf } from '../../bench/kkt.js';
import { interleave, relativeDifference, type Subject } from '../../bench/measure.js';
import { epsilon, makeProblem } from '../../bench/peers/contender.js';
import { loadFcnnls } from '../../bench/peers/ml-fcnnls.js';
import { onMlMatrix } from '../../bench/peers/ml-matrix.js';
import { multiplicativeModel } from '../../bench/peers/onnx-model.js';
import { kernelCases } from '../../bench/suites/kernel-cases.js';
import { checkedIterations, referenceFactors, shapesFor } from '../../bench/suites/multiplicative.js';
import { leastSquares } from '../../bench/suites/nnls.js';

test('subjects take turns and swap order; whoever has few repeats sits out the warm-up and the rest', async () => {
  const log: string[] = [];
  const subject = (name: string, repeats?: number): Subject => ({
    subject: name,
    case: '',
    units: 2,
    repeats,
    reset: async () => void log.push(`reset ${name}`),
    run: async () => void log.push(name),
  });
  const times = await interleave([subject('a'), subject('b', 2)], { repeats: 3, quick: true, progress() {} });
  expect(times.map((own) => own.length)).toEqual([3, 2]);
  expect(log.filter((line) => !line.startsWith('reset')).join(' ')).toBe('a a b b a a');
  expect(log.slice(0, 2)).toEqual(['reset a', 'a']);
});

test('the multiplicative update is measured over sixteen shapes, and fewer when it has to be quick', () => {
  expect(shapesFor(false)).toHaveLength(16);
  expect(shapesFor(true).length).toBeLessThan(8);
  for (const shape of shapesFor(false)) expect(checkedIterations(shape, false)).toBeGreaterThan(0);
});

test('ml-matrix and the reference take the same step', async () => {
  const problem = makeProblem(9, 7, 3);
  const peer = await onMlMatrix(problem);
  await peer.run(3);
  await peer.reset();
  await peer.run(5);
  const [actual, expected] = [await peer.factors(), await referenceFactors(problem, 5)];
  // The peer adds ε = 1e-10 to denominators of 1 and more, five times for each factor.
  for (const factor of ['A', 'S'] as const) expect(relativeDifference(actual[factor], expected[factor])).toBeLessThan(10 * epsilon);
});

test('the ONNX model is one step of the update', async () => {
  ort.env.wasm.numThreads = 1;
  const problem = makeProblem(9, 7, 3);
  const session = await ort.InferenceSession.create(multiplicativeModel(9, 7, 3, epsilon));
  const tensor = ({ data, rows, cols }: typeof problem.X) => new ort.Tensor('float32', data, [rows, cols]);
  const { nextA, nextS } = await session.run({ X: tensor(problem.X), A: tensor(problem.A), S: tensor(problem.S) });
  const expected = await referenceFactors(problem, 1);
  expect(relativeDifference(nextA.data as Float32Array, expected.A)).toBeLessThan(1e-5);
  expect(relativeDifference(nextS.data as Float32Array, expected.S)).toBeLessThan(1e-5);
  await session.release();
});

test('the KKT residual is nought at the solution, not elsewhere, and not for what is no number', () => {
  const [k, M] = [4, 20];
  const { A, X } = leastSquares(k, M);
  const [G, B] = [gramOf(A.data, A.rows, k), productOf(A.data, X.data, A.rows, M, k)];
  const S = Float64Array.from(loadFcnnls(A, X)().to1DArray());
  expect(largestResidual(G, B, S, k, M)).toBeLessThan(1e-12);
  for (const wrong of [S[0] + 0.1, -0.1]) expect(largestResidual(G, B, S.with(0, wrong), k, M)).toBeGreaterThan(1e-3);
  expect(largestResidual(G, B, S.with(0, Number.NaN), k, M)).toBe(Number.POSITIVE_INFINITY);
});

test('kernel cases have names of their own', () => {
  for (const quick of [true, false]) {
    const names = kernelCases(quick).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  }
});
