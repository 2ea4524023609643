// The residual that residual/choice chose: its own, or the sum of the squares that a product left which read X. A workgroup a restart;
// where X was not read, it adds up nothing. Bound by latency.
const COUNT: u32 = 1u; // @size vec4 of one restart's squares, or entries if they are partial results
const IN_BATCH: u32 = 1u; // @size likewise, from one restart's squares to the next
const OUT_BATCH: u32 = 1u; // @size entries from one restart's result to the next
const MAP: u32 = 0u; // @set one of reduce/terms

// @use reduce/terms

@group(0) @binding(0) var<storage, read> X: array<vec4f>; // the squares
@group(0) @binding(1) var<storage, read> choice: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) own: u32, @builtin(workgroup_id) group: vec3u) {
  let chosen = choice[group.x];
  let count = select(0u, COUNT, chosen.y > 0.0);
  var total = 0.0;
  for (var at = own; at < count; at += 64u) { total += entry(group.x * IN_BATCH + at); }
  parts[own] = total;
  workgroupBarrier();
  for (var left = 32u; left > 0u; left /= 2u) {
    if (own < left) { parts[own] += parts[own + left]; }
    workgroupBarrier();
  }
  // The result is a 1×1 tensor, with its padding.
  if (own < 4u) { result[group.x * OUT_BATCH + own] = select(0.0, select(chosen.x, parts[0], chosen.y > 0.0), own == 0u); }
}
