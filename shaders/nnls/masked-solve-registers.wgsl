// β with G_PP β_P = g_P on the support P = {s > 0} of each column and 0 off it: the backward pass of q for few unknowns, one
// invocation a column, all in registers. Bound by arithmetic: K³/6 FMA a column.
const K: u32 = 4u; // @set rows of S
const STRIDE: u32 = 4u; // @size entries per row of S, gradient and beta
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const S_BATCH: u32 = 0u; // @size
const GRADIENT_BATCH: u32 = 0u; // @size
const BETA_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> S: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta: array<f32>;

// @use nnls/gram
// @use nnls/dependent
// @use nnls/registers

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  // The padding columns too: their S is zero, so they get the zeros they must hold.
  let column = place.item;
  let s0 = place.restart * S_BATCH + column;
  let gradient0 = place.restart * GRADIENT_BATCH + column;
  let beta0 = place.restart * BETA_BATCH + column;
  loadGram(gramOf(place.restart, column));
  var support = 0u;
  for (var j = 0u; j < K; j++) { // @unroll
    let inside = S[s0 + j * STRIDE] > 0.0;
    support |= select(0u, 1u << j, inside);
    x[j] = select(0.0, gradient[gradient0 + j * STRIDE], inside);
  }
  factorize(support);
  solveFactored();
  for (var j = 0u; j < K; j++) { // @unroll
    beta[beta0 + j * STRIDE] = x[j];
  }
}
