// C = scale · op(A) op(B) where four neighbouring invocations, a quad, share 16 rows of op(A) and each has columns of its own.
//
// Lane l reads the l-th block of rows and gets the other three by swapping within the quad, so that 1 + BLOCKS_B blocks read serve
// 4 BLOCKS_B block products. Bound by FMA where swaps are cheap. What lane l holds as number x is block l ^ x, so only stores look
// at the lane. Blocks of rows are counted across restarts where B is the same for all (ROW_BLOCKS is then not rounded up to a quad).
enable subgroups;
diagnostic(off, subgroup_uniformity);

// @use epsilon
// @use matmul/blocks

const BATCH: u32 = 1u; // @size restarts
const ROW_BLOCKS: u32 = 4u; // @size blocks of rows in a restart
const GROUPS: u32 = 1u; // @size quads of blocks of rows, over all restarts
const OWN_TILES: u32 = 4u; // @size tiles of columns, a multiple of 4
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let flat = id.y * GRID + id.x;
  let lane = flat % 4u;
  let col = (flat % OWN_TILES) * (4u * BLOCKS_B);
  let group = (flat / OWN_TILES) % GROUPS;
  // Invocations past the end have no steps and store nothing; the quad needs them.
  let split = flat / (OWN_TILES * GROUPS);
  let end = min(INNER, (split + 1u) * CHUNK);
  let mine = 4u * group + lane;
  let a0 = (mine / ROW_BLOCKS) * A_BATCH;
  let b0 = (4u * group / ROW_BLOCKS) * B_BATCH;
  let row = (mine % ROW_BLOCKS) * 4u;
  var c: array<vec4f, 16u * BLOCKS_B>;
  for (var t = split * CHUNK; t < end; t += 4u) {
    var a: array<mat4x4f, 4>;
    var b: array<mat4x4f, BLOCKS_B>;
    a[0] = blockOfA(a0, row, t);
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      b[q] = blockOfB(b0, t, col + 4u * q);
    }
    for (var s = 0u; s < 4u; s++) { // @unroll
      a[1][s] = quadSwapX(a[0][s]);
      a[2][s] = quadSwapY(a[0][s]);
      a[3][s] = quadSwapDiagonal(a[0][s]);
    }
    for (var x = 0u; x < 4u; x++) { // @unroll
      for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          let sum = fma(vec4f(a[x][1][i]), b[q][1], fma(vec4f(a[x][0][i]), b[q][0], c[(x * BLOCKS_B + q) * 4u + i]));
          c[(x * BLOCKS_B + q) * 4u + i] = fma(vec4f(a[x][3][i]), b[q][3], fma(vec4f(a[x][2][i]), b[q][2], sum));
        }
      }
    }
  }
  if (SQUARES) {
    var sum = vec4f(0.0);
    for (var x = 0u; x < 4u; x++) { // @unroll
      for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          let theirs = 4u * group + (lane ^ x);
          sum += squaresOf(theirs / ROW_BLOCKS, (theirs % ROW_BLOCKS) * 4u + i, col / 4u + q, c[(x * BLOCKS_B + q) * 4u + i]);
        }
      }
    }
    if (split < SPLITS) { C[flat] = sum; }
    return;
  }
  // A loop, not written out: stores are what takes long to compile. Each round hands the next quarter of the tile down to the first.
  for (var x = 0u; x < 4u; x++) {
    let theirs = 4u * group + (lane ^ x);
    let row = select(ROWS, (theirs % ROW_BLOCKS) * 4u, split < SPLITS && theirs < ROW_BLOCKS * BATCH);
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      for (var i = 0u; i < 4u; i++) { // @unroll
        store(theirs / ROW_BLOCKS, split, row + i, col / 4u + q, c[q * 4u + i]);
      }
    }
    for (var v = 0u; v < 12u * BLOCKS_B; v++) { // @unroll
      c[v] = c[v + 4u * BLOCKS_B];
    }
  }
}
