// β with G_PP β_P = g_P on the support P = {s > 0} of each column and 0 off it: the backward pass of q, one invocation a column.
// Bound by arithmetic: about p³/6 FMA a column, p = |P|.
const K: u32 = 4u; // @set rows of S
const STRIDE: u32 = 4u; // @set entries per row of S, gradient and beta
const G_STRIDE: u32 = 4u; // @set entries per row of G
const G_BATCH: u32 = 0u; // @set entries from one restart to the next, 0 when all share it
const S_BATCH: u32 = 0u; // @set
const GRADIENT_BATCH: u32 = 0u; // @set
const BETA_BATCH: u32 = 0u; // @set
const RESTARTS: u32 = 1u; // @set
const LANES: u32 = 64u; // @set invocations; each takes every LANES-th column
const GRID: u32 = 64u; // @set invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup
const SPILL: bool = false; // @set keep the factor in the scratch buffer
const FACTOR_SIZE: u32 = 10u; // @set K (K + 1) / 2, or 1 with SPILL

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> S: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> scratch: array<f32>;

// @use nnls/cholesky

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  lane = id.y * GRID + id.x;
  if (lane >= LANES) { return; }
  // The padding columns too: their S is zero, so they get the zeros they must hold.
  for (var item = lane; item < STRIDE * RESTARTS; item += LANES) {
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
    factorize(restart * G_BATCH);
    solveFactored();
    for (var i = 0u; i < supportSize; i++) { beta[out + support[i] * STRIDE] = unknown[i]; }
  }
}
