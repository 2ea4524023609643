/**
 * The plan of matmul/tiled, by which hardware makes its products: the tile of a workgroup, the steps that it stages, its invocations. Pure.
 * Nothing here was measured on a GPU; the sizes follow from what memory hands out at once and from WebGPU's default limits.
 */
import type { AdapterFacts, Forced } from './planner.js';
import type { ProductShape } from './shapes.js';

export interface StagedTile {
  algorithm: 'tiled';
  /** Blocks of 4×4 in the tile of a workgroup. */
  blocksA: number;
  blocksB: number;
}

/** A side of C up to this size fits into one tile: the factor with the other side is then read once. */
const thin = 64;

/** The most workgroup memory and invocations of a workgroup, whatever a device allows: several workgroups are to share a core. */
const mostMemory = 16_384;
const mostInvocations = 256;

/**
 * The tile for a product, or undefined where the device has no room for one.
 *
 * The columns of a factor that is read along its rows go 128 to a tile: a row of the tile is 512 bytes, at most five lines of 128 for
 * four. Rows that are contracted go 64 to a tile, 32 steps or one line at a time. A thin side is rounded up to a power of two, at least
 * to 8 beside a wide one and to 16 beside another thin one, so that a program needs few pipelines.
 */
export function stagedTile(shape: ProductShape, facts: AdapterFacts): StagedTile | undefined {
  const { rows, cols } = shape;
  const least = rows <= thin && cols <= thin ? 16 : 8;
  const side = (size: number, wide: number) => (size <= thin ? Math.min(powerOfTwo(Math.max(size, least)), wide) : wide);
  for (let wide = contractsRows(shape) ? 64 : 128; wide >= 16; wide /= 2) {
    const high = rows > thin && cols > thin ? Math.min(wide, 64) : side(rows, wide);
    const tile: StagedTile = { algorithm: 'tiled', blocksA: high / 4, blocksB: side(cols, wide) / 4 };
    if (stages(shape, tile, facts)) return tile;
  }
  return undefined;
}

/** Whether a side beyond one tile belongs to a factor whose stored rows, long ones, run over the inner dimension. */
function contractsRows({ rows, cols, inner, transposeA, transposeB }: ProductShape): boolean {
  return inner > thin && ((rows > thin && !transposeA) || (cols > thin && Boolean(transposeB)));
}

/** Whether the device has the workgroup memory, invocations and grid for a tile. */
export function stages(shape: ProductShape, tile: StagedTile, facts: AdapterFacts): boolean {
  const { blocksA, blocksB } = tile;
  if (![blocksA, blocksB].every((blocks) => Number.isInteger(Math.log2(blocks)))) return false;
  const { INVOCATIONS, PANELS } = stagingOf(shape, tile, facts);
  const [x, y] = stagedGroups(shape, tile);
  return (
    16 * PANELS <= Math.min(mostMemory, facts.maxWorkgroupStorage) &&
    INVOCATIONS <= invocationsOf(facts) &&
    Math.max(x, y, shape.batch) <= facts.maxWorkgroupsPerDimension
  );
}

/** The constants of the kernel that follow from a tile. */
export function stagingOf(shape: ProductShape, { blocksA, blocksB }: StagedTile, facts: AdapterFacts) {
  const { transposeA, transposeB } = shape;
  const most = invocationsOf(facts);
  const own = ownBlocks(blocksA * blocksB, most);
  const lanes = (blocksA / own.BLOCKS_A) * (blocksB / own.BLOCKS_B);
  const DEPTH = depthOf(shape, blocksA, blocksB);
  const LAYERS = Math.max(1, Math.min(most / lanes, DEPTH / 4));
  const INVOCATIONS = lanes * LAYERS;
  const loads = (blocks: number, direct: boolean) => Math.ceil((blocks * (direct ? DEPTH : DEPTH / 4)) / INVOCATIONS);
  // Panels, then sums of layers, then squares take turns in the memory.
  const sums = LAYERS > 1 ? 2 * LAYERS * blocksA * blocksB : 0;
  const PANELS = Math.max(DEPTH * (blocksA + blocksB), sums, INVOCATIONS);
  const LOADS = { LOADS_A: loads(blocksA, Boolean(transposeA)), LOADS_B: loads(blocksB, !transposeB) };
  return { QUADS_A: blocksA, QUADS_B: blocksB, ...own, DEPTH, LAYERS, INVOCATIONS, ...LOADS, PANELS };
}

