/**
 * Choice of kernel variants: pure functions from shapes and adapter facts to an algorithm and its constants. Nothing here touches a GPU.
 * Tests force a choice through `Forced`, and print it without a device.
 */
import type { MatmulAlgorithm } from '../../engine.js';
import type { Tuned } from './shapes.js';

/** How kernels decode 16-bit floats: by WGSL's built-in function, or by integers where that is refused. */
export type HalfDecoding = 'built-in' | 'integers';

/** The facts of an adapter that the choice of kernels may depend on. */
export interface AdapterFacts {
  /** A CPU-backed adapter: few wide threads, and barriers split kernels into coroutines, so barrier-free kernels win. */
  software: boolean;
  /**
   * A software adapter whose kernels LLVM compiles, Mesa's llvmpipe: written-out kernels take it long. All others are treated as
   * SwiftShader.
   */
  llvmpipe?: boolean;
  /** The device has subgroup operations: invocations can swap registers with their neighbours. */
  subgroups: boolean;
  maxWorkgroupsPerDimension: number;
  maxStorageBinding: number;
  maxBufferSize: number;
  maxWorkgroupStorage: number;
  maxInvocationsPerWorkgroup: number;
  /** Inputs that programs only multiply are stored as 16-bit floats. */
  halfInputs?: boolean;
  /** Choices measured on the adapter. */
  tuned?: Tuned;
}

export type { MatmulAlgorithm } from '../../engine.js';

/** Overrides for tests and measurements; everything left out is chosen. */
export interface Forced {
  matmul?: MatmulAlgorithm;
  /** Blocks of 4×4 in the tile of an invocation; 'tiled' has a tile of its own. */
  blocks?: readonly [rows: number, columns: number];
  /** Parts of the inner dimension of a product. */
  splits?: number;
  /** Bytes of scratch memory that batched solves may use for factors. */
  spillBytes?: number;
  /** Keep factors of the NNLS kernels in the scratch buffer at every k, or in indexed private memory (false). */
  spill?: boolean;
  /** A group of lanes for each column of a solve, or for a few rows of a sweep. */
  group?: boolean;
  /** Rounds of pivoting after which a solve falls back to the active set. */
  pivots?: number;
  /** Whether small products share dispatches and small sums take one, as on hardware. */
  together?: boolean;
  /** Residuals by Gram matrices wherever a program has what they take, or never. */
  gram?: boolean;
  /** How kernels decode 16-bit floats. */
  halfDecoding?: HalfDecoding;
  /** Most bytes of a storage binding, if the device allows more: larger tensors are split into panels. */
  bindingBytes?: number;
  /** Choices in place of measured ones, which the device must be able to run: what a tuning times. */
  tuned?: Tuned;
  /** Facts in place of the device's own, so that a software adapter runs the plans of a GPU. They must not exceed the device. */
  facts?: Partial<AdapterFacts>;
}

/** The choices of a kind that count: those forced, or those measured, unless something is forced that speaks against them. */
export function tunedOf<K extends keyof Tuned>(kind: K, facts: AdapterFacts, forced: Forced, free = true): Tuned[K] {
  const { tuned, spill, group } = forced;
  return tuned?.[kind] ?? (free && (spill ?? group) === undefined ? facts.tuned?.[kind] : undefined);
}

/** Forced choices, everywhere or by section. */
export type ForcedBySection = Forced | ((section: string) => Forced);

export interface SolvePlan {
  /** Factors live in a scratch buffer instead of private memory. */
  spill: boolean;
  /** Columns, and invocations, of a dispatch. */
  lanes: number;
  scratchBytes: number;
  /** Unknowns the private arrays hold: the next power of two, so that a few pipelines serve every k. */
  capacity: number;
  /** Entries of the factor in private memory. */
  factorSize: number;
}

