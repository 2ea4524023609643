/** One multiplicative update of nmf against f64 loops written from the formula alone, without and with weights. */
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { nmfProgram } from '../../src/methods/nmf.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const [N, M, k] = [7, 6, 3];
const epsilon = 1e-10;

test.each([false, true])('A ← A ∘ [(W²∘X)Sᵀ] / [(W²∘(AS))Sᵀ], then S; weights: %s', async (weighted) => {
  const r = random(4);
  const entries = (count: number) => Array.from({ length: count }, () => r.uniform());
  const X = entries(N * M);
  const W = X.map(() => (weighted ? (r.uniform() < 0.3 ? 0 : r.uniform() + 0.5) : 1));
  const A = entries(N * k);
  const S = entries(k * M);

  const t = nmfProgram(N, M, k, { restarts: 1, solver: 'mu', weighted });
  using engine = createReferenceEngine();
  using run = await engine.prepare(t.program);
  run.write(t.X, X);
  if (t.W) run.write(t.W, W);
  run.write(t.A, A);
  run.write(t.S, S);
  run.execute(t.sections.start);
  run.execute(t.sections.step);

  const product = (i: number, j: number) => Array.from({ length: k }, (_, q) => A[i * k + q] * S[q * M + j]).reduce((sum, x) => sum + x, 0);
  const updatedA = A.map((a, at) => {
    const [i, q] = [Math.floor(at / k), at % k];
    let above = 0;
    let below = 0;
    for (let j = 0; j < M; j++) {
      const w2 = W[i * M + j] ** 2;
      above += w2 * X[i * M + j] * S[q * M + j];
      below += w2 * product(i, j) * S[q * M + j];
    }
    return (a * above) / (below + epsilon);
  });
  A.splice(0, A.length, ...updatedA);
  const updatedS = S.map((s, at) => {
    const [q, j] = [Math.floor(at / M), at % M];
    let above = 0;
    let below = 0;
    for (let i = 0; i < N; i++) {
      const w2 = W[i * M + j] ** 2;
      above += w2 * X[i * M + j] * A[i * k + q];
      below += w2 * product(i, j) * A[i * k + q];
    }
    return (s * above) / (below + epsilon);
  });

  const close = (actual: ArrayLike<number>, expected: number[]) =>
    expected.forEach((value, i) => {
      expect(Math.abs(actual[i] - value)).toBeLessThan(1e-12 * (1 + value));
    });
  close(await run.read(t.A), updatedA);
  close(await run.read(t.S), updatedS);
});
