// C = scale · op(A) op(B), a tile of C in registers per invocation; no barriers, no workgroup memory.
// Per step of four along the inner dimension 4 (BLOCKS_A + BLOCKS_B) vec4 loads and 16 BLOCKS_A · BLOCKS_B vec4 FMA: bound by loads for
// small tiles, by FMA for large ones.

// @use quotient
// @use matmul/operands
// @use matmul/epilogue
// @use matmul/blocks
// @use matmul/sweep
// @use random

// @use grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let tileCols = (COLS + 4u * BLOCKS_B - 1u) / (4u * BLOCKS_B);
  let row = (place.item / tileCols) * (4u * BLOCKS_A);
  let col = (place.item % tileCols) * (4u * BLOCKS_B);
  let batch = place.restart / SPLITS;
  let split = place.restart % SPLITS;
  let end = min(INNER, (split + 1u) * CHUNK);
  var c: Tile;
  for (var t = split * CHUNK; t < end; t += 4u) {
    var a = array<mat4x4f, BLOCKS_A>();
    var b = array<mat4x4f, BLOCKS_B>();
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      a[p] = blockOfA(batch * A_BATCH, row + 4u * p, t);
    }
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      b[q] = blockOfB(batch * B_BATCH, t, col + 4u * q);
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
  if (SQUARES) {
    var sum = vec4f(0.0);
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          sum += squaresOf(batch, row + 4u * p + i, col / 4u + q, c[(p * BLOCKS_B + q) * 4u + i]);
        }
      }
    }
    C[place.restart * ITEMS + place.item] = sum;
    return;
  }
  if (SWEPT > 0u) { sweep(&c, batch, select(col, row, OF_ROWS)); }
  // A loop, not written out: stores take long to compile. Each round hands the next rows of the tile down to the first.
  for (var p = 0u; p < BLOCKS_A; p++) {
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      for (var i = 0u; i < 4u; i++) { // @unroll
        store(batch, split, row + 4u * p + i, col / 4u + q, c[q * 4u + i]);
      }
    }
    for (var v = 0u; v < 4u * BLOCKS_A * BLOCKS_B - 4u * BLOCKS_B; v++) { // @unroll
      c[v] = c[v + 4u * BLOCKS_B];
    }
  }
  if (SWEPT > 0u) { revive(batch, select(col, row, OF_ROWS), 4u * OWN); }
}
