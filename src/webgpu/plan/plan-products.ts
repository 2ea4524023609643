/** The plan of a product: the kernel of shaders/matmul, its tile, the parts of the inner dimension. Pure, like planner.ts. */
import type { MatmulAlgorithm, ProductChoice, SweptChoice } from '../../engine.js';
import { stagedGroups, stagedSplits, stagedTile, stages, stagingOf } from './plan-hardware-products.js';
import { type AdapterFacts, type Forced, planRegisters, tunedOf } from './planner.js';
import type { ProductShape } from './shapes.js';

export type { ProductShape } from './shapes.js';

export interface MatmulPlan {
  algorithm: MatmulAlgorithm;
  /** Blocks of 4×4 in the tile of an invocation, of a workgroup for 'tiled'; a quad shares one of the two sides. */
  blocksA: number;
  blocksB: number;
  /** Parts of the inner dimension; more than one takes a second pass. */
  splits: number;
  /** Inner length of a part, a multiple of 16. */
  chunk: number;
  /** How invocations lie over C: see the kernels. */
  layout: Layout;
}

interface Layout {
  /** Invocations of one part of the inner dimension, all restarts together. */
  invocations: number;
  /** Sums of squares that a residual leaves, all restarts together: one an invocation, or one a workgroup for 'tiled'. */
  squares: number;
  /** The constants that a kernel is given besides those of the product. */
  sizes: Readonly<Record<string, number>>;
}

type Tile = Pick<MatmulPlan, 'algorithm' | 'blocksA' | 'blocksB'>;

/** Few tiles, since each that a program uses is another pipeline to compile. */
const registerTiles: readonly Tile[] = [
  { algorithm: 'register', blocksA: 1, blocksB: 1 },
  { algorithm: 'register', blocksA: 2, blocksB: 2 },
];

/** Tiles of quads whose shared side divides that of C into parts as equal as can be: 13 blocks into 7 and 6, not 8 and 5. */
function quadTiles(shape: ProductShape): Tile[] {
  const { rows, cols } = shape;
  return [
    ...quadSides(rows, straddles('quad-rows', shape)).map(
      ([shared, own]): Tile => ({ algorithm: 'quad-rows', blocksA: shared, blocksB: own }),
    ),
    ...quadSides(cols, straddles('quad-columns', shape)).map(
      ([shared, own]): Tile => ({ algorithm: 'quad-columns', blocksA: own, blocksB: shared }),
    ),
  ];
}

/** Blocks on the shared and on the own side of a quad's tiles. */
function quadSides(size: number, straddles: boolean): [shared: number, own: number][] {
  const blocks = Math.ceil(size / 4);
  const parts = [8, 7, 6, 5, 4, 3, 2, 1].map((most) => Math.ceil(blocks / Math.ceil(blocks / most)));
  const shared = new Set(straddles ? [...parts, 4, 8] : parts);
  return [...shared].flatMap((side) => [1, 2].map((own): [number, number] => [side, own]));
}

/**
 * The measured choice of the adapter. Else on a software adapter the choice of least estimated time, and on hardware workgroups that
 * stage. `norm` is a product of which only the squares are kept.
 *
 * Tile and parts say in which order a sum is made, and so its last bits. They are chosen for one restart, whatever `batch` is, so that a
 * restart has the same bits beside any number of others.
 */
export function planMatmul(shape: ProductShape, facts: AdapterFacts, forced: Forced = {}, norm = false): MatmulPlan {
  return forAll(shape, planOne(ofOne(shape), facts, forced, norm), facts);
}

function planOne(shape: ProductShape, facts: AdapterFacts, forced: Forced, norm: boolean): MatmulPlan {
  const tuned = tunedOf('product', facts, forced, !forced.matmul && !forced.blocks)?.(shape, norm);
  if (tuned) return withSplits(shape, tuned, forced.splits ?? tuned.splits, facts);
  if (facts.software && forced.matmul !== 'tiled') return cheapest(shape, facts, forced);
  return split(shape, tileOf(forced.matmul ?? 'tiled', shape, facts, forced), facts, forced);
}

/** The product of one restart. */
function ofOne(shape: ProductShape): ProductShape {
  return { ...shape, batch: 1 };
}

/**
 * The plan of one restart for the `batch` of a shape. Only beyond the workgroups that a dispatch can have, 65,535 as a rule, do so many
 * restarts change it.
 */
