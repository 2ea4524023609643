// out = SCALE · X + OTHER_SCALE · Y, or X ∘ Y with PRODUCT; four entries an invocation, bound by bandwidth.
const X_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const Y_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size
const SCALE: f32 = 1.0; // @size
const OTHER_SCALE: f32 = 1.0; // @size
const PRODUCT: bool = false; // @set

// @use grid

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read> Y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let at = place.item;
  let x = X[place.restart * X_BATCH + at];
  let y = Y[place.restart * Y_BATCH + at];
  if (PRODUCT) { out[place.restart * OUT_BATCH + at] = x * y; } else { out[place.restart * OUT_BATCH + at] = SCALE * x + OTHER_SCALE * y; }
}
