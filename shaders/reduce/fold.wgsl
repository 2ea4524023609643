// One level of a sum or maximum: each invocation folds up to STEPS entries, GROUPS apart so that neighbours read neighbours.
// The order is fixed, so the result is the same in every run. Sums of at most √n terms keep rounding small. Bound by bandwidth.
const COUNT: u32 = 1u; // @size vec4 of one input, or entries if they are partial results
const GROUPS: u32 = 1u; // @size results of one input
const STEPS: u32 = 1u; // @size ceil(COUNT / GROUPS)
const IN_BATCH: u32 = 1u; // @size likewise, from one restart's input to the next
const OUT_BATCH: u32 = 1u; // @size entries from one restart's result to the next
const MAP: u32 = 0u; // @set one of reduce/terms
const MAXIMUM: bool = false; // @set maximum instead of sum

// @use grid
// @use reduce/terms

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let group = place.item;
  var total = 0.0;
  for (var step = 0u; step < STEPS; step++) {
    let at = step * GROUPS + group;
    if (at < COUNT) {
      let x = entry(place.restart * IN_BATCH + at);
      if (MAXIMUM) { total = max(total, x); } else { total += x; }
    }
  }
  let at = place.restart * OUT_BATCH + group;
  result[at] = total;
  // The last level writes a 1×1 tensor, with its padding.
  if (GROUPS == 1u) {
    for (var pad = 1u; pad < 4u; pad++) { result[at + pad] = 0.0; }
  }
}
