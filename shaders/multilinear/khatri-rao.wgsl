// out[i J + j] = A[i] ∘ B[j], the Khatri–Rao product of A (I×R) and B (J×R). Four columns an invocation, bound by bandwidth: the factors
// come from caches.
const B_ROWS: u32 = 1u; // @size J
const STRIDE: u32 = 1u; // @size vec4 per row of out, and of A and B
const A_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> A: array<vec4f>;
@group(0) @binding(1) var<storage, read> B: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let row = place.item / STRIDE;
  let column = place.item % STRIDE;
  let a = A[place.restart * A_BATCH + (row / B_ROWS) * STRIDE + column];
  let b = B[place.restart * B_BATCH + (row % B_ROWS) * STRIDE + column];
  out[place.restart * OUT_BATCH + place.item] = a * b;
}
