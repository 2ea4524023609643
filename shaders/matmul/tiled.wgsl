// C = scale · op(A) op(B) through workgroup memory: a tile of 64×64 of C per workgroup of 16×16, a block of 4×4 in registers each.
//
// The workgroup loads slices of 64×16 of both factors together (panelA, panelB). So an entry of A or B is read from memory once per 64
// columns or rows of C instead of once per 4. Bound by FMA where workgroup memory is fast. Two barriers a slice: CPU-backed adapters are
// better served by matmul/register.
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
const CHUNK: u32 = 16u; // @size inner length of a part, a multiple of 16
const SCALE: f32 = 1.0; // @size
const HALF_A: bool = false; // @set A is stored as 16-bit floats, two to a word
const HALF_B: bool = false; // @set
const EPILOGUE: u32 = 0u; // @set one of matmul/epilogue
const ADD_SCALE: f32 = 1.0; // @size

@group(0) @binding(0) var<storage, read> A: array<vec4u>; // bits of four entries, or (HALF_A) of eight
@group(0) @binding(1) var<storage, read> B: array<vec4u>;
@group(0) @binding(2) var<storage, read> E: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> C: array<vec4f>;

// @use quotient
// @use matmul/epilogue
// @use matmul/operands

const TILE: u32 = 64u;
const DEPTH: u32 = 16u;

// panelA[t][i / 4] holds op(A)[row + i … +3][t]; panelB[t][j / 4] holds op(B)[t][col + j … +3].
var<workgroup> panelA: array<array<vec4f, 16>, 16>;
var<workgroup> panelB: array<array<vec4f, 16>, 16>;

// Four neighbours along a stored row of A or B, zero past its rows; past its columns the padding is zero already.
fn load4(value: vec4f, inside: bool) -> vec4f {
  return select(vec4f(0.0), value, inside);
}

fn rowOfA(base: u32, row: u32, at: u32) -> vec4f {
  return load4(readA(base + row * A_STRIDE + at), row < ROWS && at < A_STRIDE);
}

fn rowOfB(base: u32, row: u32, at: u32) -> vec4f {
  return load4(readB(base + row * B_STRIDE + at), row < COLS && at < B_STRIDE);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
  let batch = group.z / SPLITS;
  let split = group.z % SPLITS;
  let a0 = batch * A_BATCH;
  let b0 = batch * B_BATCH;
  let row0 = group.y * TILE;
  let col0 = group.x * TILE;
  let end = min(INNER, (split + 1u) * CHUNK);
  let flat = local.y * 16u + local.x;

  var c0 = vec4f(0.0);
  var c1 = vec4f(0.0);
  var c2 = vec4f(0.0);
  var c3 = vec4f(0.0);
  for (var t0 = split * CHUNK; t0 < end; t0 += DEPTH) {
    if (TRANSPOSE_A) {
      // Stored rows run over the inner dimension: 16 rows of 16 vec4.
      let t = t0 + local.y;
      panelA[local.y][local.x] = load4(readA(a0 + t * A_STRIDE + row0 / 4u + local.x), t < end && row0 / 4u + local.x < A_STRIDE);
    } else if (flat < 64u) {
      // Stored rows run over C's rows. One invocation turns a block of 4 rows and 4 steps, so that it stores whole vectors: a store to a
      // component may store its vector, and no other invocation may write that.
      let i = flat / 4u;
      let q = flat % 4u;
      let at = t0 / 4u + q;
      let first = row0 + 4u * i;
      let turned = transpose(mat4x4f(rowOfA(a0, first, at), rowOfA(a0, first + 1u, at), rowOfA(a0, first + 2u, at), rowOfA(a0, first + 3u, at)));
      panelA[q * 4u][i] = turned[0];
      panelA[q * 4u + 1u][i] = turned[1];
      panelA[q * 4u + 2u][i] = turned[2];
      panelA[q * 4u + 3u][i] = turned[3];
    }
    if (!TRANSPOSE_B) {
      let t = t0 + local.y;
      panelB[local.y][local.x] = load4(readB(b0 + t * B_STRIDE + col0 / 4u + local.x), t < end && col0 / 4u + local.x < B_STRIDE);
    } else if (flat >= 192u) {
      // As above, by other invocations.
      let own = flat - 192u;
      let j = own / 4u;
      let q = own % 4u;
      let at = t0 / 4u + q;
      let first = col0 + 4u * j;
      let turned = transpose(mat4x4f(rowOfB(b0, first, at), rowOfB(b0, first + 1u, at), rowOfB(b0, first + 2u, at), rowOfB(b0, first + 3u, at)));
      panelB[q * 4u][j] = turned[0];
      panelB[q * 4u + 1u][j] = turned[1];
      panelB[q * 4u + 2u][j] = turned[2];
      panelB[q * 4u + 3u][j] = turned[3];
    }
    workgroupBarrier();
    for (var t = 0u; t < DEPTH; t++) {
      let a = panelA[t][local.y];
      let b = panelB[t][local.x];
      c0 = fma(vec4f(a.x), b, c0);
      c1 = fma(vec4f(a.y), b, c1);
      c2 = fma(vec4f(a.z), b, c2);
      c3 = fma(vec4f(a.w), b, c3);
    }
    workgroupBarrier();
  }
  let row = row0 + local.y * 4u;
  let colTile = col0 / 4u + local.x;
  store(batch, split, row, colTile, c0);
  store(batch, split, row + 1u, colTile, c1);
  store(batch, split, row + 2u, colTile, c2);
  store(batch, split, row + 3u, colTile, c3);
}

fn store(batch: u32, split: u32, row: u32, colTile: u32, value: vec4f) {
  if (row >= ROWS || colTile >= C_STRIDE) { return; }
  let at = row * C_STRIDE + colTile;
  if (SPLITS > 1u) {
    C[(batch * SPLITS + split) * (ROWS * C_STRIDE) + at] = value;
    return;
  }
  var result = value * SCALE;
  if (EPILOGUE == ADD) { result += ADD_SCALE * E[batch * E_BATCH + at]; }
  if (EPILOGUE == UPDATE) { result = C[batch * C_BATCH + at] * quotients(result, E[batch * E_BATCH + at]); }
  if (EPILOGUE == HADAMARD) { result *= E[batch * E_BATCH + at]; }
  C[batch * C_BATCH + at] = result;
}
