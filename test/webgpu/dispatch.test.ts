import { expect, test } from 'vitest';
import type { Tensor } from '../../src/graph/tensor.js';
import { call, standIn } from '../../src/webgpu/lower/dispatch.js';

function tensor(rows: number, cols: number, batch: number): Tensor {
  return { id: 0, name: 't', role: 'state', form: 'dense', rows, cols, batch, entries: rows * cols };
}

const constantsOf = (...given: Parameters<typeof call>) => call(...given).constants;

test('strides and steps follow from the tensors, in elements of each binding: vec4 here, single entries there', () => {
  const [A, Q, control, out] = [tensor(5, 6, 3), tensor(6, 6, 1), tensor(1, 8, 3), tensor(5, 6, 3)];
  // Rows of 6 entries are padded to 8, which are 2 vec4; 5 of them are 40 entries, or 10 vec4.
  expect(constantsOf('update/projected-step', { A, D: A, Q, control, M: tensor(5, 5, 3), out }, {}, [1, 1, 1])).toEqual({
    STRIDE: 2,
    Q_STRIDE: 8,
    M_STRIDE: 8,
    A_BATCH: 10,
    D_BATCH: 10,
    Q_BATCH: 0,
    M_BATCH: 40,
    CONTROL_BATCH: 8,
    OUT_BATCH: 10,
  });
});

test('STRIDE alone is that of the first output, not of an input', () => {
  const constants = constantsOf('elementwise/row-products', { A: tensor(4, 3, 1), out: tensor(4, 9, 1) }, {}, [1, 1, 1]);
  expect(constants).toEqual({ A_STRIDE: 4, STRIDE: 12, A_BATCH: 0, OUT_BATCH: 0 });
});

test('a stand-in is bound, and nothing is read of it from restart to restart; of a view the step is that of the whole', () => {
  const whole = tensor(64, 4, 2);
  const view = { ...tensor(16, 4, 2), viewOf: whole, fromRow: 16 };
  const dispatch = call('elementwise/combine', { X: view, Y: standIn(view), out: tensor(16, 4, 2) }, { SCALE: 3 }, [1, 1, 1]);
  expect(dispatch.bindings[1]).toBe(view);
  expect(dispatch.constants).toEqual({ X_BATCH: 64, Y_BATCH: 0, OUT_BATCH: 16, SCALE: 3 });
});

test('16-bit operands are known by their tensor; numbers that are given win, as they must for scratch memory', () => {
  const half = { ...tensor(4, 4, 1), half: true as const };
  const bound = { A: half, B: tensor(4, 4, 1), E: standIn(half), W: standIn(half), C: { scratch: 0, bytes: 64 } };
  const constants = constantsOf('matmul/register', bound, { C_STRIDE: 1, C_BATCH: 7 }, [1, 1, 1]);
  expect(constants).toMatchObject({ HALF_A: true, HALF_B: false, HALF_E: false, C_STRIDE: 1, C_BATCH: 7 });
});
