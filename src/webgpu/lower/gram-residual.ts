/** Lowering of residuals by Gram matrices: the terms, the choice, and the product that reads X, whose workgroups leave at once if it need not. */

import type { Tensor } from '../../graph/tensor.js';
import { columnNormsOf } from '../layout/column-norms.js';
import { restartStep } from '../layout/layout.js';
import type { SplitProgram } from '../panels/split-program.js';
import { planGramResidual } from '../plan/plan-hardware-products.js';
import type { AdapterFacts, Forced } from '../plan/planner.js';
import { mostGroupFold } from '../plan/planner.js';
import { gramResiduals } from '../steps/gram-residual.js';
import type { GramResidual, Step } from '../steps/step.js';
import { call, type Dispatch, type Scratch } from './dispatch.js';
import { epilogues } from './names.js';
import { squaresOf } from './products.js';
import { foldOnce } from './reduce.js';

/** The program with such residuals where they gain, and the norms that the inputs among its `tensors` need for them. */
export function withGramResiduals(
  { name, sections }: SplitProgram,
  tensors: number,
  facts: AdapterFacts,
  forced: (section: string) => Forced,
): { program: SplitProgram; norms: ReadonlyMap<Tensor, Tensor> } {
  const norms = new Map<Tensor, Tensor>();
  const normsOf = (X: Tensor) => {
    const known = norms.get(X) ?? columnNormsOf(X, tensors + norms.size);
    norms.set(X, known);
    return known;
  };
  const own = Object.entries(sections).map(([section, steps]): [string, readonly Step[]] => [
    section,
    gramResiduals(steps, normsOf, ({ inputs: [X, A], outputs: [out], attributes: { fall } }) => {
      const shape = { rows: X.rows, cols: X.cols, batch: out.batch };
      return planGramResidual(shape, A.cols, fall!, facts, forced(section)) !== undefined;
    }),
  ]);
  return { program: { name, sections: Object.fromEntries(own) }, norms };
}

export function gramResidual(
  { inputs, outputs: [out], attributes: { fall } }: GramResidual,
  facts: AdapterFacts,
  forced: Forced,
): Dispatch[] {
  const [X, A, Z, B, H, norms] = inputs;
  const { batch } = out;
  const { groups, from } = planGramResidual({ rows: X.rows, cols: X.cols, batch }, A.cols, fall, facts, { ...forced, gram: true })!;
  const partials: Scratch = { scratch: 1, bytes: Math.ceil((groups * batch) / 2) * 16 };
  const choice: Scratch = { scratch: 2, bytes: batch * 16 };
  const terms = call('residual/terms', { Z, B, H, norms, partials }, { ROWS: Z.rows }, [groups, batch, 1]);
  const choosing = call('residual/choice', { partials, choice }, { COUNT: groups, FROM: from }, [batch, 1, 1]);
  const epilogue = { EPILOGUE: epilogues.NEEDED_RESIDUAL, W_BATCH: 1 };
  const { squares, partials: left } = squaresOf({ X, A, Z, W: choice }, batch, epilogue, facts, { ...forced, matmul: 'tiled' });
  const folds: Dispatch[] = [];
  let rest = left;
  while (rest.count > mostGroupFold) {
    const { dispatch, left: after } = foldOnce(rest, facts);
    folds.push(dispatch);
    rest = after;
  }
  const numbers = { COUNT: rest.count, IN_BATCH: rest.batchStride, OUT_BATCH: restartStep(out), MAP: rest.map };
  const chosen = call('residual/chosen', { X: rest.from, choice, result: out }, numbers, [batch, 1, 1]);
  return [terms, choosing, squares, ...folds, chosen];
}
