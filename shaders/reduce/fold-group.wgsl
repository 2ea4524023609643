// A sum or maximum in one dispatch, a workgroup a restart: each invocation folds every WORKGROUP-th entry, then half of them fold those of
// the other half, and so on. The order is fixed, so the result is the same in every run. Bound by latency.
const COUNT: u32 = 1u; // @size vec4 of one input, or entries if they are partial results
const IN_BATCH: u32 = 1u; // @size likewise, from one restart's input to the next
const OUT_BATCH: u32 = 1u; // @size entries from one restart's result to the next
const MAP: u32 = 0u; // @set one of reduce/terms
const MAXIMUM: bool = false; // @set maximum instead of sum
const WORKGROUP: u32 = 64u; // @set a power of two

// @use reduce/terms

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

var<workgroup> parts: array<f32, WORKGROUP>;

fn both(x: f32, y: f32) -> f32 {
  if (MAXIMUM) { return max(x, y); }
  return x + y;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  var total = 0.0;
  for (var at = local; at < COUNT; at += WORKGROUP) { total = both(total, entry(group.x * IN_BATCH + at)); }
  parts[local] = total;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
    if (local < half) { parts[local] = both(parts[local], parts[local + half]); }
    workgroupBarrier();
  }
  // The result is a 1×1 tensor, with its padding.
  if (local < 4u) { result[group.x * OUT_BATCH + local] = select(0.0, parts[0], local == 0u); }
}
