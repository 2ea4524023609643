// out = log det G of every restart's G (k×k, with no eigenvalue below 1), by Cholesky, on hardware: a group of lanes a restart, one lane a row.
// A pivot that rounding takes to zero or below counts as 1, the least that it can be. Bound by latency: k³/6 FMA and 2 k barriers; fits
// measure it at checks alone.
const K: u32 = 4u; // @size rows of G
const STRIDE: u32 = 4u; // @size entries per row of out
const G_STRIDE: u32 = 4u; // @size entries per row of G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const OUT_BATCH: u32 = 0u; // @size
const RESTARTS: u32 = 1u; // @size
const LANES: u32 = 64u; // @size entries of out and their padding in the dispatch
const FIRST: u32 = 0u; // @size the first of them: factors that share a buffer take several dispatches
const GRID: u32 = 64u; // @size workgroups in one row of the grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read_write> scratch: array<f32>;

const DEPENDENT: f32 = 0.0;

fn gram(g: u32, i: u32, j: u32) -> f32 {
  return G[g + i * G_STRIDE + j];
}

// @use nnls/group

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let own = laneOf(group.y * GRID + group.x, local);
  // Lanes past the end, and those of padding, stay for the barriers.
  let item = FIRST + own.item;
  let inRange = (own.item < LANES) & (item < STRIDE * RESTARTS);
  let restart = select(0u, item / STRIDE, inRange);
  let live = inRange & (item % STRIDE == 0u);
  let g = restart * G_BATCH;
  let j = min(own.row, K - 1u);
  let support = supportOf(own, live & (own.row < K));
  let longest = listSupport(own, support, live & (own.row < K), 0.0, gram(g, j, j), live);
  solveOnSupport(own, support.size, g, max(longest, 1u) - 1u);
  var sum = 0.0;
  for (var i = 0u; i < support.size; i++) {
    let pivot = inverse[own.first + i];
    sum -= select(0.0, 2.0 * log(pivot), pivot > 0.0);
  }
  if (inRange & (own.row == 0u)) { out[restart * OUT_BATCH + item % STRIDE] = sum; }
}
