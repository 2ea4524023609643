// Partial sums of Σ (x − az)² over the stored entries of a CSR X: AZ is formed at these entries only. D is Zᵀ, L is A. An invocation takes
// the head of a line, or a tail. Bound by the gathers of D, 4 k bytes an entry.
const OUT_BATCH: u32 = 4u; // @size entries from one restart's partial sums to the next

// @use grid
// @use sparse/gather
// @use sparse/sampled

@group(0) @binding(0) var<storage, read> X: array<vec2u>;
@group(0) @binding(1) var<storage, read> L: array<vec4f>;
@group(0) @binding(2) var<storage, read> D: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let segment = segmentAt(place.item);
  var sum = 0.0;
  for (var e = segment.first; e < segment.end; e++) {
    let entry = X[ENTRIES_AT + e];
    let r = bitcast<f32>(entry.y) - sampled(place.restart, segment.line, entry.x);
    sum = fma(r, r, sum);
  }
  partials[place.restart * OUT_BATCH + place.item] = sum;
}
