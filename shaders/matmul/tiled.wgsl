// C = scale · op(A) op(B), or the sum of squares of E − C, through workgroup memory: a tile of C per workgroup.
//
// The workgroup stages DEPTH steps of the inner dimension of both factors in `panels`; neighbouring invocations load neighbouring vec4 of
// a stored row. A side of C up to 64 fits into one tile, so that the factor with the other side is read from memory once. Invocations
// hold BLOCKS_A × BLOCKS_B blocks of 4×4 in registers. Where those are fewer than a workgroup has invocations, LAYERS of them share the
// steps, and their sums are added in a fixed order. Bound by bandwidth for thin products, by FMA and workgroup memory for others.
// Two barriers for DEPTH steps: CPU-backed adapters are better served by matmul/register.

// @use quotient
// @use matmul/operands
// @use matmul/epilogue
// @use matmul/blocks

const QUADS_A: u32 = 16u; // @set rows of a tile in fours, a power of two
const QUADS_B: u32 = 16u; // @set columns of a tile in fours, a power of two
const DEPTH: u32 = 16u; // @set steps of the inner dimension that are staged at once, a multiple of 4 LAYERS
const LAYERS: u32 = 1u; // @set invocations that share the steps of one block
const INVOCATIONS: u32 = 256u; // @set of a workgroup, a power of two
const LOADS_A: u32 = 1u; // @set pieces of A that an invocation stages: vec4, or blocks of 4×4 where they are turned
const LOADS_B: u32 = 1u; // @set
const PANELS: u32 = 512u; // @set vec4 of workgroup memory

alias Tile = array<vec4f, 4u * BLOCKS_A * BLOCKS_B>;

// Step t of the panel of A has the vec4 op(A)[4 i … 4 i + 3][t]; likewise B, behind it. Quads change places within a step, by the four
// steps that it belongs to: invocations that turn neighbouring blocks along the inner dimension then store to different banks.
var<workgroup> panels: array<vec4f, PANELS>;

const HIGH: u32 = QUADS_A / BLOCKS_A;
const WIDE: u32 = QUADS_B / BLOCKS_B;
const STEPS: u32 = DEPTH / LAYERS;

fn placeA(t: u32, i: u32) -> u32 {
  return t * QUADS_A + (i ^ ((t / 4u) & (QUADS_A - 1u)));
}

fn placeB(t: u32, j: u32) -> u32 {
  return DEPTH * QUADS_A + t * QUADS_B + (j ^ ((t / 4u) & (QUADS_B - 1u)));
}

// Stages op(A) at four times `quad` and below, from step `first`; steps from `end` on are zero. Where stored rows run over rows of C, one
// invocation turns a block, so that it stores whole vectors: a store to a component may store its vector, and no other invocation may
// write that.
fn stageA(base: u32, quad: u32, first: u32, end: u32, own: u32) {
  for (var n = 0u; n < LOADS_A; n++) { // @unroll
    let v = n * INVOCATIONS + own;
    if (TRANSPOSE_A) {
      let t = v / QUADS_A;
      let at = quad + v % QUADS_A;
      if (t < DEPTH) {
        panels[placeA(t, v % QUADS_A)] = kept(readA(base + (first + t) * A_STRIDE + at), (first + t < end) & (at < A_STRIDE));
      }
    } else {
      let q = v % (DEPTH / 4u);
      let i = v / (DEPTH / 4u);
      if (i < QUADS_A) {
        let row = 4u * (quad + i);
        let at = base + row * A_STRIDE + first / 4u + q;
        let here = first + 4u * q < end;
        let turned = transpose(mat4x4f(
          kept(readA(at), here & (row < ROWS)),
          kept(readA(at + A_STRIDE), here & (row + 1u < ROWS)),
          kept(readA(at + 2u * A_STRIDE), here & (row + 2u < ROWS)),
          kept(readA(at + 3u * A_STRIDE), here & (row + 3u < ROWS))));
        panels[placeA(4u * q, i)] = turned[0];
        panels[placeA(4u * q + 1u, i)] = turned[1];
        panels[placeA(4u * q + 2u, i)] = turned[2];
        panels[placeA(4u * q + 3u, i)] = turned[3];
      }
    }
  }
}

