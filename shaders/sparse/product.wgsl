// C = scale · op(X) D for a CSR X, D with a row for each place on a line. An invocation has a line and four columns. Neighbours are on the
// same line, so they read the same entries and one stretch of a row of D. Bound by these gathers, 16 bytes and 4 FMA an entry.
const SCALE: f32 = 1.0; // @size
const EPILOGUE: u32 = 0u; // @set one of matmul/epilogue
const ADD_SCALE: f32 = 1.0; // @size
const C_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const E_BATCH: u32 = 0u; // @size
const ONE_ROW: u32 = 0u; // @set whether E has one row, which stands for all

// @use grid
// @use sparse/gather
// @use sparse/values
// @use sparse/sums
// @use sparse/line

@group(0) @binding(0) var<storage, read> X: array<vec2u>;
@group(0) @binding(1) var<storage, read> D: array<vec4f>;
@group(0) @binding(2) var<storage, read> tails: array<vec4f>;
@group(0) @binding(3) var<storage, read> E: array<vec4f>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> C: array<vec4f>;

// @use quotient
// @use matmul/epilogue

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  // Rows of D are padded with zeros, so the padding of C comes out zero.
  let line = place.item / TILES;
  let tile = FIRST_TILE + place.item % TILES;
  var sum = SCALE * lineOf(place.restart, line, tile);
  let at = line * D_STRIDE + tile;
  let e = place.restart * E_BATCH + select(at, tile, ONE_ROW == 1u);
  if (EPILOGUE == ADD) { sum += ADD_SCALE * E[e]; }
  if (EPILOGUE == UPDATE) { sum = C[place.restart * C_BATCH + at] * quotients(sum, E[e]); }
  if (EPILOGUE == HADAMARD) { sum *= E[e]; }
  C[place.restart * C_BATCH + at] = sum;
}
