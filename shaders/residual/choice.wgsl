// The residual by Gram matrices, and whether it is large enough beside ‖X‖² to stand for that which reads X: see residual/terms. A
// workgroup a restart adds up the partial sums. Bound by latency.
const COUNT: u32 = 1u; // @size partial sums of one restart
const FROM: f32 = 1.0; // @size the least part of ‖X‖² that rounding leaves enough of

@group(0) @binding(0) var<storage, read> partials: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> choice: array<vec4f>; // the residual, and 1 where X has to be read

var<workgroup> totals: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) own: u32, @builtin(workgroup_id) group: vec3u) {
  var total = vec2f(0.0);
  for (var at = own; at < COUNT; at += 64u) { total += partials[group.x * COUNT + at]; }
  totals[own] = total;
  workgroupBarrier();
  for (var left = 32u; left > 0u; left /= 2u) {
    if (own < left) { totals[own] += totals[own + left]; }
    workgroupBarrier();
  }
  if (own == 0u) { choice[group.x] = vec4f(totals[0].x, select(1.0, 0.0, totals[0].x >= FROM * totals[0].y), 0.0, 0.0); }
}
