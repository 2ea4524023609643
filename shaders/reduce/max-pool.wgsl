// The largest of every SIZE neighbouring rows of a column, and a 0/1 selector that marks the first row that has it.
// One invocation a group and column; bound by bandwidth.
const ROWS: u32 = 4u; // @size rows of S
const STRIDE: u32 = 4u; // @size entries per row
const SIZE: u32 = 2u; // @size
const S_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const POOLED_BATCH: u32 = 0u; // @size
const SELECTOR_BATCH: u32 = 0u; // @size
const COLS: u32 = 4u; // @size columns of S

// @use grid

@group(0) @binding(0) var<storage, read> S: array<f32>;
@group(0) @binding(1) var<storage, read_write> pooled: array<f32>;
@group(0) @binding(2) var<storage, read_write> selector: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let group = place.item / STRIDE;
  let column = place.item % STRIDE;
  let end = min(ROWS, (group + 1u) * SIZE);
  var best = group * SIZE;
  for (var i = best + 1u; i < end; i++) {
    if (S[place.restart * S_BATCH + i * STRIDE + column] > S[place.restart * S_BATCH + best * STRIDE + column]) { best = i; }
  }
  pooled[place.restart * POOLED_BATCH + group * STRIDE + column] = S[place.restart * S_BATCH + best * STRIDE + column];
  for (var i = group * SIZE; i < end; i++) {
    selector[place.restart * SELECTOR_BATCH + i * STRIDE + column] = select(0.0, 1.0, i == best && column < COLS);
  }
}
