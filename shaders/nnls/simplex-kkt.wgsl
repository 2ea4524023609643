// The natural KKT residual max_i |min(c s_i, h_i − ν)| of every column on the simplex, with the gradient h = Gs − b, its multiplier ν = sᵀh
// and c = max_i g_ii: 0 exactly where s solves the problem. It is relative to the larger of c and max_i |b_i|, or to
// FLOOR of the largest in all of B where that is more, as in nnls/kkt. One invocation a column; bound by arithmetic, 2 k² FMA a column.
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
  let g = gramOf(place.restart, column);
  let b0 = place.restart * B_BATCH + column;
  let s0 = place.restart * S_BATCH + column;
  var c = 0.0;
  var size = FLOOR * largest[place.restart * LARGEST_BATCH];
  var multiplier = 0.0;
  for (var i = 0u; i < K; i++) {
    c = max(c, gram(g, i, i));
    size = max(size, abs(B[b0 + i * STRIDE]));
    multiplier = fma(S[s0 + i * STRIDE], gradientOf(g, b0, s0, i), multiplier);
  }
  var worst = 0.0;
  for (var i = 0u; i < K; i++) { worst = max(worst, abs(min(c * S[s0 + i * STRIDE], gradientOf(g, b0, s0, i) - multiplier))); }
  // Padding columns have S and B of zero, so they get the zero they must hold.
  let scale = max(c, size);
  out[place.restart * OUT_BATCH + column] = select(worst, worst / scale, scale > 0.0);
}

fn gradientOf(g: u32, b0: u32, s0: u32, i: u32) -> f32 {
  var gradient = -B[b0 + i * STRIDE];
  for (var j = 0u; j < K; j++) { gradient = fma(gram(g, i, j), S[s0 + j * STRIDE], gradient); }
  return gradient;
}
