// out = Xᵀ, a 4×4 block an invocation through registers; reads and writes are vec4. Bound by bandwidth.
const ROWS: u32 = 4u; // @size rows of X
const COLS: u32 = 4u; // @size columns of X
const X_STRIDE: u32 = 1u; // @size vec4 per row of X
const OUT_STRIDE: u32 = 1u; // @size vec4 per row of out
const X_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const OUT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

fn loadRow(batch: u32, i: u32, colTile: u32) -> vec4f {
  return select(vec4f(0.0), X[batch * X_BATCH + i * X_STRIDE + colTile], i < ROWS);
}

fn storeRow(batch: u32, j: u32, rowTile: u32, value: vec4f) {
  if (j < COLS) { out[batch * OUT_BATCH + j * OUT_STRIDE + rowTile] = value; }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let tile = place.item;
  let rowTile = tile / X_STRIDE;
  let colTile = tile % X_STRIDE;
  let i = rowTile * 4u;
  let j = colTile * 4u;
  let turned = transpose(mat4x4f(loadRow(place.restart, i, colTile), loadRow(place.restart, i + 1u, colTile), loadRow(place.restart, i + 2u, colTile), loadRow(place.restart, i + 3u, colTile)));
  storeRow(place.restart, j, rowTile, turned[0]);
  storeRow(place.restart, j + 1u, rowTile, turned[1]);
  storeRow(place.restart, j + 2u, rowTile, turned[2]);
  storeRow(place.restart, j + 3u, rowTile, turned[3]);
}
