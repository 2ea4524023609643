/**
 * The work of a dispatch, counted from its constants and bindings: pure, for plans and estimates.
 *
 * - Operations on f32: an FMA is two, any other one, exp or sqrt included. Comparisons, addresses and the scale of a product count nothing.
 * - What depends on the data is an assumption: a solve takes one round, on a full support; a trial is accepted; where
 *   Gram matrices may stand for a residual, they do; the lines of a mode of a tensor in coordinates are of equal length.
 */
import type { Tensor } from '../../graph/tensor.js';
import { cooModes } from '../layout/coo-layout.js';
import { csrSides } from '../layout/csr-layout.js';
import { byteLength } from '../layout/layout.js';
import { shaders } from '../shaders.generated.js';
import type { Dispatch, KernelName, Scratch } from './dispatch.js';
import { epilogues, terms } from './names.js';

export interface Work {
  /** Bytes that must move: every bound tensor once, and twice where it is updated in place. */
  bytes: number;
  /** The same times the passes that the tiles of products and the gathers of sparse products make. Caches serve some of it. */
  requested: number;
  operations: number;
  /** In flight if the device holds all of them. */
  invocations: number;
}

/** The numbers of a dispatch by name; 0 for one that the kernel does not have. */
type Numbers = (name: string) => number;

interface Rule {
  operations: (of: Numbers, dispatch: Dispatch) => number;
  /** How often bindings are read (or the part of them that is), where it is not once. A stand-in has none. */
  passes?: (of: Numbers, dispatch: Dispatch) => Readonly<Record<string, number>>;
  /** Written bindings that are read, too. */
  inPlace?: (of: Numbers) => readonly string[];
  /** Invocations of a workgroup, where it is not the constant WORKGROUP. */
  workgroup?: (of: Numbers) => number;
}

/** Work of as many operations on every item of the grid. */
function each(operations: number | ((of: Numbers) => number), ...inPlace: string[]): Rule {
  const count = typeof operations === 'number' ? () => operations : operations;
  return { operations: (of) => of('ITEMS') * of('RESTARTS') * count(of), inPlace: () => inPlace };
}

/** Operations on an entry of a product as it is stored. */
const ending: Readonly<Record<number, number>> = {
  [epilogues.NONE]: 0,
  [epilogues.ADD]: 2,
  [epilogues.HADAMARD]: 1,
  [epilogues.RESIDUAL]: 3,
  [epilogues.WEIGHTED_RESIDUAL]: 4,
  [epilogues.UPDATE]: 2,
};

/** A residual for which Gram matrices stand: its workgroups look at their choice and leave. */
const unneeded = (of: Numbers) => of('EPILOGUE') === epilogues.NEEDED_RESIDUAL;

/** A product of `batch` restarts. Its tiles make passes over A and B. A sweep in a tile takes 2k + 2 an entry. */
function product(
  batch: (of: Numbers, dispatch: Dispatch) => number,
  passes: (of: Numbers) => { A: number; B: number },
  workgroup?: Rule['workgroup'],
): Rule {
  return {
    operations: (of, dispatch) => {
      if (unneeded(of)) return 0;
      const [rows, cols] = [of('ROWS'), of('COLS')];
      const stored = of('SWEPT') > 0 ? 2 * Math.min(rows, cols) + 2 : of('SPLITS') > 1 ? 0 : ending[of('EPILOGUE')];
      return batch(of, dispatch) * rows * cols * (2 * of('INNER') + stored);
    },
    passes: (of) => (unneeded(of) ? { A: 0, B: 0, E: 0, C: 0 } : passes(of)),
    inPlace: (of) => (of('SPLITS') === 1 && (of('SWEPT') > 0 || of('EPILOGUE') === epilogues.UPDATE) ? ['C'] : []),
    workgroup,
  };
}

const across = (of: Numbers) => Math.ceil(of('COLS') / (4 * of('BLOCKS_B')));
const down = (of: Numbers) => Math.ceil(of('ROWS') / (4 * of('BLOCKS_A')));

/** K³/6 FMA for the factor and K² for the two triangular solves with it. */
const solved = (k: number) => k ** 3 / 3 + 2 * k ** 2;

/** One round of pivoting: a solve, and the gradient K². */
const pivoted = (of: Numbers) => solved(of('K')) + 2 * of('K') ** 2;

