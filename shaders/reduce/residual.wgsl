// Partial sums of ‖W ∘ (X − A Z)‖²: each invocation forms a 4×4 tile of X − AZ in registers and never stores it.
// X is read once; bound by bandwidth at small k, by FMA beyond k ≈ 16. reduce/fold adds the tiles up.
const ROWS: u32 = 4u; // @size rows of X
const COLS: u32 = 4u; // @size columns of X
const K: u32 = 4u; // @size columns of A
const X_STRIDE: u32 = 1u; // @size vec4 per row
const A_STRIDE: u32 = 1u; // @size vec4 per row
const X_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const A_BATCH: u32 = 0u; // @size
const Z_BATCH: u32 = 0u; // @size
const W_BATCH: u32 = 0u; // @size
const WEIGHTED: bool = false; // @set
const OUT_BATCH: u32 = 4u; // @size entries from one restart's partial sums to the next

// @use grid

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read> A: array<vec4f>;
@group(0) @binding(2) var<storage, read> Z: array<vec4f>;
@group(0) @binding(3) var<storage, read> W: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

fn square(batch: u32, row: u32, colTile: u32, r: vec4f) -> f32 {
  if (row >= ROWS) { return 0.0; }
  if (WEIGHTED) {
    let weighted = r * W[batch * W_BATCH + row * X_STRIDE + colTile];
    return dot(weighted, weighted);
  }
  return dot(r, r);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let tile = place.item;
  let colTiles = (COLS + 3u) / 4u;
  let batch = place.restart;
  let row = (tile / colTiles) * 4u;
  let colTile = tile % colTiles;
  let x = batch * X_BATCH + row * X_STRIDE + colTile;
  let a = batch * A_BATCH + row * A_STRIDE;
  let z = batch * Z_BATCH + colTile;
  var r0 = X[x];
  var r1 = X[x + X_STRIDE];
  var r2 = X[x + 2u * X_STRIDE];
  var r3 = X[x + 3u * X_STRIDE];
  for (var q = 0u; q < A_STRIDE; q++) {
    let a0 = A[a + q];
    let a1 = A[a + A_STRIDE + q];
    let a2 = A[a + 2u * A_STRIDE + q];
    let a3 = A[a + 3u * A_STRIDE + q];
    for (var s = 0u; s < min(4u, K - q * 4u); s++) {
      let b = Z[z + (q * 4u + s) * X_STRIDE];
      r0 = fma(vec4f(-a0[s]), b, r0);
      r1 = fma(vec4f(-a1[s]), b, r1);
      r2 = fma(vec4f(-a2[s]), b, r2);
      r3 = fma(vec4f(-a3[s]), b, r3);
    }
  }
  partials[batch * OUT_BATCH + tile] = (square(batch, row, colTile, r0) + square(batch, row + 1u, colTile, r1))
    + (square(batch, row + 2u, colTile, r2) + square(batch, row + 3u, colTile, r3));
}
