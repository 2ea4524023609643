// C = scale · op(A) op(B) where the four invocations of a quad share the 4 BLOCKS_A rows of their tile and each has columns of its own.
//
// BLOCKS_A vec4 of op(A) and BLOCKS_B blocks of op(B) serve BLOCKS_A · BLOCKS_B block products, so thin products have no more rows than
// they need. Bound by FMA where swaps are cheap. Where B is the same for all restarts, blocks of rows are counted across restarts, and
// ROW_BLOCKS is not rounded up to a tile.
enable subgroups;
diagnostic(off, subgroup_uniformity);

// @use quotient
// @use matmul/operands
// @use matmul/epilogue
// @use matmul/blocks
// @use matmul/quads
// @use matmul/sweep
// @use random

const ROW_BLOCKS: u32 = 4u; // @size blocks of rows in a restart

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let flat = id.y * GRID + id.x;
  let lane = flat % 4u;
  let col = (flat % OWN_TILES) * (4u * BLOCKS_B);
  let first = ((flat / OWN_TILES) % GROUPS) * BLOCKS_A;
  // Invocations past the end have no steps and store nothing; the quad needs them.
  let split = flat / (OWN_TILES * GROUPS);
  let start = split * CHUNK;
  let end = min(INNER, start + CHUNK);
  let b0 = (first / ROW_BLOCKS) * B_BATCH;
  var at: array<u32, BLOCKS_A>; // place of this lane's part of a block of rows at the first step
  for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
    let row = ((first + p) % ROW_BLOCKS) * 4u;
    at[p] = ((first + p) / ROW_BLOCKS) * A_BATCH + select((row + lane) * A_STRIDE, lane * A_STRIDE + row / 4u, TRANSPOSE_A);
  }
  var c: Tile;
  for (var t = start; t < end; t += 4u) {
    var a = array<mat4x4f, BLOCKS_A>(); // column s: step s, or l ^ s, of the rows
    var b = array<mat4x4f, BLOCKS_B>();
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      if (TRANSPOSE_A) {
        a[p] = swapped(kept(readA(at[p] + t * A_STRIDE), t + lane < INNER));
      } else {
        a[p] = transpose(swapped(readA(at[p] + t / 4u)));
      }
    }
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      b[q] = ownBlock(b0, t, col + 4u * q, lane);
    }
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          let sum = fma(vec4f(a[p][1][i]), b[q][1], fma(vec4f(a[p][0][i]), b[q][0], c[(p * BLOCKS_B + q) * 4u + i]));
          c[(p * BLOCKS_B + q) * 4u + i] = fma(vec4f(a[p][3][i]), b[q][3], fma(vec4f(a[p][2][i]), b[q][2], sum));
        }
      }
    }
  }
  let turned = select(lane, 0u, TRANSPOSE_A); // row i of a block is held as number i ^ turned
  if (SQUARES) {
    var sum = vec4f(0.0);
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      let restart = (first + p) / ROW_BLOCKS;
      let row = ((first + p) % ROW_BLOCKS) * 4u;
      for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          sum += squaresOf(restart, row + (i ^ turned), col / 4u + q, c[(p * BLOCKS_B + q) * 4u + i]);
        }
      }
    }
    if (split < SPLITS) { C[flat] = sum; }
    return;
  }
  if (SWEPT > 0u) { sweep(&c, first / ROW_BLOCKS, col); }
  // A loop, not written out: stores take long to compile. Each round hands the next rows of the tile down to the first.
  for (var p = 0u; p < BLOCKS_A; p++) {
    let restart = (first + p) / ROW_BLOCKS;
    let row = select(ROWS, ((first + p) % ROW_BLOCKS) * 4u, (split < SPLITS) & (restart < BATCH));
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      for (var i = 0u; i < 4u; i++) { // @unroll
        store(restart, split, row + (i ^ turned), col / 4u + q, c[q * 4u + i]);
      }
    }
    for (var v = 0u; v < 4u * BLOCKS_A * BLOCKS_B - 4u * BLOCKS_B; v++) { // @unroll
      c[v] = c[v + 4u * BLOCKS_B];
    }
  }
  if (SWEPT > 0u) { revive(first / ROW_BLOCKS, col, select(0u, 4u * BLOCKS_B, (split < SPLITS) & (first / ROW_BLOCKS < BATCH))); }
}

// Column s holds op(B)[t + s][col … col+3], in the order in which the quad takes its steps.
fn ownBlock(base: u32, t: u32, col: u32, lane: u32) -> mat4x4f {
  if (!TRANSPOSE_A) { return blockOfB(base, t, col); }
  if (TRANSPOSE_B) { return transpose(blockByLane(transpose(blockOfB(base, t, col)), lane)); }
  let at = base + t * B_STRIDE + col / 4u;
  let left = INNER - t;
  return mat4x4f(ownStep(at, lane, left), ownStep(at, lane ^ 1u, left), ownStep(at, lane ^ 2u, left), ownStep(at, lane ^ 3u, left));
}

fn ownStep(at: u32, step: u32, left: u32) -> vec4f {
  return kept(readB(at + step * B_STRIDE), step < left);
}
