// β with G_PP β_P = g_P on the support P = {s > 0} of each column and 0 off it: the backward pass of q, one invocation a column.
// Bound by arithmetic: about p³/6 FMA a column, p = |P|.
const K: u32 = 4u; // @size rows of S
const CAPACITY: u32 = 4u; // @set most rows of S that the private arrays hold
const STRIDE: u32 = 4u; // @size entries per row of S, gradient and beta
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const S_BATCH: u32 = 0u; // @size
const GRADIENT_BATCH: u32 = 0u; // @size
const BETA_BATCH: u32 = 0u; // @size
const RESTARTS: u32 = 1u; // @size
const LANES: u32 = 64u; // @size invocations, a column each
const FIRST: u32 = 0u; // @size column of the first: factors that share a buffer take several dispatches
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup
const SPILL: bool = false; // @set keep the factor in the scratch buffer
const FACTOR_SIZE: u32 = 10u; // @set CAPACITY (CAPACITY + 1) / 2, or 1 with SPILL

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> S: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> scratch: array<f32>;

// @use nnls/gram
// @use nnls/dependent
// @use nnls/cholesky

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  lane = id.y * GRID + id.x;
  if (lane >= LANES) { return; }
  // The padding columns too: their S is zero, so they get the zeros they must hold.
  let item = FIRST + lane;
  if (item >= STRIDE * RESTARTS) { return; }
  let restart = item / STRIDE;
  let column = item % STRIDE;
  let out = restart * BETA_BATCH + column;
  supportSize = 0u;
  for (var j = 0u; j < K; j++) {
    beta[out + j * STRIDE] = 0.0;
    if (S[restart * S_BATCH + column + j * STRIDE] > 0.0) {
      support[supportSize] = j;
      unknown[supportSize] = gradient[restart * GRADIENT_BATCH + column + j * STRIDE];
      supportSize++;
    }
  }
  factorize(gramOf(restart, column));
  solveFactored();
  for (var i = 0u; i < supportSize; i++) { beta[out + support[i] * STRIDE] = unknown[i]; }
}
