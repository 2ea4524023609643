// β with G_PP β_P = g_P on the support P = {s > 0} of each column and 0 off it: the backward pass of q on hardware, a group of lanes a
// column. Bound by arithmetic and 2 p barriers: about p³/6 FMA a column, p = |P|.
const K: u32 = 4u; // @size rows of S
const STRIDE: u32 = 4u; // @size entries per row of S, gradient and beta
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const S_BATCH: u32 = 0u; // @size
const GRADIENT_BATCH: u32 = 0u; // @size
const BETA_BATCH: u32 = 0u; // @size
const RESTARTS: u32 = 1u; // @size
const LANES: u32 = 64u; // @size columns of the dispatch
const FIRST: u32 = 0u; // @size the first of them: factors that share a buffer take several dispatches
const GRID: u32 = 64u; // @size workgroups in one row of the grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> S: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> scratch: array<f32>;

// @use nnls/gram
// @use nnls/dependent
// @use nnls/group

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let own = laneOf(group.y * GRID + group.x, local);
  // The padding columns too: their S is zero, so they get the zeros they must hold. Lanes past the end stay, for the barriers.
  let item = FIRST + own.item;
  let live = (own.item < LANES) & (item < STRIDE * RESTARTS);
  let restart = select(0u, item / STRIDE, live);
  let column = select(0u, item % STRIDE, live);
  let g = gramOf(restart, column);
  let j = min(own.row, K - 1u);
  let inside = live & (own.row < K) & (S[restart * S_BATCH + column + j * STRIDE] > 0.0);
  let support = supportOf(own, inside);
  let longest = listSupport(own, support, inside, gradient[restart * GRADIENT_BATCH + column + j * STRIDE], gram(g, j, j), live);
  solveOnSupport(own, support.size, g, max(longest, 1u) - 1u);
  if (live & (own.row < K)) {
    beta[restart * BETA_BATCH + column + j * STRIDE] = select(0.0, unknown[own.first + support.place], inside);
  }
}
