// Keeps or drops the trial step of each restart and adapts its η: see update/control.
// One invocation a restart, so that no iteration waits for the host. Bound by latency.
const RESTARTS: u32 = 1u; // @size
const COST_BATCH: u32 = 4u; // @size entries from one restart to the next
const CONTROL_BATCH: u32 = 8u; // @size
const GROW: f32 = 1.2; // @size
const SHRINK: f32 = 0.5; // @size

// @use update/control

@group(0) @binding(0) var<storage, read> cost: array<f32>;
@group(0) @binding(1) var<storage, read_write> control: array<f32>;

// WGSL may assume that no value is NaN or infinite: ask the bits.
fn isFinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= RESTARTS) { return; }
  let c = id.x * CONTROL_BATCH;
  let trial = cost[id.x * COST_BATCH];
  let accepted = isFinite(trial) && trial <= control[c + COST];
  control[c + TRIAL_COST] = trial;
  if (accepted) {
    control[c + COST] = trial;
    control[c + ACCEPTED] = 1.0;
    control[c + ETA] = clamp(control[c + ETA] * GROW, 1e-6, 1e6);
  } else {
    control[c + ACCEPTED] = 0.0;
    control[c + REJECTED] += 1.0;
    control[c + ETA] = clamp(control[c + ETA] * SHRINK, 1e-6, 1e6);
  }
  control[c + ITERATION] += 1.0;
}
