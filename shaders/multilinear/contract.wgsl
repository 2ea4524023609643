// Sums over one mode of X (I J × R) with the weights F: out[i] = Σ_j X[i J + j] ∘ F[j], or with FIRST out[j] = Σ_i X[i J + j] ∘ F[i].
// Four columns an invocation, which goes over its rows one after another. Bound by bandwidth, X being read once; SUMMED rounds.
const FIRST: bool = false; // @set
const SUMMED: u32 = 1u; // @size the mode that is summed over
const KEPT: u32 = 1u; // @size rows of out
const STRIDE: u32 = 1u; // @size vec4 per row of out, and of X and F
const X_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const F_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read> F: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let kept = place.item / STRIDE;
  let column = place.item % STRIDE;
  let x = place.restart * X_BATCH + column;
  let f = place.restart * F_BATCH + column;
  var sum = vec4f();
  for (var s = 0u; s < SUMMED; s++) {
    var row = kept * SUMMED + s;
    if (FIRST) { row = s * KEPT + kept; }
    sum += X[x + row * STRIDE] * F[f + s * STRIDE];
  }
  out[place.restart * OUT_BATCH + place.item] = sum;
}
