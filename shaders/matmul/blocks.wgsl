// Part of the products C = scale · op(A) op(B), op a transpose or nothing: the reading and storing of blocks of 4×4.
//
// A block is four vec4 loads. It is turned in registers where the stored matrix lies the other way, which costs nothing: every row starts
// on a 16-byte boundary and is padded with zeros. An invocation holds a tile of BLOCKS_A × BLOCKS_B blocks of C in registers, and the
// loops over it are written out. So BLOCKS_A + BLOCKS_B loads serve BLOCKS_A · BLOCKS_B block products. With SPLITS > 1 the inner
// dimension is cut into SPLITS parts. reduce/sum-partials adds up their products in a fixed order.
const ROWS: u32 = 4u; // @size rows of C
const COLS: u32 = 4u; // @size columns of C
const INNER: u32 = 4u; // @size columns of op(A)
const A_STRIDE: u32 = 1u; // @size vec4 per row of A as stored
const B_STRIDE: u32 = 1u; // @size vec4 per row of B as stored
const C_STRIDE: u32 = 1u; // @size vec4 per row of C
const E_STRIDE: u32 = 1u; // @size vec4 per row of E: that of C, or of an X whose rows are padded to whole lines
const A_BATCH: u32 = 0u; // @size vec4 from one restart's A to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const C_BATCH: u32 = 0u; // @size
const E_BATCH: u32 = 0u; // @size
const W_BATCH: u32 = 0u; // @size
const SPLITS: u32 = 1u; // @size parts of the inner dimension
const CHUNK: u32 = 4u; // @size inner length of a part, a multiple of 16
const SCALE: f32 = 1.0; // @size
const ADD_SCALE: f32 = 1.0; // @size
const TRANSPOSE_A: bool = false; // @set
const TRANSPOSE_B: bool = false; // @set
const EPILOGUE: u32 = 0u; // @set one of matmul/epilogue
const HALF_A: bool = false; // @set A is stored as 16-bit floats, two to a word
const HALF_B: bool = false; // @set
const HALF_E: bool = false; // @set
const BLOCKS_A: u32 = 1u; // @set blocks of rows in a tile
const BLOCKS_B: u32 = 1u; // @set blocks of columns in a tile

@group(0) @binding(0) var<storage, read> A: array<vec4u>; // bits of four entries, or (HALF_A) of eight
@group(0) @binding(1) var<storage, read> B: array<vec4u>;
@group(0) @binding(2) var<storage, read> E: array<vec4u>;
@group(0) @binding(3) var<storage, read> W: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> C: array<vec4f>;

// Along the inner dimension a block may reach past the end. Where that runs along stored rows it meets their padding, which is zero;
// where it runs across them it meets anything, and is cut. No branch does this: inside the loops of the kernels one would cost more than
// everything else, since CPU-backed adapters then load lane by lane under a mask.
fn kept(row: vec4f, inside: bool) -> vec4f {
  return select(vec4f(0.0), row, inside);
}

// As matmul/operands reads A and B.
fn readE(at: u32) -> vec4f {
  if (HALF_E) { return unpacked(E[at / 2u], at); }
  return bitcast<vec4f>(E[at]);
}

// Column s holds op(A)[row … row+3][t + s].
fn blockOfA(base: u32, row: u32, t: u32) -> mat4x4f {
  if (TRANSPOSE_A) {
    let at = base + t * A_STRIDE + row / 4u;
    let left = INNER - t;
    return mat4x4f(readA(at), kept(readA(at + A_STRIDE), 1u < left), kept(readA(at + 2u * A_STRIDE), 2u < left), kept(readA(at + 3u * A_STRIDE), 3u < left));
  }
  let at = base + row * A_STRIDE + t / 4u;
  return transpose(mat4x4f(readA(at), readA(at + A_STRIDE), readA(at + 2u * A_STRIDE), readA(at + 3u * A_STRIDE)));
}

// Column s holds op(B)[t + s][col … col+3].
fn blockOfB(base: u32, t: u32, col: u32) -> mat4x4f {
  if (TRANSPOSE_B) {
    let at = base + col * B_STRIDE + t / 4u;
    return transpose(mat4x4f(readB(at), readB(at + B_STRIDE), readB(at + 2u * B_STRIDE), readB(at + 3u * B_STRIDE)));
  }
  let at = base + t * B_STRIDE + col / 4u;
  let left = INNER - t;
  return mat4x4f(readB(at), kept(readB(at + B_STRIDE), 1u < left), kept(readB(at + 2u * B_STRIDE), 2u < left), kept(readB(at + 3u * B_STRIDE), 3u < left));
}

// Four entries of a row of C; rows and columns outside are dropped. All that is read is read before the first branch.
fn store(batch: u32, split: u32, row: u32, colTile: u32, value: vec4f) {
  let inside = (row < ROWS) & (colTile < C_STRIDE);
  let at = row * C_STRIDE + colTile;
  var result = value;
  if (TRANSPOSE_B) {
    // Rows of B past its end were read as padding of C: keep that padding zero.
    result = select(vec4f(0.0), value, vec4u(colTile * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(COLS));
  }
  var other = vec4f(0.0);
  if (EPILOGUE != NONE) { other = readE(batch * E_BATCH + at); }
  if (!inside) { return; }
  if (SPLITS > 1u) {
    C[(batch * SPLITS + split) * (ROWS * C_STRIDE) + at] = result;
    return;
  }
  result *= SCALE;
  if (EPILOGUE == ADD) { result += ADD_SCALE * other; }
  if (EPILOGUE == HADAMARD) { result *= other; }
  if (EPILOGUE == UPDATE) { result = C[batch * C_BATCH + at] * quotients(result, other); }
  C[batch * C_BATCH + at] = result;
}

// With a residual C is never stored: the squares of four of its entries, 0 outside.
const SQUARES: bool = EPILOGUE == RESIDUAL || EPILOGUE == WEIGHTED_RESIDUAL || EPILOGUE == NEEDED_RESIDUAL;

fn squaresOf(batch: u32, row: u32, colTile: u32, value: vec4f) -> vec4f {
  let at = row * C_STRIDE + colTile;
  var difference = readE(batch * E_BATCH + row * E_STRIDE + colTile) - value;
  if (EPILOGUE == WEIGHTED_RESIDUAL) { difference *= W[batch * W_BATCH + at]; }
  return select(vec4f(0.0), difference * difference, (row < ROWS) & (colTile < C_STRIDE));
}
