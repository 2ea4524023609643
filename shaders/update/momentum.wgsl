// V ← MOMENTUM · V − RATE · D, A ← max(A + V, 0) (or A + V with FREE); four entries an invocation, bound by bandwidth.
const D_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const A_BATCH: u32 = 0u; // @size
const V_BATCH: u32 = 0u; // @size
const RATE: f32 = 0.1; // @size
const MOMENTUM: f32 = 0.9; // @size
const FREE: bool = false; // @set

// @use grid

@group(0) @binding(0) var<storage, read> D: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> A: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> V: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let at = place.item;
  let v = MOMENTUM * V[place.restart * V_BATCH + at] - RATE * D[place.restart * D_BATCH + at];
  V[place.restart * V_BATCH + at] = v;
  let moved = A[place.restart * A_BATCH + at] + v;
  if (FREE) { A[place.restart * A_BATCH + at] = moved; } else { A[place.restart * A_BATCH + at] = max(moved, vec4f(0.0)); }
}
