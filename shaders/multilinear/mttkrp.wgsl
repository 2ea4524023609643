// out[i][r] = Σ x Π F_m[i_m][r] over the entries with index i in MODE, m over all other modes: the matricised tensor times Khatri–Rao
// product of a tensor in coordinates. An invocation has a line and four columns. Neighbours are on the same line, so they read the same
// entries and one stretch of a row of every factor. Bound by these gathers, 16 bytes and 4 multiplications an entry and factor.
const TAILS: u32 = 0u; // @size tails of one restart
const OUT_BATCH: u32 = 0u; // @size vec4 from one restart to the next

// @use grid
// @use multilinear/entry
// @use multilinear/segment

@group(0) @binding(0) var<storage, read> X: array<u32>;
@group(0) @binding(1) var<storage, read> F0: array<vec4f>;
@group(0) @binding(2) var<storage, read> F1: array<vec4f>;
@group(0) @binding(3) var<storage, read> F2: array<vec4f>;
@group(0) @binding(4) var<storage, read> F3: array<vec4f>;
@group(0) @binding(5) var<storage, read> F4: array<vec4f>;
@group(0) @binding(6) var<storage, read> tails: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let line = LINES_AT + 2u * (place.item / STRIDE);
  let tile = place.item % STRIDE;
  // Rows of the factors are padded with zeros, so the padding of out comes out zero.
  var sum = segmentOf(X[line], X[line + 2u], place.restart, tile);
  for (var t = X[line + 1u]; t < X[line + 3u]; t++) { sum += tails[(place.restart * TAILS + t) * STRIDE + tile]; }
  out[place.restart * OUT_BATCH + place.item] = sum;
}
