// Keeps or drops the trial step of each restart and adapts its η: control = [η, cost, accepted, iteration, rejected, trial cost, –, –].
// One invocation a restart; latency only. The point is that no iteration waits for the host.
const RESTARTS: u32 = 1u; // @size
const COST_BATCH: u32 = 4u; // @size entries from one restart to the next
const CONTROL_BATCH: u32 = 8u; // @size
const GROW: f32 = 1.2; // @size
const SHRINK: f32 = 0.5; // @size

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
  let accepted = isFinite(trial) && trial <= control[c + 1u];
  control[c + 5u] = trial;
  if (accepted) {
    control[c + 1u] = trial;
    control[c + 2u] = 1.0;
    control[c] = clamp(control[c] * GROW, 1e-6, 1e6);
  } else {
    control[c + 2u] = 0.0;
    control[c + 4u] += 1.0;
    control[c] = clamp(control[c] * SHRINK, 1e-6, 1e6);
  }
  control[c + 3u] += 1.0;
}
