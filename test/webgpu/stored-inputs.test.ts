/** Which tensors are stored as what, and that the columns of a fit see nothing of it. */
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { programBuilder } from '../../src/graph/program.js';
import { T } from '../../src/graph/tensor.js';
import { columnNorms } from '../../src/webgpu/layout/column-norms.js';
import { byteLength, deviceForm, unpad } from '../../src/webgpu/layout/layout.js';
import { storeInputs } from '../../src/webgpu/layout/stored-inputs.js';

/** A dense X that is only multiplied and compared, one that is not, inputs that are no data, and a sparse one. */
function program(cols: number) {
  const p = programBuilder('x', { restarts: 2 });
  const [X, Y, other] = [p.data('X', 20, cols), p.data('Y', 20, cols), p.input('other', 20, cols)];
  const sparse = p.data('sparse', 20, cols, { csrEntries: 9 });
  const beside = p.data('beside', 20, 3);
  const [A, S] = [p.state('A', 20, 3), p.state('S', 3, cols)];
  p.section('all', () => {
    p.matmul(T(A), X, { into: S });
    p.residualNorm(X, A, S, { W: other });
    p.hadamard(Y, other);
    for (const tensor of [Y, other, sparse]) p.matmul(T(A), tensor, { into: S });
    p.matmul(T(beside), sparse);
  });
  return { X, program: p.build() };
}

test('data are stored otherwise if they are dense and only multiplied or compared; other inputs never are', () => {
  for (const storage of [
    { half: true, lines: false },
    { half: false, lines: true },
    { half: true, lines: true },
  ]) {
    const { X, program: given } = program(300);
    const { program: own, inputs } = storeInputs(given, storage);
    expect([...inputs.keys()]).toEqual([X]);
    expect(own.tensors).not.toContain(X);
    expect(inputs.get(X)).toMatchObject({ ...(storage.half && { half: true }), ...(storage.lines && { pitch: storage.half ? 64 : 32 }) });
  }
  const { program: given } = program(300);
  expect(storeInputs(given, { half: false, lines: false }).inputs.size).toBe(0);
});

test.each([
  [127, false, 128],
  [128, false, 128],
  [129, false, 160],
  [501, false, 512],
  [255, true, 256],
  [257, true, 320],
])('rows of %d entries, as halves %s, take %d', (cols, half, stride) => {
  const { X, program: given } = program(cols);
  const stored = storeInputs(given, { half, lines: true }).inputs.get(X) ?? X;
  expect(byteLength(stored)).toBe(20 * stride * (half ? 2 : 4));
  const r = random(cols);
  // Halves hold 0 to 2047 exactly.
  const entries = Float32Array.from({ length: 20 * cols }, () => r.integer(2048));
  const form = deviceForm(stored, entries);
  expect(unpad(stored, new Float32Array(form.buffer))).toEqual(entries);
  const norms = columnNorms(stored, form);
  expect(norms.length).toBe(Math.ceil(cols / 4) * 4);
  const last = Array.from({ length: 20 }, (_, i) => entries[i * cols + cols - 1] ** 2).reduce((sum, x) => sum + x);
  expect(norms[cols - 1]).toBe(Math.fround(last));
});

test('entries lie in rows that are padded with zeros, from a plain list as from a typed one', () => {
  const p = programBuilder('x', { restarts: 2 });
  const A = p.state('A', 2, 5);
  const rows = [1, 2, 3, 4, 5, 0, 0, 0, 6, 7, 8, 9, 10, 0, 0, 0];
  const entries = rows.filter((x) => x > 0);
  for (const given of [entries, Float32Array.from(entries)]) expect(Array.from(deviceForm(A, given))).toEqual([...rows, ...rows]);
});
