// out = log det G of every restart's G (k×k, with no eigenvalue below 1), by Cholesky, one invocation a restart. A pivot that rounding takes
// to zero or below counts as 1, the least that it can be. Bound by latency, k³/6 FMA of one invocation; fits measure it at checks alone.
const K: u32 = 4u; // @size rows of G
const CAPACITY: u32 = 4u; // @set most rows that the private arrays hold
const STRIDE: u32 = 4u; // @size entries per row of out
const G_STRIDE: u32 = 4u; // @size entries per row of G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const OUT_BATCH: u32 = 0u; // @size
const RESTARTS: u32 = 1u; // @size
const LANES: u32 = 64u; // @size invocations, an entry of out and its padding each
const FIRST: u32 = 0u; // @size entry of the first: factors that share a buffer take several dispatches
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup
const SPILL: bool = false; // @set keep the factor in the scratch buffer
const FACTOR_SIZE: u32 = 10u; // @set CAPACITY (CAPACITY + 1) / 2, or 1 with SPILL

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read_write> scratch: array<f32>;

const DEPENDENT: f32 = 0.0;

fn gram(g: u32, i: u32, j: u32) -> f32 {
  return G[g + i * G_STRIDE + j];
}

// @use nnls/cholesky

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  lane = id.y * GRID + id.x;
  if (lane >= LANES) { return; }
  let item = FIRST + lane;
  if (item >= STRIDE * RESTARTS) { return; }
  let restart = item / STRIDE;
  let place = restart * OUT_BATCH + item % STRIDE;
  out[place] = 0.0;
  if (item % STRIDE > 0u) { return; }
  supportSize = K;
  for (var i = 0u; i < K; i++) { support[i] = i; }
  factorize(restart * G_BATCH);
  var sum = 0.0;
  for (var i = 0u; i < K; i++) { sum -= select(0.0, 2.0 * log(inverse[i]), inverse[i] > 0.0); }
  out[place] = sum;
}
