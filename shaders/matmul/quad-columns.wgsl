// C = scale · op(A) op(B) where four neighbouring invocations, a quad, share 16 columns of op(B) and each has rows of its own.
//
// The mirror image of matmul/quad-rows: lane l reads the l-th block of columns and swaps for the other three, so that BLOCKS_A + 1
// blocks read serve 4 BLOCKS_A block products. Bound by FMA where swaps are cheap. Blocks of columns are counted across restarts
// where A is the same for all (COL_BLOCKS is then not rounded up to a quad).
enable subgroups;
diagnostic(off, subgroup_uniformity);

// @use epsilon
// @use matmul/blocks

const BATCH: u32 = 1u; // @size restarts
const COL_BLOCKS: u32 = 4u; // @size blocks of columns in a restart
const GROUPS: u32 = 1u; // @size quads of blocks of columns, over all restarts
const OWN_TILES: u32 = 4u; // @size tiles of rows, a multiple of 4
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let flat = id.y * GRID + id.x;
  let lane = flat % 4u;
  let row = (flat % OWN_TILES) * (4u * BLOCKS_A);
  let group = (flat / OWN_TILES) % GROUPS;
  // Invocations past the end have no steps and store nothing; the quad needs them.
  let split = flat / (OWN_TILES * GROUPS);
  let end = min(INNER, (split + 1u) * CHUNK);
  let mine = 4u * group + lane;
  let a0 = (4u * group / COL_BLOCKS) * A_BATCH;
  let b0 = (mine / COL_BLOCKS) * B_BATCH;
  let col = (mine % COL_BLOCKS) * 4u;
  var c: array<vec4f, 16u * BLOCKS_A>;
  for (var t = split * CHUNK; t < end; t += 4u) {
    var a: array<mat4x4f, BLOCKS_A>;
    var b: array<mat4x4f, 4>;
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      a[p] = blockOfA(a0, row + 4u * p, t);
    }
    b[0] = blockOfB(b0, t, col);
    for (var s = 0u; s < 4u; s++) { // @unroll
      b[1][s] = quadSwapX(b[0][s]);
      b[2][s] = quadSwapY(b[0][s]);
      b[3][s] = quadSwapDiagonal(b[0][s]);
    }
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      for (var x = 0u; x < 4u; x++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          let sum = fma(vec4f(a[p][1][i]), b[x][1], fma(vec4f(a[p][0][i]), b[x][0], c[(x * BLOCKS_A + p) * 4u + i]));
          c[(x * BLOCKS_A + p) * 4u + i] = fma(vec4f(a[p][3][i]), b[x][3], fma(vec4f(a[p][2][i]), b[x][2], sum));
        }
      }
    }
  }
  if (SQUARES) {
    var sum = vec4f(0.0);
    for (var x = 0u; x < 4u; x++) { // @unroll
      for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
        for (var i = 0u; i < 4u; i++) { // @unroll
          let theirs = 4u * group + (lane ^ x);
          sum += squaresOf(theirs / COL_BLOCKS, row + 4u * p + i, theirs % COL_BLOCKS, c[(x * BLOCKS_A + p) * 4u + i]);
        }
      }
    }
    if (split < SPLITS) { C[flat] = sum; }
    return;
  }
  // A loop, not written out: stores are what takes long to compile. Each round hands the next quarter of the tile down to the first.
  for (var x = 0u; x < 4u; x++) {
    let theirs = 4u * group + (lane ^ x);
    let colTile = select(C_STRIDE, theirs % COL_BLOCKS, split < SPLITS && theirs < COL_BLOCKS * BATCH);
    for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
      for (var i = 0u; i < 4u; i++) { // @unroll
        store(theirs / COL_BLOCKS, split, row + 4u * p + i, colTile, c[p * 4u + i]);
      }
    }
    for (var v = 0u; v < 12u * BLOCKS_A; v++) { // @unroll
      c[v] = c[v + 4u * BLOCKS_A];
    }
  }
}