const warmStart = (of: Numbers) => (of('WARM') === 1 ? ['S'] : []);

/** A solve that has a lane for each column, or a group of them, and whose factor may lie in the scratch buffer. */
function indexed(operations: (of: Numbers) => number, inPlace: (of: Numbers) => readonly string[]): Rule {
  return {
    operations: (of) => of('LANES') * operations(of),
    passes: (of) => ({ scratch: of('SPILL') > 0 ? 1 : 0 }),
    inPlace: (of) => [...inPlace(of), 'scratch'],
  };
}

const sweep: Rule = each((of) => 2 * of('K') ** 2 + 2 * of('K'), 'F');

/** An FMA for each stored entry of X and each column of D. Entries in tails are counted here. */
const gathered: Rule = {
  operations: (of, { bindings }) =>
    of('RESTARTS') * 4 * of('TILES') * (2 * (bindings[0] as Tensor).entries + of('LINES') * ending[of('EPILOGUE')]),
  passes: (of, { bindings: [X] }) => ({
    X: of('TILES') * of('RESTARTS'),
    D: (gathers(of, X as Tensor) * of('TILES')) / of('D_STRIDE'),
  }),
  inPlace: (of) => (of('EPILOGUE') === epilogues.UPDATE ? ['C'] : []),
};

/** How often a row of D is read in the mean. */
function gathers(of: Numbers, { rows, cols, entries }: Tensor): number {
  return entries / (of('LINES_AT') === 0 ? cols : rows);
}

/** How often rows of the factors of a tensor in coordinates are read in the mean, by the names of their bindings. */
function factorGathers(X: Tensor, modes: readonly number[], entries = X.entries): Record<string, number> {
  return Object.fromEntries(modes.map((mode, m) => [`F${m}`, entries / X.shape![mode]]));
}

/** The product of one mode of a tensor in coordinates: the heads of its lines, or their tails. An FMA and the other factors an entry. */
function ofOneMode(part: 'heads' | 'tails'): Rule {
  const entriesIn = (of: Numbers, { entries, shape }: Tensor) => {
    const heads = Math.min(entries, shape![of('MODE')] * of('SEGMENT'));
    return part === 'heads' ? heads : entries - heads;
  };
  return {
    operations: (of, { bindings: [X] }) => of('RESTARTS') * 4 * of('STRIDE') * entriesIn(of, X as Tensor) * (of('OTHERS') + 1),
    passes(of, { bindings }) {
      const X = bindings[0] as Tensor;
      const own = entriesIn(of, X);
      const others = [...X.shape!.keys()].filter((mode) => mode !== of('MODE'));
      return { X: (of('STRIDE') * of('RESTARTS') * own) / Math.max(1, X.entries), ...factorGathers(X, others, own) };
    },
  };
}

/** A product at each stored entry, and `more` operations on it. */
function sampledAt(more: number): Rule {
  return {
    operations: (of, { bindings }) => of('RESTARTS') * (bindings[0] as Tensor).entries * (8 * of('D_STRIDE') + more),
    passes: (of, { bindings: [X] }) => ({ X: of('RESTARTS'), D: gathers(of, X as Tensor) }),
  };
}

/** Of one restart. */
function folded(of: Numbers): number {
  return of('COUNT') * (of('MAP') === terms.PARTIALS ? 1 : of('MAP') === terms.SQUARES ? 8 : of('MAXIMUM') ? 0 : 4);
}

