/** Lowering of small sums of products, which share a dispatch. */
import type { Operation } from '../../graph/operations.js';
import { strideOf } from '../layout/layout.js';
import { isHalf } from '../layout/stored-inputs.js';
import type { SplitProgram } from '../panels/split-program.js';
import { type AdapterFacts, type Forced, isSmallProduct, planGrid } from '../plan/planner.js';
import type { ProductSums } from '../steps/step.js';
import { joinSums } from '../steps/sums.js';
import { call, type Dispatch, standIn } from './dispatch.js';

const slots = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const places = [0, 1, 2, 3] as const;

/** The program with small products joined, but for sections whose products are forced. */
export function withSums({ name, sections }: SplitProgram, facts: AdapterFacts, forced: (section: string) => Forced): SplitProgram {
  const joined = Object.entries(sections).map(([section, steps]) => {
    const own = forced(section);
    const free = (own.matmul ?? own.blocks ?? own.splits ?? own.tuned?.product) === undefined;
    return [section, free ? joinSums(steps, (operation) => isSmall(operation, facts, own)) : steps] as const;
  });
  return { name, sections: Object.fromEntries(joined) };
}

function isSmall({ kind, inputs, outputs: [out], attributes }: Operation, facts: AdapterFacts, forced: Forced): boolean {
  if (inputs.some((tensor) => tensor.form !== 'dense' || isHalf(tensor))) return false;
  const [A] = inputs;
  const across = kind === 'gram' ? attributes.of === 'columns' : kind === 'matmul' && attributes.transposeA;
  const inner = kind === 'combine' ? 1 : across ? A.rows : A.cols;
  return isSmallProduct(out.rows * out.cols * inner, facts, forced);
}

export function sumsTogether({ inputs, outputs, attributes: { sums } }: ProductSums, facts: AdapterFacts): Dispatch {
  const tensors = [...new Set([...inputs, ...outputs])];
  const restarts = outputs[0].batch;
  const { workgroup } = planGrid(1, facts);
  const groups = sums.map(({ out }) => Math.ceil((Math.ceil(out.rows / 4) * (strideOf(out) / 4) * restarts) / workgroup));
  const firsts = places.map((n) => groups.slice(0, n).reduce((sum, count) => sum + count, 0));
  const terms = sums.flatMap((sum, n) =>
    sum.terms.map(({ A, B, transposeA = false, transposeB = false, scale }) => {
      const product = B !== undefined;
      const bits =
        n |
        (tensors.indexOf(A) << 2) |
        (tensors.indexOf(B ?? A) << 5) |
        (Number(transposeA) << 8) |
        (Number(!transposeB) << 9) |
        (Number(product) << 10);
      return { bits, inner: product ? (transposeA ? A.rows : A.cols) : 0, scale };
    }),
  );
  const each = (label: string, numbers: readonly number[], count: number) =>
    Array.from({ length: count }, (_, i) => [`${label}_${i}`, numbers[i] ?? 0] as const);
  const numbers = Object.fromEntries([
    ...each(
      'TERM',
      terms.map(({ bits }) => bits),
      8,
    ),
    ...each(
      'INNER',
      terms.map(({ inner }) => inner),
      8,
    ),
    ...each(
      'SCALE',
      terms.map(({ scale }) => scale),
      8,
    ),
    ...each(
      'OUT',
      outputs.map((out) => tensors.indexOf(out)),
      4,
    ),
    ...each(
      'ROWS',
      outputs.map(({ rows }) => rows),
      4,
    ),
    ...each(
      'COLS',
      outputs.map(({ cols }) => cols),
      4,
    ),
    ...each(
      'FIRST',
      firsts.map((first, n) => (n < sums.length ? first : 0xffffffff)),
      4,
    ).slice(1),
  ]);
  // No two written bindings may be the same buffer, so each missing tensor gets a scratch buffer of its own.
  const operands = Object.fromEntries(slots.map((i) => [`T${i}`, tensors[i] ?? standIn({ scratch: i - tensors.length, bytes: 16 })]));
  const constants = { ...numbers, TERMS: terms.length, SUMS: sums.length, RESTARTS: restarts, WORKGROUP: workgroup };
  return call('matmul/sums', operands, constants, [groups.reduce((sum, count) => sum + count, 0), 1, 1]);
}
