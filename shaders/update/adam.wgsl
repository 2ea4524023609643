// Adam (Kingma & Ba 2015) with a projection: A ← max(A − RATE · m̂ / (√v̂ + GUARD), 0), or without it with FREE. Four entries an
// invocation, bound by bandwidth. The bias correction takes its t from the control vector's iteration.
const D_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const A_BATCH: u32 = 0u; // @size
const FIRST_BATCH: u32 = 0u; // @size
const SECOND_BATCH: u32 = 0u; // @size
const CONTROL_BATCH: u32 = 8u; // @size entries from one restart to the next
const RATE: f32 = 0.01; // @size
const BETA1: f32 = 0.9; // @size
const BETA2: f32 = 0.999; // @size
const GUARD: f32 = 1e-8; // @size
const FREE: bool = false; // @set

// @use grid
// @use update/control

@group(0) @binding(0) var<storage, read> D: array<vec4f>;
@group(0) @binding(1) var<storage, read> control: array<f32>;
@group(0) @binding(2) var<storage, read_write> A: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> first: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> second: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let at = place.item;
  let t = control[place.restart * CONTROL_BATCH + ITERATION] + 1.0;
  let d = D[place.restart * D_BATCH + at];
  let m = BETA1 * first[place.restart * FIRST_BATCH + at] + (1.0 - BETA1) * d;
  let v = BETA2 * second[place.restart * SECOND_BATCH + at] + (1.0 - BETA2) * d * d;
  first[place.restart * FIRST_BATCH + at] = m;
  second[place.restart * SECOND_BATCH + at] = v;
  let step = RATE * (m / (1.0 - pow(BETA1, t))) / (sqrt(v / (1.0 - pow(BETA2, t))) + GUARD);
  let moved = A[place.restart * A_BATCH + at] - step;
  if (FREE) { A[place.restart * A_BATCH + at] = moved; } else { A[place.restart * A_BATCH + at] = max(moved, vec4f(0.0)); }
}