/** By kernel. One that is missing here counts the bytes of its bindings, and no operations. */
export const rules: Readonly<Partial<Record<KernelName, Rule>>> = {
  'elementwise/combine': each((of) => (of('PRODUCT') ? 4 : 12)),
  'elementwise/copy-columns': {
    operations: () => 0,
    passes: (of) => ({ X: of('WIDTH') / of('X_STRIDE'), out: of('WIDTH') / of('OUT_STRIDE') }),
  },
  'elementwise/map': each(1),
  'elementwise/row-products': each(1),
  'elementwise/seen': each(1),
  'elementwise/shift': each(2),
  'elementwise/take-columns': { operations: () => 0, passes: (of) => ({ X: of('COLS') / of('X_COLS') }) },
  'elementwise/transpose': each(0),
  'matmul/register': product(
    (of) => of('RESTARTS') / of('SPLITS'),
    (of) => ({ A: across(of), B: down(of) }),
  ),
  'matmul/tiled': product(
    (of, { workgroups }) => workgroups[2] / of('SPLITS'),
    (of) => ({ A: Math.ceil(of('COLS') / (4 * of('QUADS_B'))), B: Math.ceil(of('ROWS') / (4 * of('QUADS_A'))) }),
    (of) => of('INVOCATIONS'),
  ),
  'matmul/sums': {
    operations: (of) =>
      [0, 1, 2, 3, 4, 5, 6, 7].slice(0, of('TERMS')).reduce((sum, i) => {
        const out = of(`TERM_${i}`) & 3; // see TERM_0 in the kernel
        return sum + of('RESTARTS') * of(`ROWS_${out}`) * of(`COLS_${out}`) * 2 * Math.max(1, of(`INNER_${i}`));
      }, 0),
  },
  'matmul/quad-rows': product(
    (of) => of('BATCH'),
    (of) => ({ A: of('OWN_TILES') / 4, B: down(of) }),
  ),
  'matmul/quad-columns': product(
    (of) => of('BATCH'),
    (of) => ({ A: across(of), B: of('OWN_TILES') / 4 }),
  ),
  'multilinear/contract': each((of) => 8 * of('SUMMED')),
  'multilinear/khatri-rao': each(4),
  'multilinear/mttkrp': ofOneMode('heads'),
  'multilinear/mttkrp-tails': ofOneMode('tails'),
  'multilinear/stored-residual': {
    operations: (of) => of('RESTARTS') * of('ENTRIES') * (4 * of('F0_STRIDE') * of('ORDER') + 4),
    passes: (of, { bindings: [X] }) => ({ X: of('RESTARTS'), ...factorGathers(X as Tensor, [...(X as Tensor).shape!.keys()]) }),
  },
  'nnls/kkt': each((of) => 2 * of('K') ** 2 + of('K')),
  'nnls/log-det': indexed(
    (of) => of('K') ** 3 / 3,
    () => [],
  ),
  'nnls/log-det-group': indexed(
    (of) => of('K') ** 3 / 3,
    () => [],
  ),
  'nnls/masked-solve': indexed(
    (of) => solved(of('K')),
    () => [],
  ),
  'nnls/masked-solve-group': indexed(
    (of) => solved(of('K')),
    () => [],
  ),
  'nnls/masked-solve-registers': each((of) => solved(of('K'))),
  'nnls/simplex': indexed((of) => pivoted(of) + 4 * of('K') ** 2, warmStart),
  'nnls/simplex-group': indexed((of) => pivoted(of) + 4 * of('K') ** 2, warmStart),
  'nnls/simplex-kkt': each((of) => 4 * of('K') ** 2 + of('K')),
  'nnls/solve': indexed(pivoted, warmStart),
  'nnls/solve-group': indexed(pivoted, warmStart),
  'nnls/solve-registers': { ...each(pivoted), inPlace: warmStart },
  'probe/count-rounds': { operations: () => 0, workgroup: () => 1 },
  'reduce/fold': { operations: (of) => of('RESTARTS') * folded(of) },
  'reduce/fold-group': { operations: (of, { workgroups }) => workgroups[0] * folded(of) },
  'reduce/max-pool': each(0),
  'reduce/softmax-cross-entropy': each((of) => 10 * of('ROWS')),
  'reduce/sum-partials': {
    ...each((of) => 4 * (of('SPLITS') + ending[of('EPILOGUE')])),
    passes: (of) => ({ E: of('EPILOGUE') === epilogues.NONE ? 0 : 1 }), // else a stand-in that is no other operand here
    inPlace: (of) => (of('EPILOGUE') === epilogues.UPDATE ? ['C'] : []),
  },
  'residual/chosen': { operations: () => 0, passes: () => ({ X: 0 }) },
  'residual/choice': { operations: (of, { workgroups }) => workgroups[0] * 2 * of('COUNT') },
  'residual/terms': { operations: (of, { workgroups }) => workgroups[1] * 4 * of('Z_STRIDE') * (3 * of('ROWS') + 2) },
  'sparse/beta-divergence': sampledAt(8),
  'sparse/divergence': sampledAt(5),
  'sparse/power-product': {
    operations: (of) => of('RESTARTS') * of('LINES') * of('PLACES') * (16 * of('TILES') + 2),
    // A workgroup reads a row of D at once.
    passes: (of) => ({ L: of('PARTS'), D: of('LINES') / of('WORKGROUP') }),
  },
  'sparse/powers': sampledAt(3),
  'sparse/product': gathered,
  'sparse/product-transposed': gathered,
  'sparse/products': sampledAt(1),
  'sparse/quotients': sampledAt(3),
  'sparse/residual': {
    operations: (of, { bindings }) => of('RESTARTS') * ((bindings[0] as Tensor).entries * (8 * of('D_STRIDE') + 4) + 2 * of('K') ** 2),
    passes: (of, { bindings: [X] }) => ({ D: gathers(of, X as Tensor) }),
  },
  'sparse/squares': sampledAt(3),
  'sparse/tails': { operations: () => 0, passes: () => ({ X: 0, D: 0 }) },
  'update/accept-reject': { operations: (of) => of('RESTARTS'), inPlace: () => ['control'], workgroup: () => 64 },
  'update/adam': each(56, 'A', 'first', 'second'),
  'update/count-iteration': { operations: (of) => of('RESTARTS'), inPlace: () => ['control'], workgroup: () => 64 },
  'update/hals': sweep,
  'update/hals-group': sweep,
  'update/hals-registers': sweep,
  'update/keep-accepted': each(0),
  'update/metric-scale': each((of) => (of('ROW_METRIC') ? 3 : 2)),
  'update/momentum': each(16, 'A', 'V'),
  'update/multiplicative': each((of) => (of('POWER') === 1 ? 8 : 12), 'F'),
  'update/normalize-columns': each(2, 'F'),
  'update/projected-step': each((of) => (of('ROW_METRIC') ? 20 : 16)),
};

