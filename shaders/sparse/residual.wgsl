// Partial sums of ‖X − AZ‖² = Σ_stored ((x − az)² − (az)²) + ⟨AᵀA, ZZᵀ⟩ for a CSR X: AZ is formed at the stored entries only. An invocation
// takes the head of a line, a tail, or a row of the two Gram matrices G and Q. D is Zᵀ. Bound by the gathers of D, 4 k bytes an entry.
// It is a difference of sums as large as ‖X‖², so it is exact to about the rounding of f32 times that.
const K: u32 = 4u; // @size columns of A
const A_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const G_BATCH: u32 = 0u; // @size
const Q_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 4u; // @size entries from one restart's partial sums to the next

// @use grid
// @use sparse/gather

@group(0) @binding(0) var<storage, read> X: array<vec2u>;
@group(0) @binding(1) var<storage, read> D: array<vec4f>;
@group(0) @binding(2) var<storage, read> A: array<vec4f>;
@group(0) @binding(3) var<storage, read> G: array<vec4f>;
@group(0) @binding(4) var<storage, read> Q: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

// Σ (x − az)² − (az)² = Σ x (x − 2 az) over the entries from `first` on, up to `end` and at most SEGMENT.
fn segmentOf(restart: u32, line: u32, first: u32, end: u32) -> f32 {
  let a = restart * A_BATCH + line * D_STRIDE;
  var sum = 0.0;
  for (var e = ENTRIES_AT + first; e < ENTRIES_AT + min(end, first + SEGMENT); e++) {
    let entry = X[e];
    let d = restart * D_BATCH + entry.x * D_STRIDE;
    var az = 0.0;
    for (var q = 0u; q < D_STRIDE; q++) { az += dot(A[a + q], D[d + q]); }
    let x = bitcast<f32>(entry.y);
    sum = fma(x, x - 2.0 * az, sum);
  }
  return sum;
}

fn gramRow(restart: u32, row: u32) -> f32 {
  let g = restart * G_BATCH + row * D_STRIDE;
  let q = restart * Q_BATCH + row * D_STRIDE;
  var sum = 0.0;
  for (var t = 0u; t < D_STRIDE; t++) { sum += dot(G[g + t], Q[q + t]); }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  var sum = 0.0;
  if (place.item < K) {
    sum = gramRow(place.restart, place.item);
  } else {
    let segment = place.item - K;
    // A head is where its line starts; a tail knows where it starts and its line.
    var start = vec2u(X[LINES_AT + min(segment, LINES - 1u)].x, segment);
    if (segment >= LINES) { start = X[TAILS_AT + segment - LINES]; }
    sum = segmentOf(place.restart, start.y, start.x, X[LINES_AT + start.y + 1u].x);
  }
  partials[place.restart * OUT_BATCH + place.item] = sum;
}
