// C = scale · op(A) op(B) with a 4×4 tile of C in named registers per invocation; no barriers, no workgroup memory.
//
// op transposes or does not; blocks of 4×4 are read as four vec4 and turned in registers, which costs nothing. Every row starts on a
// 16-byte boundary (rows are padded to four entries, padding is zero), so all loads are vec4. 16 vec4 FMA per 8 vec4 loads: bound by
// loads on wide devices, by FMA on CPU-backed ones. With SPLITS > 1 the inner dimension is cut into SPLITS parts whose partial
// products reduce/sum-partials adds up in a fixed order.
const ROWS: u32 = 4u; // @size rows of C
const COLS: u32 = 4u; // @size columns of C
const INNER: u32 = 4u; // @size columns of op(A)
const A_STRIDE: u32 = 1u; // @size vec4 per row of A as stored
const B_STRIDE: u32 = 1u; // @size vec4 per row of B as stored
const C_STRIDE: u32 = 1u; // @size vec4 per row of C
const A_BATCH: u32 = 0u; // @size vec4 from one restart's A to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const C_BATCH: u32 = 0u; // @size
const E_BATCH: u32 = 0u; // @size
const TRANSPOSE_A: bool = false; // @set
const TRANSPOSE_B: bool = false; // @set
const SPLITS: u32 = 1u; // @size parts of the inner dimension
const CHUNK: u32 = 4u; // @size inner length of a part, a multiple of 4
const SCALE: f32 = 1.0; // @size
const EPILOGUE: u32 = 0u; // @set 0 none, 1 add ADD_SCALE · E, 2 multiply by E entrywise
const ADD_SCALE: f32 = 1.0; // @size

// @use grid

@group(0) @binding(0) var<storage, read> A: array<vec4f>;
@group(0) @binding(1) var<storage, read> B: array<vec4f>;
@group(0) @binding(2) var<storage, read> E: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> C: array<vec4f>;

// Column s holds op(A)[row … row+3][t + s].
fn blockOfA(base: u32, row: u32, t: u32) -> mat4x4f {
  if (TRANSPOSE_A) {
    let at = base + t * A_STRIDE + row / 4u;
    return mat4x4f(A[at], A[at + A_STRIDE], A[at + 2u * A_STRIDE], A[at + 3u * A_STRIDE]);
  }
  let at = base + row * A_STRIDE + t / 4u;
  return transpose(mat4x4f(A[at], A[at + A_STRIDE], A[at + 2u * A_STRIDE], A[at + 3u * A_STRIDE]));
}

// Column s holds op(B)[t + s][col … col+3].
fn blockOfB(base: u32, t: u32, col: u32) -> mat4x4f {
  if (TRANSPOSE_B) {
    let at = base + col * B_STRIDE + t / 4u;
    return transpose(mat4x4f(B[at], B[at + B_STRIDE], B[at + 2u * B_STRIDE], B[at + 3u * B_STRIDE]));
  }
  let at = base + t * B_STRIDE + col / 4u;
  return mat4x4f(B[at], B[at + B_STRIDE], B[at + 2u * B_STRIDE], B[at + 3u * B_STRIDE]);
}

fn store(batch: u32, split: u32, row: u32, colTile: u32, value: vec4f) {
  if (row >= ROWS) { return; }
  var result = value;
  if (TRANSPOSE_B) {
    // Rows of B past its end were read as padding of C: keep that padding zero.
    result = select(vec4f(0.0), value, vec4u(colTile * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLS));
  }
  let at = row * C_STRIDE + colTile;
  if (SPLITS > 1u) {
    C[(batch * SPLITS + split) * (ROWS * C_STRIDE) + at] = result;
    return;
  }
  result *= SCALE;
  if (EPILOGUE == 1u) { result += ADD_SCALE * E[batch * E_BATCH + at]; }
  if (EPILOGUE == 2u) { result *= E[batch * E_BATCH + at]; }
  C[batch * C_BATCH + at] = result;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let tile = place.item;
  let colTiles = (COLS + 3u) / 4u;
  let row = (tile / colTiles) * 4u;
  let colTile = tile % colTiles;
  let col = colTile * 4u;
  let batch = place.restart / SPLITS;
  let split = place.restart % SPLITS;
  let a0 = batch * A_BATCH;
  let b0 = batch * B_BATCH;
  let end = min(INNER, (split + 1u) * CHUNK);

  var c0 = vec4f(0.0);
  var c1 = vec4f(0.0);
  var c2 = vec4f(0.0);
  var c3 = vec4f(0.0);
  var t = split * CHUNK;
  for (; t + 4u <= end; t += 4u) {
    let a = blockOfA(a0, row, t);
    let b = blockOfB(b0, t, col);
    c0 = fma(vec4f(a[0].x), b[0], c0);
    c1 = fma(vec4f(a[0].y), b[0], c1);
    c2 = fma(vec4f(a[0].z), b[0], c2);
    c3 = fma(vec4f(a[0].w), b[0], c3);
    c0 = fma(vec4f(a[1].x), b[1], c0);
    c1 = fma(vec4f(a[1].y), b[1], c1);
    c2 = fma(vec4f(a[1].z), b[1], c2);
    c3 = fma(vec4f(a[1].w), b[1], c3);
    c0 = fma(vec4f(a[2].x), b[2], c0);
    c1 = fma(vec4f(a[2].y), b[2], c1);
    c2 = fma(vec4f(a[2].z), b[2], c2);
    c3 = fma(vec4f(a[2].w), b[2], c3);
    c0 = fma(vec4f(a[3].x), b[3], c0);
    c1 = fma(vec4f(a[3].y), b[3], c1);
    c2 = fma(vec4f(a[3].z), b[3], c2);
    c3 = fma(vec4f(a[3].w), b[3], c3);
  }
  if (t < end) {
    // The last one to three steps: entries past the end may be another tensor's, so both blocks are cut.
    var a = blockOfA(a0, row, t);
    var b = blockOfB(b0, t, col);
    if (t + 1u >= end) { a[1] = vec4f(0.0); b[1] = vec4f(0.0); }
    if (t + 2u >= end) { a[2] = vec4f(0.0); b[2] = vec4f(0.0); }
    c0 += vec4f(a[0].x) * b[0] + vec4f(a[1].x) * b[1] + vec4f(a[2].x) * b[2];
    c1 += vec4f(a[0].y) * b[0] + vec4f(a[1].y) * b[1] + vec4f(a[2].y) * b[2];
    c2 += vec4f(a[0].z) * b[0] + vec4f(a[1].z) * b[1] + vec4f(a[2].z) * b[2];
    c3 += vec4f(a[0].w) * b[0] + vec4f(a[1].w) * b[1] + vec4f(a[2].w) * b[2];
  }
  store(batch, split, row, colTile, c0);
  store(batch, split, row + 1u, colTile, c1);
  store(batch, split, row + 2u, colTile, c2);
  store(batch, split, row + 3u, colTile, c3);
}