const unknown: Rule = { operations: () => 0 };

export function workOf(dispatch: Dispatch): Work {
  const { kernel, constants, bindings, workgroups } = dispatch;
  const rule = rules[kernel] ?? unknown;
  const of: Numbers = (name) => Number(constants[name] ?? 0);
  const inPlace = rule.inPlace?.(of) ?? [];
  const told = rule.passes?.(of, dispatch) ?? {};
  const restarts = Math.max(1, ...bindings.map((bound) => ('scratch' in bound ? 1 : bound.batch)));
  // A stand-in is another name of a binding, and two operands may be one tensor: each is counted once, with all passes over it.
  const passes = new Map<Tensor | Scratch, number>();
  const moved = new Map<Tensor | Scratch, number>();
  shaders[kernel].bindings.forEach(({ name }, i) => {
    const bound = bindings[i];
    const own = told[name];
    if (own !== undefined) passes.set(bound, (passes.get(bound) ?? 0) + own);
    moved.set(bound, Math.max(moved.get(bound) ?? 0, inPlace.includes(name) ? 2 : 1));
  });
  let [bytes, requested] = [0, 0];
  for (const [bound, times] of moved) {
    const size = times * sizeOf(bound, of);
    const own = passes.get(bound) ?? 1;
    const copies = 'scratch' in bound || bound.batch > 1 || bound.form !== 'dense' ? 1 : restarts;
    bytes += size * Math.min(1, own);
    requested += size * own * copies;
  }
  const invocations = workgroups[0] * workgroups[1] * workgroups[2] * (rule.workgroup?.(of) ?? (of('WORKGROUP') || 64));
  return { bytes, requested, operations: rule.operations(of, dispatch), invocations };
}

/** Bytes of a binding. A sparse tensor is held by rows and by columns, or by every mode, and a kernel reads one of these. */
function sizeOf(bound: Tensor | Scratch, of: Numbers): number {
  if ('scratch' in bound) return bound.bytes;
  if (bound.form === 'dense') return byteLength(bound);
  if (bound.form === 'coo') {
    const mode = cooModes(bound).find(({ linesAt }) => linesAt === of('LINES_AT'));
    return 4 * (bound.entries * (bound.shape!.length + 1) + (mode ? mode.end - mode.linesAt : 0));
  }
  const { plain, transposed } = csrSides(bound);
  const side = of('LINES_AT') === transposed.linesAt ? transposed : plain;
  return 8 * (side.end - side.linesAt);
}
