// out = D / (2 m_ii q_jj), the direction of a projected step in the metric diag(M) ⊗ diag(Q), 0 where the metric is 0.
// One entry an invocation, bound by bandwidth.
const COLS: u32 = 4u; // @size columns of D
const STRIDE: u32 = 4u; // @size entries per row of D and out
const Q_STRIDE: u32 = 4u; // @size
const M_STRIDE: u32 = 4u; // @size
const D_BATCH: u32 = 0u; // @size entries from one restart to the next
const Q_BATCH: u32 = 0u; // @size
const M_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size
const ROW_METRIC: bool = false; // @set false: m_ii = 1

// @use grid

@group(0) @binding(0) var<storage, read> D: array<f32>;
@group(0) @binding(1) var<storage, read> Q: array<f32>;
@group(0) @binding(2) var<storage, read> M: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let entry = place.item;
  let i = entry / STRIDE;
  let j = entry % STRIDE;
  var value = 0.0;
  if (j < COLS) {
    var metric = 2.0 * Q[place.restart * Q_BATCH + j * Q_STRIDE + j];
    if (ROW_METRIC) { metric *= M[place.restart * M_BATCH + i * M_STRIDE + i]; }
    if (metric > 0.0) { value = D[place.restart * D_BATCH + entry] / metric; }
  }
  out[place.restart * OUT_BATCH + entry] = value;
}