function forAll(shape: ProductShape, plan: MatmulPlan, facts: AdapterFacts): MatmulPlan {
  const most = Math.floor(facts.maxWorkgroupsPerDimension / shape.batch);
  if (!isStaged(plan) || plan.splits <= most) return withSplits(shape, plan, plan.splits, facts);
  return most > 0 ? withSplits(shape, plan, most, facts) : withSplits(shape, registerTiles[0], 1, facts);
}

/**
 * The plan of a product and a sweep over its columns (or rows) in one pass: a tile has all units of a column, and the inner dimension one
 * part. Undefined where two passes are the better choice, or the only one.
 */
export function planSweep(shape: ProductShape, of: 'rows' | 'columns', facts: AdapterFacts, forced: Forced = {}): MatmulPlan | undefined {
  const plan = planOneSweep(ofOne(shape), of, facts, forced);
  return plan && forAll(shape, plan, facts);
}

function planOneSweep(shape: ProductShape, of: 'rows' | 'columns', facts: AdapterFacts, forced: Forced): MatmulPlan | undefined {
  const chosen = tunedOf('swept', facts, forced, (forced.matmul ?? forced.blocks ?? forced.splits) === undefined)?.(shape);
  if (chosen?.kernel === 'apart') return undefined;
  const [k, items] = of === 'rows' ? [shape.cols, shape.rows] : [shape.rows, shape.cols];
  const holds = planRegisters('sweptProduct', k, items, facts, forced);
  if (chosen && holds) return withSplits(shape, sweptTile(of, k, chosen), 1, facts);
  // On hardware X goes through workgroup memory, and the sweep, which reads as little as a factor, follows.
  if (!holds || (!facts.software && !forced.matmul)) return undefined;
  const tiles = sweptKernels.map((choice) => sweptTile(of, k, choice));
  const allowed = tiles.filter(({ algorithm, blocksA, blocksB }) => {
    if (forced.blocks && (forced.blocks[0] !== blocksA || forced.blocks[1] !== blocksB)) return false;
    return algorithm === (forced.matmul ?? (facts.subgroups ? tiles[0].algorithm : 'register'));
  });
  const plans = allowed.map((own) =>
    facts.software ? withSplits(shape, own, forced.splits ?? 1, facts) : split(shape, own, facts, forced),
  );
  const fused = leastOf(shape, plans);
  if (fused === undefined || fused.splits > 1) return undefined;
  if (forced.matmul) return fused;
  const sweep = cost.secondPass + (Math.ceil(items / 4) * k * k * cost.sweepLoad) / cores;
  return estimate(shape, fused) <= estimate(shape, planMatmul(shape, facts, forced)) + sweep ? fused : undefined;
}

/** The tiles that a product may end in a sweep in. */
export const sweptKernels: readonly SweptChoice[] = [
  { kernel: 'quad', blocks: 1 },
  { kernel: 'quad', blocks: 2 },
  { kernel: 'register', blocks: 1 },
];

/** A tile with all k unknowns of its lines. */
function sweptTile(of: 'rows' | 'columns', k: number, { kernel, blocks }: SweptChoice): Tile {
  const units = Math.ceil(k / 4);
  const [algorithm, blocksA, blocksB] =
    of === 'rows' ? (['quad-columns', blocks, units] as const) : (['quad-rows', units, blocks] as const);
  return { algorithm: kernel === 'register' ? kernel : algorithm, blocksA, blocksB };
}

/** Whether the device has the features and memory that a tile needs. */
export function runs(shape: ProductShape, tile: Tile, facts: AdapterFacts): boolean {
  if (isStaged(tile)) return !facts.software && stages(shape, tile, facts);
  return tile.algorithm === 'register' || facts.subgroups;
}

function isStaged(tile: Tile): tile is Tile & { algorithm: 'tiled' } {
  return tile.algorithm === 'tiled';
}

