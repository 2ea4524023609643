/** Residuals by Gram matrices: those of inputs whose products with the same factors a section has anyway, so that X need not be read again. */
import type { OperationOf } from '../../graph/operations.js';
import type { Tensor } from '../../graph/tensor.js';
import type { GramResidual, Step } from './step.js';

/**
 * The steps with ‖X − AZ‖² from B = AᵀX and H = B − (AᵀA) Z where both are there. Such a step stands where the later of them is done.
 * `norms` has the squared norms of the columns of X; `worth` says whether a residual gains by it.
 */
export function gramResiduals(
  steps: readonly Step[],
  norms: (X: Tensor) => Tensor,
  worth: (operation: OperationOf<'residualNorm'>) => boolean,
): Step[] {
  const placed = steps.map((step): Step[] => [step]);
  steps.forEach((step, at) => {
    if (step.kind !== 'residualNorm' || !isPlain(step) || !worth(step)) return;
    const found = piecesOf(steps, at, step);
    if (!found) return;
    const { B, H } = found;
    const [X, A, Z] = step.inputs;
    const own: GramResidual = {
      kind: 'gramResidual',
      inputs: [X, A, Z, B, H, norms(X)],
      outputs: step.outputs,
      attributes: { fall: step.attributes.fall! },
    };
    placed[at].splice(placed[at].indexOf(step), 1);
    placed[found.at].push(own);
  });
  return placed.flat();
}

/** Of a dense input that all restarts share, without weights, by readers that allow some rounding. */
function isPlain({ inputs: [X], attributes: { weighted, fall } }: OperationOf<'residualNorm'>): boolean {
  return fall !== undefined && !weighted && X.role === 'input' && X.form === 'dense' && X.batch === 1;
}

/** B and H, and the first place from that of the residual on where both are there and nothing that belongs to them has changed. */
function piecesOf(
  steps: readonly Step[],
  from: number,
  { inputs: [X, A, Z], outputs: [out] }: OperationOf<'residualNorm'>,
): { B: Tensor; H: Tensor; at: number } | undefined {
  const B = held(steps, from, (step) => isProduct(step, [A, X], { transposeA: true, scale: 1 }));
  const G = held(steps, from, (step) => step.kind === 'gram' && step.attributes.of === 'columns' && step.inputs[0] === A);
  if (!B || !G) return undefined;
  const isH = (step: Step) => isProduct(step, [G, Z, B], { transposeA: false, scale: -1 });
  const before = held(steps, from, isH);
  if (before) return { B, H: before, at: from };
  for (let at = from + 1; at < steps.length; at++) {
    const step = steps[at];
    if (isH(step)) return { B, H: step.outputs[0], at };
    // Whoever reads the residual would come before it, and whoever writes an operand would change it.
    if (step.inputs.includes(out) || step.outputs.some((tensor) => [A, Z, B, G, out].includes(tensor))) return undefined;
  }
  return undefined;
}

/** The result of the last step before `from` that `makes` it, if it and what it was made of are still what they were. */
function held(steps: readonly Step[], from: number, makes: (step: Step) => boolean): Tensor | undefined {
  const at = steps.slice(0, from).findLastIndex(makes);
  if (at < 0) return undefined;
  const { inputs, outputs } = steps[at];
  const later = steps.slice(at + 1, from).flatMap((step) => step.outputs);
  return later.some((tensor) => tensor === outputs[0] || inputs.includes(tensor)) ? undefined : outputs[0];
}

function isProduct(step: Step, inputs: readonly Tensor[], { transposeA, scale }: { transposeA: boolean; scale: number }): boolean {
  if (step.kind !== 'matmul') return false;
  const { transposeA: turned, transposeB, scale: own, epilogue, addScale } = step.attributes;
  const adds = inputs.length === 3 ? epilogue === 'add' && addScale === 1 : epilogue === 'none';
  return turned === transposeA && !transposeB && own === scale && adds && inputs.every((tensor, i) => step.inputs[i] === tensor);
}
