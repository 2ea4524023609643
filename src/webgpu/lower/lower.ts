/**
 * Lowering: one operation of a program → the dispatches that run it. Pure: plain data in, plain data out, so that what would be
 * recorded can be printed and tested without a GPU.
 */
import { mapFunctions } from '../../graph/operations.js';
import { restartStep, strideOf } from '../layout/layout.js';
import { firstColOf, firstRowOf } from '../panels/panels.js';
import { type AdapterFacts, type Forced, planCapacity, planRegisters } from '../plan/planner.js';
import type { FusedOperation } from '../steps/step.js';
import { type Constants, type Dispatch, type KernelName, perItem, vectors } from './dispatch.js';
import { keep } from './lower-keep.js';
import { foldLevels, product, residual } from './lower-products.js';
import { kktResidual, maskedSolve, solve } from './lower-solves.js';
import { sparseProduct, sparseResidual } from './lower-sparse.js';

export function lower(operation: FusedOperation, facts: AdapterFacts, forced: Forced = {}): Dispatch[] {
  const { inputs, outputs } = operation;
  const out = outputs[0];

  const each = (kernel: KernelName, items: number, bindings: Dispatch['bindings'], constants: Constants) =>
    perItem(kernel, items, out.batch, bindings, constants, facts);

  switch (operation.kind) {
    case 'fusedProduct':
    case 'matmul': {
      const [A, B, E] = inputs;
      if (A.form === 'csr' || B.form === 'csr') return sparseProduct(operation, facts);
      const inner = operation.attributes.transposeA ? A.rows : A.cols;
      return product({ A, B, E, C: out, inner, ...operation.attributes }, facts, forced);
    }
    case 'gram': {
      const [A] = inputs;
      const ofColumns = operation.attributes.of === 'columns';
      const inner = ofColumns ? A.rows : A.cols;
      return product(
        { A, B: A, C: out, transposeA: ofColumns, transposeB: !ofColumns, inner, scale: 1, addScale: 1, epilogue: 'none' },
        facts,
        forced,
      );
    }
    case 'nnls':
      return solve(operation, facts, forced);
    case 'maskedSolve':
      return maskedSolve(operation, facts, forced);
    case 'kktResidual':
      return [kktResidual(operation, facts)];
    case 'residualNorm':
      return inputs[0].form === 'csr' ? sparseResidual(operation, facts) : residual(inputs, out, facts, forced);
    case 'multiplicativeUpdate': {
      const [numerator, denominator] = inputs;
      const constants = {
        F_BATCH: restartStep(out) / 4,
        NUMERATOR_BATCH: restartStep(numerator) / 4,
        DENOMINATOR_BATCH: restartStep(denominator) / 4,
        POWER: operation.attributes.power,
      };
      return [each('update/multiplicative', vectors(out), [numerator, denominator, out], constants)];
    }
    case 'halsUpdate': {
      const [G, B] = inputs;
      const { of, perColumn, layer } = operation.attributes;
      const [k, items] = of === 'rows' ? [out.cols, out.rows] : [out.rows, out.cols];
      const constants = {
        K: k,
        OF_ROWS: of === 'rows',
        PER_COLUMN: perColumn,
        STRIDE: strideOf(out),
        G_STRIDE: strideOf(G),
        G_BATCH: restartStep(G),
        B_BATCH: restartStep(B),
        F_BATCH: restartStep(out),
        LAYER: layer,
        FIRST: of === 'rows' ? firstRowOf(out) : firstColOf(out),
      };
      if (planRegisters('sweep', k, items, facts, forced)) return [each('update/hals-registers', items, [G, B, out], constants)];
      return [each('update/hals', items, [G, B, out], { ...constants, CAPACITY: planCapacity(k) })];
    }
    case 'projectedStep': {
      const [A, D, Q, control, M] = inputs;
      const constants = {
        COLS: out.cols,
        STRIDE: strideOf(out) / 4,
        Q_STRIDE: strideOf(Q),
        M_STRIDE: M ? strideOf(M) : 4,
        A_BATCH: restartStep(A) / 4,
        D_BATCH: restartStep(D) / 4,
        Q_BATCH: restartStep(Q),
        M_BATCH: M ? restartStep(M) : 0,
        CONTROL_BATCH: restartStep(control),
        OUT_BATCH: restartStep(out) / 4,
        ROW_METRIC: operation.attributes.rowMetric,
        LAYER: operation.attributes.layer,
        FIRST_ROW: firstRowOf(out),
      };
      return [each('update/projected-step', vectors(out), [A, D, Q, control, M ?? Q, out], constants)];
    }
    case 'metricScale': {
      const [D, Q, M] = inputs;
      const constants = {
        COLS: out.cols,
        STRIDE: strideOf(out),
        Q_STRIDE: strideOf(Q),
        M_STRIDE: M ? strideOf(M) : 4,
        D_BATCH: restartStep(D),
        Q_BATCH: restartStep(Q),
        M_BATCH: M ? restartStep(M) : 0,
        OUT_BATCH: restartStep(out),
        ROW_METRIC: operation.attributes.rowMetric,
      };
      return [each('update/metric-scale', out.rows * strideOf(out), [D, Q, M ?? Q, out], constants)];
    }
    case 'rowProducts': {
      const [A] = inputs;
      const constants = {
        K: A.cols,
        A_STRIDE: strideOf(A),
        STRIDE: strideOf(out),
        A_BATCH: restartStep(A),
        OUT_BATCH: restartStep(out),
      };
      return [each('elementwise/row-products', out.rows * strideOf(out), [A, out], constants)];
    }
    case 'acceptReject': {
      const [cost] = inputs;
      const { grow, shrink } = operation.attributes;
      return [
        {
          kernel: 'update/accept-reject',
          constants: { RESTARTS: out.batch, COST_BATCH: restartStep(cost), CONTROL_BATCH: restartStep(out), GROW: grow, SHRINK: shrink },
          bindings: [cost, out],
          workgroups: [Math.ceil(out.batch / 64), 1, 1],
        },
      ];
    }
    case 'keepAccepted':
      return [keep(inputs[1], [inputs[0]], outputs, facts)];
    case 'reduce': {
      const [X] = inputs;
      const { of } = operation.attributes;
      const map = { sum: 1, squares: 2, maxAbs: 3 }[of];
      return foldLevels(
        { from: X, count: vectors(X), batchStride: restartStep(X) / 4, out, map, maximum: of === 'maxAbs', level: 0 },
        facts,
      );
    }
    case 'combine':
    case 'hadamard':
    case 'copy': {
      const [X, Y] = inputs;
      const scales = operation.kind === 'combine' ? operation.attributes : { scale: 1, otherScale: 0 };
      const constants = {
        X_BATCH: restartStep(X) / 4,
        Y_BATCH: Y ? restartStep(Y) / 4 : 0,
        OUT_BATCH: restartStep(out) / 4,
        SCALE: scales.scale,
        OTHER_SCALE: scales.otherScale,
        PRODUCT: operation.kind === 'hadamard',
      };
      return [each('elementwise/combine', vectors(out), [X, Y ?? X, out], constants)];
    }
    case 'map': {
      const [X, Y, W] = inputs;
      const { fn, p, q } = operation.attributes;
      const constants = {
        COLS: out.cols,
        STRIDE: strideOf(out),
        X_BATCH: restartStep(X),
        Y_BATCH: restartStep(Y ?? X),
        W_BATCH: restartStep(W ?? X),
        OUT_BATCH: restartStep(out),
        FUNCTION: Object.keys(mapFunctions).indexOf(fn),
        P: p,
        Q: q,
      };
      return [each('elementwise/map', out.rows * strideOf(out), [X, Y ?? X, W ?? X, out], constants)];
    }
    case 'shift': {
      const [X, y] = inputs;
      const constants = {
        COLS: out.cols,
        STRIDE: strideOf(out),
        X_BATCH: restartStep(X),
        Y_BATCH: restartStep(y),
        OUT_BATCH: restartStep(out),
        SCALE: operation.attributes.scale,
      };
      return [each('elementwise/shift', out.rows * strideOf(out), [X, y, out], constants)];
    }
    case 'softmaxCrossEntropy': {
      const [logits, Y] = inputs;
      const gradient = outputs[1];
      const constants = {
        ROWS: logits.rows,
        STRIDE: strideOf(logits),
        LOGITS_BATCH: restartStep(logits),
        Y_BATCH: restartStep(Y),
        LOSS_BATCH: restartStep(out),
        GRADIENT_BATCH: restartStep(gradient),
      };
      return [each('reduce/softmax-cross-entropy', strideOf(logits), [logits, Y, out, gradient], constants)];
    }
    case 'maxPool': {
      const [S] = inputs;
      const selector = outputs[1];
      const constants = {
        ROWS: S.rows,
        COLS: S.cols,
        STRIDE: strideOf(S),
        SIZE: operation.attributes.size,
        S_BATCH: restartStep(S),
        POOLED_BATCH: restartStep(out),
        SELECTOR_BATCH: restartStep(selector),
      };
      return [each('reduce/max-pool', out.rows * strideOf(out), [S, out, selector], constants)];
    }
    case 'takeColumns': {
      const [X, order, control] = inputs;
      const constants = {
        COLS: out.cols,
        STRIDE: strideOf(out),
        X_COLS: X.cols,
        X_STRIDE: strideOf(X),
        X_BATCH: restartStep(X),
        ORDER_BATCH: restartStep(order),
        CONTROL_BATCH: restartStep(control),
        OUT_BATCH: restartStep(out),
      };
      return [each('elementwise/take-columns', out.rows * strideOf(out), [X, order, control, out], constants)];
    }
    case 'momentumStep': {
      const [D] = inputs;
      const { rate, momentum, free } = operation.attributes;
      const constants = {
        D_BATCH: restartStep(D) / 4,
        A_BATCH: restartStep(out) / 4,
        V_BATCH: restartStep(outputs[1]) / 4,
        RATE: rate,
        MOMENTUM: momentum,
        FREE: free,
      };
      return [each('update/momentum', vectors(out), [D, ...outputs], constants)];
    }
    case 'adamStep': {
      const [D, control] = inputs;
      const { rate, beta1, beta2, epsilon, free } = operation.attributes;
      const constants = {
        D_BATCH: restartStep(D) / 4,
        A_BATCH: restartStep(out) / 4,
        FIRST_BATCH: restartStep(outputs[1]) / 4,
        SECOND_BATCH: restartStep(outputs[2]) / 4,
        CONTROL_BATCH: restartStep(control),
        RATE: rate,
        BETA1: beta1,
        BETA2: beta2,
        GUARD: epsilon,
        FREE: free,
      };
      return [each('update/adam', vectors(out), [D, control, ...outputs], constants)];
    }
    case 'countIteration': {
      const [cost] = inputs;
      return [
        {
          kernel: 'update/count-iteration',
          constants: { RESTARTS: out.batch, COST_BATCH: restartStep(cost), CONTROL_BATCH: restartStep(out) },
          bindings: [cost, out],
          workgroups: [Math.ceil(out.batch / 64), 1, 1],
        },
      ];
    }
    case 'transpose': {
      const [X] = inputs;
      const constants = {
        ROWS: X.rows,
        COLS: X.cols,
        X_STRIDE: strideOf(X) / 4,
        OUT_STRIDE: strideOf(out) / 4,
        X_BATCH: restartStep(X) / 4,
        OUT_BATCH: restartStep(out) / 4,
      };
      return [each('elementwise/transpose', (strideOf(X) / 4) * (strideOf(out) / 4), [X, out], constants)];
    }
    case 'normalizeColumns': {
      const [G] = inputs;
      const constants = {
        COLS: out.cols,
        STRIDE: strideOf(out),
        G_STRIDE: strideOf(G),
        F_BATCH: restartStep(out),
        G_BATCH: restartStep(G),
        LAYER: operation.attributes.layer,
        CAP: operation.attributes.cap,
        FIRST_ROW: firstRowOf(out),
      };
      return [each('update/normalize-columns', out.rows * out.cols, [G, out], constants)];
    }
  }
}
