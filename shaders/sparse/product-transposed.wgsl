// C = scale · (op(X) D)ᵀ for a CSR X: as sparse/product, but a line of op(X) becomes a column of C. Bound by the gathers of D. Writes lie a
// row of C apart within an invocation, and side by side from line to line.
const K: u32 = 4u; // @size columns of D, rows of C
const C_STRIDE: u32 = 4u; // @size entries per row of C
const SCALE: f32 = 1.0; // @size
const EPILOGUE: u32 = 0u; // @set one of matmul/epilogue
const ADD_SCALE: f32 = 1.0; // @size
const C_BATCH: u32 = 0u; // @size entries from one restart to the next
const E_BATCH: u32 = 0u; // @size
const ONE_ROW: u32 = 0u; // @set whether E is one row with an entry for each row of C

// @use grid
// @use sparse/gather
// @use sparse/values
// @use sparse/sums
// @use sparse/line

@group(0) @binding(0) var<storage, read> X: array<vec2u>;
@group(0) @binding(1) var<storage, read> D: array<vec4f>;
@group(0) @binding(2) var<storage, read> tails: array<vec4f>;
@group(0) @binding(3) var<storage, read> E: array<f32>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> C: array<f32>;

fn store(restart: u32, row: u32, col: u32, value: f32) {
  if (row >= K) { return; }
  let at = row * C_STRIDE + col;
  let e = restart * E_BATCH + select(at, row, ONE_ROW == 1u);
  var result = SCALE * value;
  if (EPILOGUE == ADD) { result += ADD_SCALE * E[e]; }
  if (EPILOGUE == UPDATE) { result = C[restart * C_BATCH + at] * quotient(result, E[e]); }
  if (EPILOGUE == HADAMARD) { result *= E[e]; }
  C[restart * C_BATCH + at] = result;
}

// @use quotient
// @use matmul/epilogue

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let line = place.item / TILES;
  let tile = FIRST_TILE + place.item % TILES;
  // Lines run on to the end of a padded row of C, where there is nothing but the zero that the padding must hold.
  var sum = vec4f(0.0);
  if (line < LINES) { sum = lineOf(place.restart, line, tile); }
  store(place.restart, 4u * tile, line, sum.x);
  store(place.restart, 4u * tile + 1u, line, sum.y);
  store(place.restart, 4u * tile + 2u, line, sum.z);
  store(place.restart, 4u * tile + 3u, line, sum.w);
}
