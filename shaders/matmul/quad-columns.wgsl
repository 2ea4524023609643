// C = scale · op(A) op(B) where the four invocations of a quad share the 4 BLOCKS_B columns of their tile and each has rows of its own.
//
// The mirror image of matmul/quad-rows: BLOCKS_A blocks of op(A) and BLOCKS_B vec4 of op(B) serve BLOCKS_A · BLOCKS_B block products.
// Bound by FMA where swaps are cheap. Where A is the same for all restarts, blocks of columns are counted across restarts, and COL_BLOCKS
// is not rounded up to a tile.
enable subgroups;
diagnostic(off, subgroup_uniformity);

// @use quotient
// @use matmul/operands
// @use matmul/epilogue
// @use matmul/blocks
// @use matmul/quads
// @use matmul/sweep
// @use random

const COL_BLOCKS: u32 = 4u; // @size blocks of columns in a restart

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let flat = id.y * GRID + id.x;
  let lane = flat % 4u;
  let row = (flat % OWN_TILES) * (4u * BLOCKS_A);
  let first = ((flat / OWN_TILES) % GROUPS) * BLOCKS_B;
  // Invocations past the end have no steps and store nothing; the quad needs them.
  let split = flat / (OWN_TILES * GROUPS);
  let start = split * CHUNK;
  let end = min(INNER, start + CHUNK);
  let a0 = (first / COL_BLOCKS) * A_BATCH;
  var at: array<u32, BLOCKS_B>; // place of this lane's part of a block of columns at the first step
  for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
    let col = ((first + q) % COL_BLOCKS) * 4u;
    at[q] = ((first + q) / COL_BLOCKS) * B_BATCH + select(lane * B_STRIDE + col / 4u, (col + lane) * B_STRIDE, TRANSPOSE_B);
  }
  var c: Tile;
  for (var t = start; t < end; t += 4u) {
    var a = array<mat4x4f, BLOCKS_A>();
    var b = array<mat4x4f, BLOCKS_B>(); // column s: step s, or l ^ s, of the columns
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      a[p] = ownBlock(a0, row + 4u * p, t, lane);
    }
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      if (TRANSPOSE_B) {
        b[q] = transpose(swapped(readB(at[q] + t / 4u)));
      } else {
        b[q] = swapped(kept(readB(at[q] + t * B_STRIDE), t + lane < INNER));
      }
    }
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          let sum = fma(vec4f(a[p][1][i]), b[q][1], fma(vec4f(a[p][0][i]), b[q][0], c[(q * BLOCKS_A + p) * 4u + i]));
          c[(q * BLOCKS_A + p) * 4u + i] = fma(vec4f(a[p][3][i]), b[q][3], fma(vec4f(a[p][2][i]), b[q][2], sum));
        }
      }
    }
  }
  for (var v = 0u; v < 4u * BLOCKS_A * SWEPT; v++) { // @unroll
    c[v] = byLane(c[v], lane);
  }
  if (SWEPT > 0u) { sweep(&c, first / COL_BLOCKS, row); }
  let turned = select(0u, lane, TRANSPOSE_B & (SWEPT == 0u)); // column i of a block is held as component i ^ turned
  if (SQUARES) {
    var sum = vec4f(0.0);
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      let restart = (first + q) / COL_BLOCKS;
      let colTile = (first + q) % COL_BLOCKS;
      for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          sum += squaresOf(restart, row + 4u * p + i, colTile, byLane(c[(q * BLOCKS_A + p) * 4u + i], turned));
        }
      }
    }
    if (split < SPLITS) { C[flat] = sum; }
    return;
  }
  // A loop, not written out: stores take long to compile. Each round hands the next columns of the tile down to the first.
  for (var q = 0u; q < BLOCKS_B; q++) {
    let restart = (first + q) / COL_BLOCKS;
    let colTile = select(C_STRIDE, (first + q) % COL_BLOCKS, (split < SPLITS) & (restart < BATCH));
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      for (var i = 0u; i < 4u; i++) { // @unroll
        store(restart, split, row + 4u * p + i, colTile, byLane(c[p * 4u + i], turned));
      }
    }
    for (var v = 0u; v < 4u * BLOCKS_A * BLOCKS_B - 4u * BLOCKS_A; v++) { // @unroll
      c[v] = c[v + 4u * BLOCKS_A];
    }
  }
  if (SWEPT > 0u) { revive(first / COL_BLOCKS, row, select(0u, 4u * BLOCKS_A, (split < SPLITS) & (first / COL_BLOCKS < BATCH))); }
}

// Column s holds op(A)[row … row+3][t + s], in the order in which the quad takes its steps.
fn ownBlock(base: u32, row: u32, t: u32, lane: u32) -> mat4x4f {
  if (TRANSPOSE_B) { return blockOfA(base, row, t); }
  if (!TRANSPOSE_A) { return transpose(blockByLane(transpose(blockOfA(base, row, t)), lane)); }
  let at = base + t * A_STRIDE + row / 4u;
  let left = INNER - t;
  return mat4x4f(ownStep(at, lane, left), ownStep(at, lane ^ 1u, left), ownStep(at, lane ^ 2u, left), ownStep(at, lane ^ 3u, left));
}

fn ownStep(at: u32, step: u32, left: u32) -> vec4f {
  return kept(readA(at + step * A_STRIDE), step < left);
}