/** The candidates of a tuning: the untuned choice first, then tiles that run, each with the inner dimension in 1, 2, 4, … parts. */
export function candidatePlans(shape: ProductShape, facts: AdapterFacts, norm = false): MatmulPlan[] {
  const untuned = planMatmul(shape, { ...facts, tuned: undefined }, norm ? { splits: 1 } : {}, norm);
  const most = norm ? 1 : Math.min(facts.software ? 16 : 64, Math.max(1, shape.inner / shortestChunk));
  const parts = [1, 2, 4, 8, 16, 32, 64].filter((splits) => splits <= most);
  const estimateTile = (tile: Tile) => estimate(shape, withSplits(shape, tile, 1, facts));
  const quads = quadTiles(shape).sort((one, other) => estimateTile(one) - estimateTile(other));
  const staged = tileOf('tiled', shape, facts, {});
  const tiles = [...registerTiles, ...quads.slice(0, tunedQuads), ...(facts.software ? [] : [...smallQuads, staged, squareTile])].filter(
    (tile) => runs(shape, tile, facts),
  );
  const plans = tiles.flatMap((tile) => parts.map((splits) => withSplits(shape, tile, splits, facts)));
  return [untuned, ...plans].filter((plan, i, all) => all.findIndex((other) => sameChoice(plan, other)) === i);
}

/** Quad tiles that a tuning times: those of the least estimated time, which is that of a software adapter; so on others small ones, too. */
const tunedQuads = 6;
const smallQuads: readonly Tile[] = [
  { algorithm: 'quad-rows', blocksA: 4, blocksB: 1 },
  { algorithm: 'quad-columns', blocksA: 1, blocksB: 4 },
];

/** Another tile of workgroups, the same for all shapes. */
const squareTile: Tile = { algorithm: 'tiled', blocksA: 16, blocksB: 16 };

function sameChoice(one: ProductChoice, other: ProductChoice): boolean {
  return (['algorithm', 'blocksA', 'blocksB', 'splits'] as const).every((part) => one[part] === other[part]);
}

/**
 * The parts of the estimate, in ns of one core of a software adapter (SwiftShader; see docs/performance.md). Compiling a tile counts
 * as spread over a thousand iterations.
 */
const cost = {
  block: 180,
  blockProduct: 96,
  ownBlock: 120,
  sharedVec4: 65,
  turn: 40,
  stored: 250,
  sumVec4: 15,
  secondPass: 40_000,
  /** Of an entry of a Gram matrix, by four invocations of a sweep. */
  sweepLoad: 18,
  compiledBlock: 10_000,
};

/** The candidate of the least estimated time. */
function cheapest(shape: ProductShape, facts: AdapterFacts, forced: Forced): MatmulPlan {
  const tiles = forced.matmul
    ? [tileOf(forced.matmul, shape, facts, forced)]
    : [...registerTiles, ...(facts.subgroups ? quadTiles(shape) : [])].filter(
        ({ blocksA, blocksB }) => !forced.blocks || (forced.blocks[0] === blocksA && forced.blocks[1] === blocksB),
      );
  if (tiles.length === 0) tiles.push(tileOf('register', shape, facts, forced));
  const plans = tiles.flatMap((tile) =>
    forced.splits
      ? [withSplits(shape, tile, forced.splits, facts)]
      : [1, 2, 4, 8, 16]
          .filter((splits) => splits === 1 || shape.inner / splits >= shortestChunk)
          .map((splits) => withSplits(shape, tile, splits, facts)),
  );
  return leastOf(shape, plans)!;
}

function leastOf(shape: ProductShape, plans: readonly MatmulPlan[]): MatmulPlan | undefined {
  return plans.reduce<MatmulPlan | undefined>(
    (best, plan) => (best && estimate(shape, best) <= estimate(shape, plan) ? best : plan),
    undefined,
  );
}

/** Invocations run four at a time, a quad on a core, and a workgroup of four quads on one: the time is that of the busiest core. */
function estimate(shape: ProductShape, { algorithm, blocksA, blocksB, splits, chunk, layout }: MatmulPlan): number {
  const { rows, cols, batch } = shape;
  const perStep = loading(shape, algorithm, blocksA, blocksB) + blocksA * blocksB * cost.blockProduct;
  const perTile = Math.ceil(chunk / 4) * perStep + blocksA * blocksB * cost.stored;
  const quads = Math.ceil((layout.invocations * splits) / 4);
  const rounds = Math.min(quads, 4 * Math.ceil(quads / 4 / cores));
  const second = splits === 1 ? 0 : cost.secondPass + (splits * ((rows * cols) / 4) * batch * cost.sumVec4) / cores;
  return rounds * perTile + second + blocksA * blocksB * cost.compiledBlock;
}

/** The loads of an invocation in a step. Lanes of a quad take steps in turned order where they swap steps. */
function loading({ transposeA, transposeB }: ProductShape, algorithm: MatmulAlgorithm, blocksA: number, blocksB: number): number {
  if (algorithm === 'register') return (blocksA + blocksB) * cost.block;
  const [shared, own] = algorithm === 'quad-rows' ? [blocksA, blocksB] : [blocksB, blocksA];
  const turned = algorithm === 'quad-rows' ? transposeA && transposeB : !transposeA && !transposeB;
  return shared * cost.sharedVec4 + own * (cost.ownBlock + (turned ? cost.turn : 0));
}

