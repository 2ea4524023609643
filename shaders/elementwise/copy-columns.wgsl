// Copies a range of columns of X to a place in out, a vec4 of a row an invocation. Bound by bandwidth.
const WIDTH: u32 = 1u; // @size vec4 of a row that are copied
const X_STRIDE: u32 = 1u; // @size vec4 per row of X
const OUT_STRIDE: u32 = 1u; // @size vec4 per row of out
const FROM: u32 = 0u; // @size the first vec4 of a row of X
const TO: u32 = 0u; // @size the first vec4 of a row of out
const X_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const OUT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let i = place.item / WIDTH;
  let at = place.item % WIDTH;
  out[place.restart * OUT_BATCH + i * OUT_STRIDE + TO + at] = X[place.restart * X_BATCH + i * X_STRIDE + FROM + at];
}
