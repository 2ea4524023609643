// F ← F ∘ numerator / (denominator + ε), the Hadamard-masked multiplicative update of Lee & Seung, four entries an invocation.
// Zeros stay zero, so padding does too. Bound by bandwidth: 3 reads, 1 write.
const COUNT: u32 = 1u; // @set vec4 of one F
const F_BATCH: u32 = 0u; // @set vec4 from one restart to the next
const NUMERATOR_BATCH: u32 = 0u; // @set
const DENOMINATOR_BATCH: u32 = 0u; // @set
const GRID: u32 = 64u; // @set invocations in one row of the grid

@group(0) @binding(0) var<storage, read> numerator: array<vec4f>;
@group(0) @binding(1) var<storage, read> denominator: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> F: array<vec4f>;

const EPSILON: f32 = 1e-10;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * GRID + id.x;
  if (at >= COUNT) { return; }
  let ratio = numerator[id.z * NUMERATOR_BATCH + at] / (denominator[id.z * DENOMINATOR_BATCH + at] + EPSILON);
  F[id.z * F_BATCH + at] *= ratio;
}