/** A power of two, so that sums over a workgroup go by halves. */
function invocationsOf({ maxInvocationsPerWorkgroup }: AdapterFacts): number {
  return 2 ** Math.floor(Math.log2(Math.min(mostInvocations, maxInvocationsPerWorkgroup)));
}

/** Blocks of an invocation: one, or two or four where there would be too many invocations. */
function ownBlocks(blocks: number, most: number): { BLOCKS_A: number; BLOCKS_B: number } {
  return { BLOCKS_A: blocks <= most ? 1 : 2, BLOCKS_B: blocks <= 2 * most ? 1 : 2 };
}

/** Steps that are staged at once: 16, or 32 where rows are contracted; as many as 8 KiB hold where both sides are thin. */
function depthOf(shape: ProductShape, blocksA: number, blocksB: number): number {
  if (shape.rows <= thin && shape.cols <= thin) return 2 ** Math.floor(Math.log2(512 / (blocksA + blocksB)));
  return contractsRows(shape) ? 32 : 16;
}

/** Workgroups along columns and rows of C. */
export function stagedGroups(
  { rows, cols }: ProductShape,
  { blocksA, blocksB }: Pick<StagedTile, 'blocksA' | 'blocksB'>,
): [x: number, y: number] {
  return [Math.ceil(cols / (4 * blocksB)), Math.ceil(rows / (4 * blocksA))];
}

/** Workgroups that keep a GPU busy. */
const busy = 256;

/** Splitting shorter inner dimensions costs more in the second pass than it gains. */
const shortestChunk = 64;

/** Parts of the inner dimension, the same for any number of restarts: until one fills the device, while partial products are an eighth of what the factors are, or less. */
export function stagedSplits(shape: ProductShape, tile: StagedTile): number {
  const { rows, cols, inner } = shape;
  const [x, y] = stagedGroups(shape, tile);
  const wanted = Math.ceil(busy / (x * y));
  const repaid = Math.floor((inner * (rows + cols)) / (16 * rows * cols));
  const most = Math.min(Math.floor(inner / shortestChunk), repaid, 64);
  return Math.max(1, Math.min(wanted, most));
}

/** Rounding of a residual by Gram matrices, relative to ‖X‖²: docs/decisions/2026-11-27-dense-residual-from-gram-matrices.md derives it. */
const gramRounding = 2 ** -22;

/** Fewer entries of X are read in less time than the two dispatches take that save it (4 MiB in 10 µs). */
const worthSaving = 1 << 20;

/** Columns of Z that a workgroup of residual/terms takes. */
const gramColumns = 64;

export interface GramPlan {
  /** Workgroups of a restart that add up its terms. */
  groups: number;
  /** The least part of ‖X‖² that a residual by Gram matrices stands for itself: below, X is read. */
  from: number;
}

/**
 * A residual of an N×M input by Gram matrices, with k rows of Z, or undefined where X is read in any case: where that takes less time, and
 * where a change of the result by `fall` would be less than the roundings of the two residuals that it is the difference of, even if they
 * were as large as ‖X‖². The restarts do not count, as they do not for products: see planMatmul. On software adapters a dispatch costs as much as such a residual of small data, so plans stay as they are there.
 */
export function planGramResidual(
  { rows, cols, batch }: { rows: number; cols: number; batch: number },
  k: number,
  fall: number,
  facts: AdapterFacts,
  forced: Forced = {},
): GramPlan | undefined {
  const from = (2 * gramRounding) / fall;
  const groups = Math.ceil(cols / gramColumns);
  const fits = Math.max(groups, batch) <= facts.maxWorkgroupsPerDimension;
  // Z, B and H are three times k×M.
  const gains = !facts.software && rows * cols >= worthSaving && 3 * k <= rows / 2;
  const staged = (forced.matmul ?? 'tiled') === 'tiled';
  return fits && staged && from < 1 && (forced.gram ?? gains) ? { groups, from } : undefined;
}

function powerOfTwo(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}
