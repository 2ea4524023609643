// A mini-batch: out column c = X column order[(iteration · COLS + c) mod X_COLS]. One entry an invocation, bound by bandwidth (gather).
const COLS: u32 = 4u; // @size columns of out
const STRIDE: u32 = 4u; // @size entries per row of out
const X_COLS: u32 = 4u; // @size
const X_STRIDE: u32 = 4u; // @size entries per row of X
const X_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const ORDER_BATCH: u32 = 0u; // @size
const CONTROL_BATCH: u32 = 8u; // @size
const OUT_BATCH: u32 = 0u; // @size

// @use grid
// @use update/control

@group(0) @binding(0) var<storage, read> X: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<f32>;
@group(0) @binding(2) var<storage, read> control: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let entry = place.item;
  let i = entry / STRIDE;
  let c = entry % STRIDE;
  var value = 0.0;
  if (c < COLS) {
    let iteration = u32(control[place.restart * CONTROL_BATCH + ITERATION]);
    let position = ((iteration % X_COLS) * COLS + c) % X_COLS;
    let source = u32(order[place.restart * ORDER_BATCH + position]);
    value = X[place.restart * X_BATCH + i * X_STRIDE + source];
  }
  out[place.restart * OUT_BATCH + entry] = value;
}
