/**
 * Choice of kernel variants: pure functions from shapes and adapter facts to an algorithm and its constants. Nothing here touches a
 * GPU; tests force a choice through `Forced`, and print it without a device.
 */

/** What the choice of kernels may depend on. */
export interface AdapterFacts {
  /** A CPU-backed adapter: few wide threads, and barriers split kernels into coroutines, so barrier-free kernels win. */
  software: boolean;
  maxWorkgroupsPerDimension: number;
  maxStorageBinding: number;
  maxBufferSize: number;
  maxWorkgroupStorage: number;
  maxInvocationsPerWorkgroup: number;
}

/** Overrides for tests and measurements; everything left out is chosen. */
export interface Forced {
  matmul?: 'register' | 'tiled';
  splits?: number;
  /** Bytes of scratch memory that batched solves may use for factors. */
  spillBytes?: number;
  /** Keep factors of the NNLS kernels in the scratch buffer at every k. */
  spill?: boolean;
}

export interface MatmulPlan {
  algorithm: 'register' | 'tiled';
  /** Parts of the inner dimension; more than one takes a second pass. */
  splits: number;
  /** Inner length of a part. */
  chunk: number;
}

/** Invocations that keep a device busy. Below this the inner dimension is split (measured choice: see docs/performance.md). */
const busy = { software: 512, hardware: 16384 };

/** Splitting shorter inner dimensions costs more in the second pass than it gains. */
const shortestChunk = 64;

export function planMatmul(
  shape: { rows: number; cols: number; inner: number; batch: number },
  facts: AdapterFacts,
  forced: Forced = {},
): MatmulPlan {
  const { rows, cols, inner, batch } = shape;
  const square = rows >= 64 && cols >= 64;
  const algorithm = forced.matmul ?? (!facts.software && square && facts.maxInvocationsPerWorkgroup >= 256 ? 'tiled' : 'register');
  const invocations =
    algorithm === 'tiled' ? Math.ceil(rows / 64) * Math.ceil(cols / 64) * 256 * batch : Math.ceil(rows / 4) * Math.ceil(cols / 4) * batch;
  const wanted = Math.ceil((facts.software ? busy.software : busy.hardware) / invocations);
  const most = Math.min(Math.floor(inner / shortestChunk), Math.floor(facts.maxWorkgroupsPerDimension / batch), 64);
  const splits = Math.max(1, Math.min(forced.splits ?? Math.min(wanted, most), Math.ceil(inner / 16)));
  const chunk = Math.ceil(inner / splits / 16) * 16;
  return { algorithm, splits: Math.ceil(inner / chunk), chunk };
}

export interface SolvePlan {
  /** Factors live in a scratch buffer instead of private memory. */
  spill: boolean;
  /** Invocations; each solves every `lanes`-th column. */
  lanes: number;
  scratchBytes: number;
  /** Unknowns the private arrays hold: the next power of two, so that a few pipelines serve every k. */
  capacity: number;
  /** Entries of the factor in private memory. */
  factorSize: number;
}

/** Private arrays beyond this many unknowns cost more than a buffer does. */
const largestPrivateK = 32;

export function planSolve(k: number, columns: number, facts: AdapterFacts, forced: Forced = {}): SolvePlan {
  const spill = forced.spill ?? k > largestPrivateK;
  const capacity = Math.max(4, 2 ** Math.ceil(Math.log2(k)));
  if (!spill) return { spill, lanes: columns, scratchBytes: 16, capacity, factorSize: (capacity * (capacity + 1)) / 2 };
  const factorBytes = (k * (k + 1) * 4) / 2;
  const room = Math.min(forced.spillBytes ?? 64 << 20, facts.maxStorageBinding);
  const lanes = Math.min(columns, Math.max(1, Math.floor(room / factorBytes)));
  return { spill, lanes, scratchBytes: Math.ceil((factorBytes * lanes) / 16) * 16, capacity, factorSize: 1 };
}

/**
 * Invocations of a workgroup. A CPU-backed adapter hands workgroups to its few threads one by one and gains nothing from wide ones:
 * small ones spread small problems (measured on SwiftShader: a step of Neural NMF on 87×90 takes .6 to .9 of the time at 64).
 */
const workgroupSize = { software: 16, hardware: 64 };

/** The workgroups that hold `items` invocations, wrapped into rows where one dimension does not suffice. */
export function planGrid(items: number, facts: AdapterFacts): { x: number; y: number; perRow: number; workgroup: number } {
  const workgroup = facts.software && items < 65_536 ? workgroupSize.software : workgroupSize.hardware;
  const groups = Math.ceil(items / workgroup);
  const y = Math.ceil(groups / facts.maxWorkgroupsPerDimension);
  const x = Math.ceil(groups / y);
  return { x, y, perRow: x * workgroup, workgroup };
}