/**
 * Most unknowns of a solve or sweep that is always written out. On GPUs, where it was not measured, the limits of solves are sizes
 * at which AMD's compiler still leaves room for at least 8 waves on RDNA 3.
 * The figures behind the column of llvmpipe are in docs/performance.md.
 */
export const alwaysWritten = {
  pivoting: { software: 16, llvmpipe: 16, hardware: 8 },
  masked: { software: 16, llvmpipe: 9, hardware: 12 },
  sweep: { software: 16, llvmpipe: 12, hardware: 16 },
  sweptProduct: { software: 16, llvmpipe: 16, hardware: 16 },
};

/**
 * Up to this many unknowns a software adapter other than llvmpipe gets the solves written out where they have enough columns to repay the
 * compiling (figures: docs/performance.md).
 */
export const largestWritten = 32;
const worthWriting = 256;

/**
 * Whether a solve (or `sweep`) of k unknowns keeps everything in registers: the kernels named …-registers. For 'sweptProduct', whether a
 * product ends in its sweep.
 */
export function planRegisters(
  kind: keyof typeof alwaysWritten,
  k: number,
  columns: number,
  facts: AdapterFacts,
  forced: Forced = {},
): boolean {
  if (forced.spill !== undefined || forced.group) return false;
  if (k <= alwaysWritten[kind][facts.llvmpipe ? 'llvmpipe' : facts.software ? 'software' : 'hardware']) return true;
  return kind !== 'sweep' && facts.software && !facts.llvmpipe && k <= largestWritten && columns >= worthWriting;
}

/** Length of private arrays for k unknowns. */
export function planCapacity(k: number): number {
  return Math.max(4, 2 ** Math.ceil(Math.log2(k)));
}

/** Private arrays beyond this many unknowns cost more than a buffer does. */
export const largestPrivateK = 32;

export function planSolve(k: number, columns: number, facts: AdapterFacts, forced: Forced = {}): SolvePlan {
  const spill = forced.spill ?? k > largestPrivateK;
  const capacity = planCapacity(k);
  if (!spill) return { spill, lanes: columns, scratchBytes: 16, capacity, factorSize: (capacity * (capacity + 1)) / 2 };
  const factorBytes = (k * (k + 1) * 4) / 2;
  const lanes = lanesWithin(factorBytes, columns, facts, forced);
  return { spill, lanes, scratchBytes: Math.ceil((factorBytes * lanes) / 16) * 16, capacity, factorSize: 1 };
}

export interface GroupPlan {
  /** Lanes of a column, one an unknown. */
  group: number;
  /** Columns of a workgroup. */
  columns: number;
  /** Entries of the factors in workgroup memory. */
  factorSize: number;
  /** The rest of a factor lives in a scratch buffer. */
  spill: boolean;
  /** Columns of a dispatch. */
  lanes: number;
  scratchBytes: number;
}

/** Most lanes of a column. */
const largestGroup = 128;
/** Workgroup memory that every device has. More for one workgroup would leave fewer of them in flight. */
const groupBytes = 16 << 10;
/** Invocations of a workgroup with several columns. */
const groupWorkgroup = 64;
/** Values that a lane shares. */
const sharedOfLane = 6;

/** Most lanes of a group that sweeps. */
export const largestSweepGroup = 256;
/** Most unknowns of a row that the compilers of GPUs keep in registers, whatever index it is read by. */
export const largestHeldRow = 64;

/** Lanes for k unknowns: few sizes, so that a few pipelines serve every k. */
export function planLanes(k: number): number {
  return Math.max(16, 2 ** Math.ceil(Math.log2(k)));
}

/** Whether groups of `lanes` solve or sweep, rather than an invocation each: on GPUs. Barriers are slow on software adapters. */
export function planGroups(lanes: number, most: number, facts: AdapterFacts, forced: Forced = {}): boolean {
  if (!(forced.group ?? (!facts.software && forced.spill === undefined))) return false;
  return lanes <= Math.min(most, facts.maxInvocationsPerWorkgroup);
}

