// control ← its cost and one more iteration, for optimisers that accept every step. One invocation a restart; bound by latency.
const RESTARTS: u32 = 1u; // @size
const COST_BATCH: u32 = 4u; // @size entries from one restart to the next
const CONTROL_BATCH: u32 = 8u; // @size

// @use update/control

@group(0) @binding(0) var<storage, read> cost: array<f32>;
@group(0) @binding(1) var<storage, read_write> control: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= RESTARTS) { return; }
  control[id.x * CONTROL_BATCH + COST] = cost[id.x * COST_BATCH];
  control[id.x * CONTROL_BATCH + ITERATION] += 1.0;
}
