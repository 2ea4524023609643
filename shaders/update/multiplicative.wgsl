// F ← F ∘ (numerator / denominator)^POWER, the multiplicative update, four entries an invocation.
// Zeros stay zero, so padding does too. Bound by bandwidth: 3 reads, 1 write.
const F_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const NUMERATOR_BATCH: u32 = 0u; // @size
const DENOMINATOR_BATCH: u32 = 0u; // @size
const POWER: f32 = 1.0; // @size 1 is Lee & Seung's

// @use grid

@group(0) @binding(0) var<storage, read> numerator: array<vec4f>;
@group(0) @binding(1) var<storage, read> denominator: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> F: array<vec4f>;

// @use quotient

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let at = place.item;
  var ratio = quotients(numerator[place.restart * NUMERATOR_BATCH + at], denominator[place.restart * DENOMINATOR_BATCH + at]);
  if (POWER == 0.5) { ratio = sqrt(ratio); } else if (POWER != 1.0) { ratio = pow(ratio, vec4f(POWER)); }
  F[place.restart * F_BATCH + at] *= ratio;
}
