/** Order and scale of components: what must not change, what they explain, and the diagonal form. */
import { expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { type Matrix, product } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { deepNmf } from '../../src/methods/deep.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { explainedVariance } from '../../src/methods/scores.js';
import { transform } from '../../src/models/apply.js';
import { arranged, componentsOf, diagonalForm } from '../../src/models/arranged.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const engine = createReferenceEngine();
const X = randomLowRank(17, 14, 5, { seed: 3, noise: 0.3 });
const labels = Array.from({ length: 14 }, (_, c) => (c % 5 === 4 ? '' : 'ab'[c % 2]));
const flat = await nmf(engine, X, { ranks: 4, maxIterations: 3000, tolerance: 1e-12 });
const deep = await hierarchicalNmf(engine, X, { ranks: [5, 3, 2], labels, labelLayers: [0, 2], maxIterations: 60, normalize: false });

/** A⁰…AˡSˡ of every layer, in f64. */
function reconstructions({ A, S }: Pick<Factorization, 'A' | 'S'>): Float64Array[] {
  return S.map((last, l) => {
    let inner: { rows: number; cols: number; data: ArrayLike<number> } = last;
    for (let t = l; t >= 0; t--) inner = { rows: A[t].rows, cols: inner.cols, data: product(A[t], inner) };
    return inner.data as Float64Array;
  });
}

const columnsOf = ({ rows, cols, data }: Matrix) =>
  Array.from({ length: cols }, (_, j) => Array.from({ length: rows }, (_, i) => data[i * cols + j]));
const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0);

test.each([
  ['nmf', flat],
  ['hierarchical', deep],
] as const)('%s: no order and no scale changes a layer or a class', (_, model) => {
  const [before, classes] = [reconstructions(model), model.supervision?.classifiers];
  const copy = structuredClone(model);
  for (const order of ['none', 'explained', 'mass'] as const) {
    for (const scale of ['none', 'l1', 'l2', 'max'] as const) {
      const after = arranged(model as Factorization, { order, scale });
      reconstructions(after).forEach((layer, l) => {
        const most = Math.max(...before[l]);
        // Entries of up to three factors and a scale, each rounded to f32 once.
        layer.forEach((x, at) => {
          expect(Math.abs(x - before[l][at])).toBeLessThan(8 * 2 ** -24 * most);
        });
      });
      classes?.forEach(({ B, layer }, c) => {
        const [scores, found] = [product(B, model.S[layer]), after.supervision!.classifiers[c]];
        product(found.B, after.S[layer]).forEach((x, at) => {
          expect(Math.abs(x - scores[at])).toBeLessThan(1e-5 * (1 + Math.abs(scores[at])));
        });
      });
      for (const A of after.A) {
        for (const column of columnsOf(A).filter((one) => sum(one) > 0)) {
          const sizes = { none: 1, l1: sum(column), l2: Math.hypot(...column), max: Math.max(...column) };
          expect(sizes[scale]).toBeCloseTo(1, 5);
        }
      }
      for (const components of componentsOf(after)) {
        const values = components.map((component) => (order === 'none' ? 0 : component[order]));
        expect(values).toEqual([...values].sort((a, b) => b - a));
      }
    }
  }
  expect(model).toEqual(copy);
});

test('what components explain adds up, and of a fit that has converged it is ⟨ψs, X⟩ ÷ ‖X‖²', () => {
  const [components] = componentsOf(flat);
  const squares = sum(Array.from(X.data, (x) => x * x));
  expect(sum(components.map(({ explained }) => explained))).toBeCloseTo(explainedVariance(X, flat), 6);
  expect(sum(components.map(({ mass }) => mass))).toBeCloseTo(1, 12);
  components.forEach(({ explained, mass }, j) => {
    const part = X.data.map((_, at) => flat.A[0].data[Math.floor(at / 14) * 4 + j] * flat.S[0].data[j * 14 + (at % 14)]);
    expect(explained).toBeCloseTo(sum(Array.from(part, (x, at) => x * X.data[at])) / squares, 3);
    expect(mass).toBeCloseTo(sum([...part]) / sum([...reconstructions(flat)[0]]), 6);
  });
  componentsOf(deep).forEach((layer, l) => {
    expect(sum(layer.map(({ explained }) => explained))).toBeCloseTo(1 - deep.layers[l].relativeError ** 2, 6);
  });
});

test('A diag(d) S is the model, with columns of A and rows of S that sum to 1', () => {
  for (const scale of ['l1', 'l2', 'max'] as const) {
    const { A, d, S, components } = diagonalForm(deep as Factorization, { scale, layer: 1 });
    const D = { ...S, data: S.data.map((s, at) => s * d[Math.floor(at / S.cols)]) };
    const wanted = reconstructions(deep)[1];
    product(A, D).forEach((x, at) => {
      expect(Math.abs(x - wanted[at])).toBeLessThan(1e-5 * Math.max(...wanted));
    });
    expect(Array.from(d)).toEqual([...d].sort((a, b) => b - a));
    expect(components).toHaveLength(3);
    if (scale !== 'l1') continue;
    for (const column of columnsOf(A)) expect(sum(column)).toBeCloseTo(1, 5);
    for (let j = 0; j < 3; j++) expect(sum([...S.data.subarray(14 * j, 14 * j + 14)])).toBeCloseTo(1, 5);
  }
});

test('an order is the same model to transform', async () => {
  const model = arranged(flat, { order: 'mass', scale: 'l1' });
  const [S] = await transform(engine, model, X);
  const [before] = await transform(engine, flat, X);
  const wanted = arranged({ ...flat, S: [before] }, { scale: 'l1' });
  const at = componentsOf(flat)[0]
    .map(({ mass }, j) => ({ mass, j }))
    .sort((a, b) => b.mass - a.mass);
  at.forEach(({ j }, to) => {
    for (let m = 0; m < 14; m++) expect(S.data[to * 14 + m]).toBeCloseTo(wanted.S[0].data[j * 14 + m], 3);
  });
});

test('what has no components or no scale is refused', async () => {
  const unlike = await deepNmf(engine, X, { ranks: [4, 2], maxIterations: 3 });
  expect(() => arranged(unlike, { order: 'mass' })).toThrow("The option 'order' is 'mass', but the layers of deep are no product");
  expect(() => componentsOf(unlike)).toThrow(InputError);
  const penalised = await neuralNmf(engine, X, { ranks: [4, 2], l1: 0.1, maxIterations: 3 });
  expect(() => arranged(penalised, { scale: 'l1' })).toThrow("The option 'scale' is 'l1', but with l1 the size of S counts");
  expect(() => arranged(flat, { order: 'size' as 'mass' })).toThrow('order must be none, explained or mass, not "size"');
  expect(() => arranged(flat, { sort: 1 } as object)).toThrow("arranged has no option 'sort'");
  expect(() => diagonalForm(flat, { layer: 1 })).toThrow('layer is 1, but the model has layers 0 to 0');
});