/** Cores that the estimate counts on. */
const cores = 2;

/** Invocations that keep a GPU busy. Below this the inner dimension is split. */
const busy = 16384;

/** Splitting shorter inner dimensions costs more in the second pass than it gains. */
const shortestChunk = 64;

function split(shape: ProductShape, tile: Tile, facts: AdapterFacts, forced: Forced): MatmulPlan {
  if (isStaged(tile)) return withSplits(shape, tile, forced.splits ?? stagedSplits(shape, tile), facts);
  const wanted = Math.ceil(busy / layoutOf(shape, tile, facts).invocations);
  const most = Math.min(Math.floor(shape.inner / shortestChunk), 64);
  return withSplits(shape, tile, Math.max(1, forced.splits ?? Math.min(wanted, most)), facts);
}

/** Parts of the inner dimension, each of whole steps of its kernel: a part that ended within one would load the rest of it for nothing. */
function withSplits(shape: ProductShape, tile: Tile, wanted: number, facts: AdapterFacts): MatmulPlan {
  const layout = layoutOf(shape, tile, facts);
  const { DEPTH: step = 16 } = layout.sizes;
  const parts = Math.max(1, Math.min(wanted, Math.ceil(shape.inner / step)));
  const chunk = roundUp(Math.ceil(shape.inner / parts), step);
  return { ...tile, splits: Math.ceil(shape.inner / chunk), chunk, layout };
}

/** The tile that is forced, or the usual one of the algorithm. Where workgroups have no room for one, invocations work alone. */
function tileOf(algorithm: MatmulAlgorithm, shape: ProductShape, facts: AdapterFacts, { blocks }: Forced): Tile {
  if (algorithm === 'tiled' && !blocks) return stagedTile(shape, facts) ?? registerTiles[0];
  const [blocksA, blocksB] = blocks ?? { register: [1, 1], tiled: [16, 16], 'quad-rows': [4, 1], 'quad-columns': [1, 4] }[algorithm];
  return { algorithm, blocksA, blocksB };
}

function layoutOf(shape: ProductShape, tile: Tile, facts: AdapterFacts): Layout {
  const { rows, cols, batch } = shape;
  const { algorithm, blocksA, blocksB } = tile;
  if (isStaged(tile)) {
    const [x, y] = stagedGroups(shape, tile);
    const sizes = stagingOf(shape, tile, facts);
    return { invocations: x * y * batch * sizes.INVOCATIONS, squares: x * y * batch, sizes };
  }
  const tiles = Math.ceil(rows / (4 * blocksA)) * Math.ceil(cols / (4 * blocksB)) * batch;
  const alone = (invocations: number, sizes: Layout['sizes'] = {}) => ({ invocations, squares: invocations, sizes });
  if (algorithm === 'register') return alone(tiles);
  if (algorithm === 'quad-rows') {
    const { blocks, groups } = quads(rows, batch, blocksA, straddles(algorithm, shape));
    const own = roundUp(Math.ceil(cols / (4 * blocksB)), 4);
    return alone(own * groups, { BATCH: batch, ROW_BLOCKS: blocks, GROUPS: groups, OWN_TILES: own });
  }
  const { blocks, groups } = quads(cols, batch, blocksB, straddles(algorithm, shape));
  const own = roundUp(Math.ceil(rows / (4 * blocksA)), 4);
  return alone(own * groups, { BATCH: batch, COL_BLOCKS: blocks, GROUPS: groups, OWN_TILES: own });
}

/** Whether tiles of a quad may straddle restarts, since its other side is the same for all. */
function straddles(algorithm: MatmulAlgorithm, { batch, sharedA, sharedB }: ProductShape): boolean {
  return batch > 1 && Boolean(algorithm === 'quad-rows' ? sharedB : sharedA);
}

/** Blocks of a restart on the side that quads share, and tiles on that side over all restarts. */
function quads(size: number, batch: number, shared: number, straddling: boolean): { blocks: number; groups: number } {
  const blocks = straddling ? Math.ceil(size / 4) : roundUp(Math.ceil(size / 4), shared);
  return { blocks, groups: Math.ceil((blocks * batch) / shared) };
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
