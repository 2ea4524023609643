// The natural KKT residual max_i |min(g_ii s_i, (Gs − b)_i)| / max_i |b_i| of every column: 0 exactly where s solves the problem.
// A column whose b is less than FLOOR of the largest in all of B counts relative to that: its share of the objective is below f32's rounding.
// One invocation a column; bound by arithmetic, k² FMA a column.
const K: u32 = 4u; // @size rows of S
const STRIDE: u32 = 4u; // @size entries per row of B and S
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const S_BATCH: u32 = 0u; // @size
const LARGEST_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size

const FLOOR: f32 = 0.000244140625; // 2⁻¹²: its square is the rounding of f32

// @use grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> B: array<f32>;
@group(0) @binding(2) var<storage, read> S: array<f32>;
@group(0) @binding(3) var<storage, read> largest: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// @use nnls/gram

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let column = place.item;
  // The padding columns too: their B and S are zero, so they get the zero they must hold.
  let g = gramOf(place.restart, column);
  let b0 = place.restart * B_BATCH + column;
  let s0 = place.restart * S_BATCH + column;
  var worst = 0.0;
  var scale = FLOOR * largest[place.restart * LARGEST_BATCH];
  for (var i = 0u; i < K; i++) {
    let b = B[b0 + i * STRIDE];
    var gradient = -b;
    for (var j = 0u; j < K; j++) { gradient = fma(gram(g, i, j), S[s0 + j * STRIDE], gradient); }
    worst = max(worst, abs(min(S[s0 + i * STRIDE] * gram(g, i, i), gradient)));
    scale = max(scale, abs(b));
  }
  out[place.restart * OUT_BATCH + column] = select(worst, worst / scale, scale > 0.0);
}
