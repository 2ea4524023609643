// out = max(A − η D / (2 m_ii q_jj), 0): a projected gradient step in the metric diag(M) ⊗ diag(Q), four entries an invocation.
//
// q_jj is the energy of unit j, so the step does not change when a column of A is rescaled. A unit with q_jj = 0 gets no gradient and
// would stay dead. Every REVIVAL-th iteration its column is replaced by hashed uniform numbers, which are kept only if the cost does not
// rise. Bound by bandwidth: 2 reads, 1 write.
const COLS: u32 = 4u; // @size columns of A
const STRIDE: u32 = 1u; // @size vec4 per row of A, D and out
const Q_STRIDE: u32 = 4u; // @size entries per row
const M_STRIDE: u32 = 4u; // @size entries per row
const A_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const D_BATCH: u32 = 0u; // @size vec4
const Q_BATCH: u32 = 0u; // @size entries
const M_BATCH: u32 = 0u; // @size entries
const CONTROL_BATCH: u32 = 8u; // @size entries
const OUT_BATCH: u32 = 0u; // @size vec4
const ROW_METRIC: bool = false; // @set false: m_ii = 1
const LAYER: u32 = 0u; // @size
const FIRST_ROW: u32 = 0u; // @size where a panel starts in its tensor

// @use grid
// @use update/control

@group(0) @binding(0) var<storage, read> A: array<vec4f>;
@group(0) @binding(1) var<storage, read> D: array<vec4f>;
@group(0) @binding(2) var<storage, read> Q: array<f32>;
@group(0) @binding(3) var<storage, read> control: array<f32>;
@group(0) @binding(4) var<storage, read> M: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;

// @use random

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let i = place.item / STRIDE;
  let j = (place.item % STRIDE) * 4u;
  let columns = vec4u(j) + vec4u(0u, 1u, 2u, 3u);
  let eta = control[place.restart * CONTROL_BATCH + ETA];
  let iteration = u32(control[place.restart * CONTROL_BATCH + ITERATION]);
  let diagonal = place.restart * Q_BATCH + j * (Q_STRIDE + 1u);
  let q = vec4f(Q[diagonal], Q[diagonal + Q_STRIDE + 1u], Q[diagonal + 2u * Q_STRIDE + 2u], Q[diagonal + 3u * Q_STRIDE + 3u]);
  var metric = 2.0 * q;
  if (ROW_METRIC) { metric *= M[place.restart * M_BATCH + i * M_STRIDE + i]; }
  let value = A[place.restart * A_BATCH + place.item];
  let moved = max(value - eta * D[place.restart * D_BATCH + place.item] / metric, vec4f(0.0));
  var result = select(value, moved, metric > vec4f(0.0));
  if (iteration % REVIVAL == REVIVAL - 1u) {
    for (var u = 0u; u < 4u; u++) {
      if (q[u] == 0.0) { result[u] = hashUniform((FIRST_ROW + i) * COLS + j + u, iteration, LAYER, place.restart); }
    }
  }
  // Past the columns q is another entry of Q; the padding stays zero.
  out[place.restart * OUT_BATCH + place.item] = select(vec4f(0.0), result, columns < vec4u(COLS));
}
