// state ← trial where the restart's trial step was accepted; four entries an invocation, bound by bandwidth.
const COUNT: u32 = 1u; // @set vec4 of one state
const TRIAL_BATCH: u32 = 0u; // @set vec4 from one restart to the next
const STATE_BATCH: u32 = 0u; // @set
const CONTROL_BATCH: u32 = 8u; // @set entries from one restart to the next
const GRID: u32 = 64u; // @set invocations in one row of the grid

@group(0) @binding(0) var<storage, read> trial: array<vec4f>;
@group(0) @binding(1) var<storage, read> control: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * GRID + id.x;
  if (at >= COUNT || control[id.z * CONTROL_BATCH + 2u] != 1.0) { return; }
  state[id.z * STATE_BATCH + at] = trial[id.z * TRIAL_BATCH + at];
}