// As stageA.
fn stageB(base: u32, quad: u32, first: u32, end: u32, own: u32) {
  for (var n = 0u; n < LOADS_B; n++) { // @unroll
    let v = n * INVOCATIONS + own;
    if (!TRANSPOSE_B) {
      let t = v / QUADS_B;
      let at = quad + v % QUADS_B;
      if (t < DEPTH) {
        panels[placeB(t, v % QUADS_B)] = kept(readB(base + (first + t) * B_STRIDE + at), (first + t < end) & (at < B_STRIDE));
      }
    } else {
      let q = v % (DEPTH / 4u);
      let j = v / (DEPTH / 4u);
      if (j < QUADS_B) {
        let col = 4u * (quad + j);
        let at = base + col * B_STRIDE + first / 4u + q;
        let here = first + 4u * q < end;
        let turned = transpose(mat4x4f(
          kept(readB(at), here & (col < COLS)),
          kept(readB(at + B_STRIDE), here & (col + 1u < COLS)),
          kept(readB(at + 2u * B_STRIDE), here & (col + 2u < COLS)),
          kept(readB(at + 3u * B_STRIDE), here & (col + 3u < COLS))));
        panels[placeB(4u * q, j)] = turned[0];
        panels[placeB(4u * q + 1u, j)] = turned[1];
        panels[placeB(4u * q + 2u, j)] = turned[2];
        panels[placeB(4u * q + 3u, j)] = turned[3];
      }
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(local_invocation_index) own: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let batch = group.z / SPLITS;
  // The same for the whole workgroup, which may therefore leave before its barriers.
  if (EPILOGUE == NEEDED_RESIDUAL) {
    if (W[batch * W_BATCH].y == 0.0) { return; }
  }
  let split = group.z % SPLITS;
  let x = own % WIDE;
  let y = (own / WIDE) % HIGH;
  let layer = own / (WIDE * HIGH);
  let rowQuad = group.y * QUADS_A;
  let colQuad = group.x * QUADS_B;
  let end = min(INNER, (split + 1u) * CHUNK);
  var c: Tile;
  for (var first = split * CHUNK; first < end; first += DEPTH) {
    stageA(batch * A_BATCH, rowQuad, first, end, own);
    // From the other end, so that other invocations have the blocks that are too few for all.
    stageB(batch * B_BATCH, colQuad, first, end, INVOCATIONS - 1u - own);
    workgroupBarrier();
    for (var t = layer * STEPS; t < (layer + 1u) * STEPS; t += 4u) {
      for (var s = 0u; s < 4u; s++) { // @unroll
        var a = array<vec4f, BLOCKS_A>();
        var b = array<vec4f, BLOCKS_B>();
        for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
          a[p] = panels[placeA(t + s, y + p * HIGH)];
        }
        for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
          b[q] = panels[placeB(t + s, x + q * WIDE)];
        }
        for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
          for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
            for (var i = 0u; i < 4u; i++) { // @unroll
              c[(p * BLOCKS_B + q) * 4u + i] = fma(vec4f(a[p][i]), b[q], c[(p * BLOCKS_B + q) * 4u + i]);
            }
          }
        }
      }
    }
    workgroupBarrier();
  }
  // The upper half of the layers hands its sums to the lower half, until one is left.
  for (var left = LAYERS / 2u; left > 0u; left /= 2u) {
    let lanes = left * WIDE * HIGH;
    if ((own >= lanes) & (own < 2u * lanes)) {
      for (var v = 0u; v < 4u * BLOCKS_A * BLOCKS_B; v++) { // @unroll
        panels[v * lanes + own - lanes] = c[v];
      }
    }
    workgroupBarrier();
    if (own < lanes) {
      for (var v = 0u; v < 4u * BLOCKS_A * BLOCKS_B; v++) { // @unroll
        c[v] += panels[v * lanes + own];
      }
    }
    workgroupBarrier();
  }
  if (SQUARES) {
    var sum = vec4f(0.0);
    if (layer == 0u) {
      for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
        for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
          for (var i = 0u; i < 4u; i++) { // @unroll
            sum += squaresOf(batch, 4u * (rowQuad + y + p * HIGH) + i, colQuad + x + q * WIDE, c[(p * BLOCKS_B + q) * 4u + i]);
          }
        }
      }
    }
    panels[own] = sum;
    workgroupBarrier();
    for (var left = INVOCATIONS / 2u; left > 0u; left /= 2u) {
      if (own < left) { panels[own] += panels[own + left]; }
      workgroupBarrier();
    }
    if (own == 0u) { C[(batch * groups.y + group.y) * groups.x + group.x] = panels[0]; }
    return;
  }
  if (layer > 0u) { return; }
  for (var p = 0u; p < BLOCKS_A; p++) { // @unroll
    for (var q = 0u; q < BLOCKS_B; q++) { // @unroll
      for (var i = 0u; i < 4u; i++) { // @unroll
        store(batch, split, 4u * (rowQuad + y + p * HIGH) + i, colQuad + x + q * WIDE, c[(p * BLOCKS_B + q) * 4u + i]);
      }
    }
  }
}
