// out = max(A − η D / (2 m_ii q_jj), 0): a projected gradient step in the metric diag(M) ⊗ diag(Q), one entry an invocation.
//
// q_jj is the energy of unit j, so the step does not change when a column of A is rescaled. A unit with q_jj = 0 gets no gradient and
// would stay dead: every REVIVAL-th iteration its column is replaced by hashed uniform numbers, kept only if the cost agrees.
// Bound by bandwidth: 2 reads, 1 write.
const COLS: u32 = 4u; // @size columns of A
const STRIDE: u32 = 4u; // @size entries per row of A, D and out
const Q_STRIDE: u32 = 4u; // @size
const M_STRIDE: u32 = 4u; // @size
const A_BATCH: u32 = 0u; // @size entries from one restart to the next
const D_BATCH: u32 = 0u; // @size
const Q_BATCH: u32 = 0u; // @size
const M_BATCH: u32 = 0u; // @size
const CONTROL_BATCH: u32 = 8u; // @size
const OUT_BATCH: u32 = 0u; // @size
const ROW_METRIC: bool = false; // @set false: m_ii = 1
const LAYER: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> A: array<f32>;
@group(0) @binding(1) var<storage, read> D: array<f32>;
@group(0) @binding(2) var<storage, read> Q: array<f32>;
@group(0) @binding(3) var<storage, read> control: array<f32>;
@group(0) @binding(4) var<storage, read> M: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

const REVIVAL: u32 = 25u;

// @use random

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let entry = place.item;
  let i = entry / STRIDE;
  let j = entry % STRIDE;
  if (j >= COLS) {
    out[place.restart * OUT_BATCH + entry] = 0.0;
    return;
  }
  let eta = control[place.restart * CONTROL_BATCH];
  let iteration = u32(control[place.restart * CONTROL_BATCH + 3u]);
  let q = Q[place.restart * Q_BATCH + j * Q_STRIDE + j];
  var metric = 2.0 * q;
  if (ROW_METRIC) { metric *= M[place.restart * M_BATCH + i * M_STRIDE + i]; }
  var value = A[place.restart * A_BATCH + entry];
  if (metric > 0.0) {
    value = max(value - eta * D[place.restart * D_BATCH + entry] / metric, 0.0);
  } else if (q == 0.0 && iteration % REVIVAL == REVIVAL - 1u) {
    value = hashUniform(i * COLS + j, iteration, LAYER, place.restart);
  }
  out[place.restart * OUT_BATCH + entry] = value;
}
