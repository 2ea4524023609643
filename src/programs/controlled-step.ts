/** Projected gradient with accept and reject, every decision on the device: what methods with exact gradients share. */
import type { ProgramBuilder } from '../graph/program.js';
import type { Tensor } from '../graph/tensor.js';

/** ∂C/∂A of a free variable A, and its metric: Q on the diagonal of the columns, M on that of the rows (left out: the identity). */
export interface Gradient {
  D: Tensor;
  Q: Tensor;
  M?: Tensor;
}

/** A free variable, with its gradient and metric at the point that was last accepted. */
export interface Variable extends Gradient {
  value: Tensor;
}

/** C and its gradient in each variable, in their order. */
export interface Evaluated {
  cost: Tensor;
  gradients: readonly Gradient[];
}

/** The states that variable number `i` needs. */
export function variable(p: ProgramBuilder, value: Tensor, i: number, { rowMetric }: { rowMetric: boolean }): Variable {
  const square = (label: string, size: number) => p.state(`${label}${i}`, size, size);
  return {
    value,
    D: p.state(`D${i}`, value.rows, value.cols),
    Q: square('Q', value.cols),
    M: rowMetric ? square('M', value.rows) : undefined,
  };
}

/** Takes the cost and the gradient at the start as accepted. */
export function acceptStart(p: ProgramBuilder, variables: readonly Variable[], { cost, gradients }: Evaluated, control: Tensor): void {
  p.acceptReject(cost, control, { grow: 1 });
  keepGradient(p, variables, gradients, control);
}

/**
 * One iteration:
 *
 *     A' = max(A − η ∂C/∂A ⊘ 2 diag(M) diag(Q)ᵀ, 0)      (entrywise division: the scale-free diagonal metric)
 *     keep A' and let η grow if C(A') ≤ C(A), else drop it and halve η
 *
 * `evaluate` has C and its gradient at the trial values, `project` cuts them further.
 */
export function controlledStep(
  p: ProgramBuilder,
  variables: readonly Variable[],
  control: Tensor,
  evaluate: (trial: (value: Tensor) => Tensor) => Evaluated,
  project: (trial: Tensor, i: number) => Tensor = (trial) => trial,
): void {
  const trial = variables.map(({ value, D, Q, M }, i) =>
    project(p.projectedStep(value, D, Q, control, { M, layer: i, name: `${value.name}'` }), i),
  );
  const { cost, gradients } = evaluate((value) => trial[variables.findIndex((own) => own.value === value)]);
  p.acceptReject(cost, control);
  variables.forEach(({ value }, i) => {
    p.keepAccepted(value, trial[i], control);
  });
  keepGradient(p, variables, gradients, control);
}

function keepGradient(p: ProgramBuilder, variables: readonly Variable[], gradients: readonly Gradient[], control: Tensor): void {
  variables.forEach((current, i) => {
    p.keepAccepted(current.D, gradients[i].D, control);
    p.keepAccepted(current.Q, gradients[i].Q, control);
    if (current.M && gradients[i].M) p.keepAccepted(current.M, gradients[i].M, control);
  });
}
