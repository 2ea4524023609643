// out[n][i K + j] = A[n][i] A[n][j], so that outᵀW holds the weighted Gram matrix of every column of W. One entry an invocation, bound by
// bandwidth: k writes per read.
const K: u32 = 4u; // @size columns of A
const A_STRIDE: u32 = 4u; // @size entries per row of A
const STRIDE: u32 = 16u; // @size entries per row of out
const A_BATCH: u32 = 0u; // @size entries from one restart to the next
const OUT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> A: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let n = place.item / STRIDE;
  let pair = place.item % STRIDE;
  var value = 0.0;
  if (pair < K * K) {
    let row = place.restart * A_BATCH + n * A_STRIDE;
    value = A[row + pair / K] * A[row + pair % K];
  }
  out[place.restart * OUT_BATCH + place.item] = value;
}
