/**
 * How operations spread over their tensors: which axes of which operands run over a common index, so that the operation can be done in
 * parts of it. For C = A B that is C[i,j] = Σ_t A[i,t] B[t,j]: rows of A and C share i, columns of A and rows of B share t.
 */
import { inPlace, type OperationKind } from '../../graph/operations.js';
import type { FusedOperation } from '../steps/step.js';

/** i and j are indices of results (of sums over all of X, those of X), t is summed over. */
export type Index = 'i' | 'j' | 't';

export const axisNames = ['rows', 'cols'] as const;
export type Axis = (typeof axisNames)[number];

/** The index that an axis runs over; left out where the operation needs that axis whole. */
export type Axes = Partial<Record<Axis, Index>>;

export interface Spread {
  inputs: readonly Axes[];
  outputs: readonly Axes[];
}

const whole: Axes = {};
const byEntry: Axes = { rows: 'i', cols: 'j' };
const byRow: Axes = { rows: 'i' };
const byColumn: Axes = { cols: 'j' };

export function spreadOf(operation: FusedOperation): Spread {
  const { inputs, outputs } = operation;
  const all = (axes: Axes): Spread => ({ inputs: inputs.map(() => axes), outputs: outputs.map(() => axes) });
  // CSR tensors are one piece, and with them everything they meet.
  if (inputs.some(({ form }) => form === 'csr')) return all(whole);
  switch (operation.kind) {
    case 'fusedProduct':
    case 'matmul':
      return productAxes(operation.attributes.transposeA, operation.attributes.transposeB, inputs.length);
    case 'gram': {
      const ofColumns = operation.attributes.of === 'columns';
      const { inputs: both, outputs: results } = productAxes(ofColumns, !ofColumns, 2);
      // The one operand is both factors: what it may be split along is what both may be, which is every axis.
      return { inputs: [both[0]], outputs: results };
    }
    case 'nnls':
    case 'maskedSolve':
    case 'kktResidual': {
      const ofG = operation.attributes.perColumn ? byColumn : whole;
      return { inputs: [ofG, ...inputs.slice(1).map(() => byColumn)], outputs: outputs.map(() => byColumn) };
    }
    case 'halsUpdate': {
      const { of, perColumn } = operation.attributes;
      const [axes, ofG]: Axes[] = of === 'rows' ? [byRow, { cols: 'i' }] : [byColumn, byColumn];
      return { inputs: [perColumn ? ofG : whole, axes], outputs: [axes] };
    }
    case 'residualNorm':
      return { inputs: [byEntry, byRow, byColumn, byEntry], outputs: [whole] };
    case 'reduce':
      return { inputs: [byEntry], outputs: [whole] };
    case 'combine':
    case 'hadamard':
    case 'map':
    case 'copy':
    case 'multiplicativeUpdate':
    case 'momentumStep':
      return all(byEntry);
    case 'keepAccepted':
    case 'shift':
    case 'adamStep':
      return { inputs: [byEntry, whole], outputs: outputs.map(() => byEntry) };
    case 'transpose':
      return { inputs: [{ rows: 'j', cols: 'i' }], outputs: [byEntry] };
    case 'projectedStep':
      return { inputs: [byRow, byRow, whole, whole, { rows: 'i', cols: 'i' }], outputs: [byRow] };
    case 'metricScale':
      return { inputs: [byRow, whole, { rows: 'i', cols: 'i' }], outputs: [byRow] };
    case 'normalizeColumns':
      return { inputs: [whole], outputs: [byRow] };
    case 'rowProducts':
      return all(byRow);
    case 'takeColumns':
      return { inputs: [byRow, whole, whole], outputs: [byRow] };
    case 'softmaxCrossEntropy':
    case 'maxPool':
      return all(byColumn);
    case 'acceptReject':
    case 'countIteration':
      return all(whole);
  }
}

/** Of op(A) op(B), with an operand of the epilogue if there are three. */
function productAxes(transposeA: boolean, transposeB: boolean, count: number): Spread {
  const A: Axes = transposeA ? { rows: 't', cols: 'i' } : { rows: 'i', cols: 't' };
  const B: Axes = transposeB ? { rows: 'j', cols: 't' } : { rows: 't', cols: 'j' };
  return { inputs: [A, B, byEntry].slice(0, count), outputs: [byEntry] };
}

const readingOutputs: ReadonlySet<OperationKind> = new Set<OperationKind>([...inPlace, 'momentumStep', 'adamStep']);

/** Whether an operation reads what its outputs held before. */
export function readsOutputs(kind: OperationKind): boolean {
  return readingOutputs.has(kind);
}
