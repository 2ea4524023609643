// out = X + SCALE · y for a scalar y that lives on the device. One entry an invocation, bound by bandwidth.
const COLS: u32 = 4u; // @size
const STRIDE: u32 = 4u; // @size entries per row
const X_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const Y_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size
const SCALE: f32 = 1.0; // @size

// @use grid

@group(0) @binding(0) var<storage, read> X: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let entry = place.item;
  out[place.restart * OUT_BATCH + entry] = select(0.0, X[place.restart * X_BATCH + entry] + SCALE * y[place.restart * Y_BATCH], entry % STRIDE < COLS);
}
