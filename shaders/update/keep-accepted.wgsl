// state ← trial where the restart's trial step was accepted; four entries an invocation, bound by bandwidth.
const TRIAL_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const STATE_BATCH: u32 = 0u; // @size
const CONTROL_BATCH: u32 = 8u; // @size entries from one restart to the next

// @use grid

@group(0) @binding(0) var<storage, read> trial: array<vec4f>;
@group(0) @binding(1) var<storage, read> control: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  if (control[place.restart * CONTROL_BATCH + 2u] != 1.0) { return; }
  let at = place.item;
  state[place.restart * STATE_BATCH + at] = trial[place.restart * TRIAL_BATCH + at];
}
