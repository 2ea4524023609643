// values[e] = x · max(L Dᵀ, Q)^P at the stored entries x of op(X), in the order of its lines: the product is formed at these entries only. An
// invocation takes the head of a line, or a tail. Bound by the gathers of D, 4 k bytes an entry.
const ENTRIES: u32 = 0u; // @size stored entries
const VALUES_STRIDE: u32 = 4u; // @size the same with padding
const VALUES_BATCH: u32 = 0u; // @size entries from one restart's values to the next
const P: f32 = 1.0; // @size
const Q: f32 = 0.0; // @size the least base of a power

// @use grid
// @use sparse/gather
// @use sparse/sampled

@group(0) @binding(0) var<storage, read> X: array<vec2u>;
@group(0) @binding(1) var<storage, read> L: array<vec4f>;
@group(0) @binding(2) var<storage, read> D: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let segment = segmentAt(place.item);
  let own = place.restart * VALUES_BATCH;
  for (var e = segment.first; e < segment.end; e++) {
    let entry = X[ENTRIES_AT + e];
    values[own + e] = bitcast<f32>(entry.y) * pow(max(sampled(place.restart, segment.line, entry.x), Q), P);
  }
  if (place.item == 0u) {
    for (var e = ENTRIES; e < VALUES_STRIDE; e++) { values[own + e] = 0.0; }
  }
}
