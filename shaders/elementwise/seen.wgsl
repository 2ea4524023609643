// out = 0 where X has the mark of a missing value, which is −0, and 1 elsewhere; four entries an invocation, bound by bandwidth. The bits are
// compared, for a device may take −0 for 0. The padding is written as zero.
const COLS: u32 = 4u; // @size
const STRIDE: u32 = 1u; // @size vec4 per row
const X_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const OUT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> X: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let columns = vec4u(place.item % STRIDE * 4u) + vec4u(0u, 1u, 2u, 3u);
  let shown = (X[place.restart * X_BATCH + place.item] != vec4u(0x80000000u)) & (columns < vec4u(COLS));
  out[place.restart * OUT_BATCH + place.item] = select(vec4f(0.0), vec4f(1.0), shown);
}