/**
 * The solve of each column by a group of lanes, with the factor in workgroup memory, where the device has room for that. `shared` values of
 * every lane are there beside it.
 */
export function planGroup(
  k: number,
  columns: number,
  facts: AdapterFacts,
  forced: Forced = {},
  { workgroup = groupWorkgroup, shared = sharedOfLane }: { workgroup?: number; shared?: number } = {},
): GroupPlan | undefined {
  const group = planLanes(k);
  const together = Math.max(1, Math.floor(workgroup / group));
  if (!planGroups(group * together, largestGroup, facts, forced)) return undefined;
  const room = Math.floor(Math.min(groupBytes, facts.maxWorkgroupStorage) / 4) - together - shared * group * together;
  const factorSize = Math.min((together * (group * (group + 1))) / 2, room);
  const overflow = (k * (k + 1)) / 2 - factorSize / together;
  if (factorSize < 1 || (together > 1 && overflow > 0)) return undefined;
  if (overflow <= 0) return { group, columns: together, factorSize, spill: false, lanes: columns, scratchBytes: 16 };
  const lanes = lanesWithin(4 * overflow, columns, facts, forced);
  return { group, columns: 1, factorSize, spill: true, lanes, scratchBytes: Math.ceil((overflow * lanes) / 4) * 16 };
}

/** Columns of a dispatch whose factors share the scratch buffer. */
function lanesWithin(bytes: number, columns: number, facts: AdapterFacts, { spillBytes = 64 << 20 }: Forced): number {
  return Math.min(columns, Math.max(1, Math.floor(Math.min(spillBytes, facts.maxStorageBinding) / bytes)));
}

/**
 * Invocations of a workgroup. A CPU-backed adapter hands workgroups to its few threads one by one and gains nothing from wide ones; small
 * ones spread small problems.
 */
const workgroupSize = { software: 16, hardware: 64 };

/** The workgroups that hold `items` invocations, wrapped into rows where one dimension does not suffice. */
export function planGrid(
  items: number,
  facts: AdapterFacts,
  workgroup: number = facts.software && items < 65_536 ? workgroupSize.software : workgroupSize.hardware,
): { x: number; y: number; perRow: number; workgroup: number } {
  const [x, y] = planRows(Math.ceil(items / workgroup), facts);
  return { x, y, perRow: x * workgroup, workgroup };
}

/** Workgroups in rows. */
export function planRows(groups: number, facts: AdapterFacts): [x: number, y: number] {
  const y = Math.ceil(groups / facts.maxWorkgroupsPerDimension);
  return [Math.ceil(groups / y), y];
}

/**
 * Most multiplications of a product, in one restart, that shares a dispatch with others: beyond, the time of a dispatch no longer counts,
 * and the kernels for single products are faster. On software adapters these are always: there the joined kernel was no faster than the
 * dispatches that it saves (docs/performance.md).
 */
const smallProduct = 1 << 18;

export function isSmallProduct(multiplications: number, { software }: AdapterFacts, { together = !software }: Forced): boolean {
  return together && multiplications <= smallProduct;
}

const foldWorkgroup = 64;

/** Most entries that an invocation of one workgroup folds. */
const groupFoldSteps = 64;

/** Most entries that one workgroup folds. */
export const mostGroupFold = foldWorkgroup * groupFoldSteps;

/**
 * Invocations of the one workgroup that folds all entries of a restart, or 0 where levels of reduce/fold do: for few entries, for very
 * many, and on software adapters, whose barriers are dear.
 */
export function planGroupFold(count: number, restarts: number, facts: AdapterFacts, { together = !facts.software }: Forced): number {
  const fits = count > foldWorkgroup && count <= mostGroupFold && restarts <= facts.maxWorkgroupsPerDimension;
  return together && fits && facts.maxInvocationsPerWorkgroup >= foldWorkgroup ? foldWorkgroup : 0;
}
