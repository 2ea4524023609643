/** What a choice of each kind may be, and how it reads. Pure. */
import type { Choices, MatmulAlgorithm, SolveKernel, SweepChoice, SweptChoice, TunedKind } from '../../engine.js';

interface Rule<C> {
  text(choice: C): string;
  /** Whether a value from elsewhere is a choice that this version knows. */
  knows(value: Partial<C>): boolean;
}

const algorithms: Record<MatmulAlgorithm, true> = { register: true, tiled: true, 'quad-rows': true, 'quad-columns': true };
const solveKernels: Record<SolveKernel, true> = { registers: true, private: true, buffer: true, group: true };
const sweepKernels: Record<SweepChoice['kernel'], true> = { registers: true, private: true, group: true };
const sweptKernels: Record<SweptChoice['kernel'], true> = { apart: true, register: true, quad: true };

const within = (value: unknown, least: number, most: number) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const isWorkgroup = (value: unknown) => within(value, 1, 1024);

const rules: { readonly [K in TunedKind]: Rule<Choices[K]> } = {
  product: {
    text: ({ algorithm, blocksA, blocksB, splits }) =>
      `${algorithm} ${4 * blocksA}×${4 * blocksB}${splits > 1 ? ` in ${splits} parts` : ''}`,
    knows({ algorithm, blocksA, blocksB, splits }) {
      if (!Object.hasOwn(algorithms, String(algorithm))) return false;
      const most = algorithm === 'tiled' ? 32 : 8;
      return within(blocksA, 1, most) && within(blocksB, 1, most) && within(splits, 1, 64);
    },
  },
  solve: {
    text: ({ kernel, workgroup }) => `${kernel} by ${workgroup}`,
    knows: ({ kernel, workgroup }) => Object.hasOwn(solveKernels, String(kernel)) && isWorkgroup(workgroup),
  },
  sweep: {
    text: ({ kernel, workgroup }) => `${kernel} by ${workgroup}`,
    knows: ({ kernel, workgroup }) => Object.hasOwn(sweepKernels, String(kernel)) && isWorkgroup(workgroup),
  },
  swept: {
    text: ({ kernel, blocks }) => (kernel === 'apart' ? kernel : `${kernel} of ${4 * blocks} lines`),
    knows({ kernel, blocks }) {
      if (!Object.hasOwn(sweptKernels, String(kernel))) return false;
      return kernel === 'apart' ? blocks === 0 : within(blocks, 1, kernel === 'quad' ? 2 : 1);
    },
  },
  sparse: {
    text: ({ workgroup }) => `by ${workgroup}`,
    knows: ({ workgroup }) => isWorkgroup(workgroup),
  },
};

/** "register 8×16", "tiled 64×64 in 4 parts", "registers by 16", that is in workgroups of 16. */
export function choiceText<K extends TunedKind>(kind: K, choice: Choices[K]): string {
  return rules[kind].text(choice);
}

export function isKind(kind: unknown): kind is TunedKind {
  return typeof kind === 'string' && Object.hasOwn(rules, kind);
}

export function isChoice(kind: TunedKind, value: unknown): boolean {
  return typeof value === 'object' && value !== null && rules[kind].knows(value);
}

/** Each choice once, in the order given. */
export function distinct<K extends TunedKind>(kind: K, choices: readonly Choices[K][]): Choices[K][] {
  const texts = choices.map((choice) => choiceText(kind, choice));
  return choices.filter((_, i) => texts.indexOf(texts[i]) === i);
}
