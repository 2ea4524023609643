// Up to four sums of small products in one dispatch: each result is Σ scale · op(A) op(B) + Σ scale · E, over terms of its own.
//
// An invocation adds up a tile of 4×4 of one result in registers, term after term, as matmul/register does; there are no barriers. All
// tensors are bound alike, and the terms name them by number, so that one pipeline serves every combination: transposes and numbers are
// sizes. The invocations of a workgroup share their terms. For products that take less time than a dispatch; bound by latency.
const T0_STRIDE: u32 = 1u; // @size vec4 per row
const T1_STRIDE: u32 = 1u; // @size
const T2_STRIDE: u32 = 1u; // @size
const T3_STRIDE: u32 = 1u; // @size
const T4_STRIDE: u32 = 1u; // @size
const T5_STRIDE: u32 = 1u; // @size
const T6_STRIDE: u32 = 1u; // @size
const T7_STRIDE: u32 = 1u; // @size
const T0_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const T1_BATCH: u32 = 0u; // @size
const T2_BATCH: u32 = 0u; // @size
const T3_BATCH: u32 = 0u; // @size
const T4_BATCH: u32 = 0u; // @size
const T5_BATCH: u32 = 0u; // @size
const T6_BATCH: u32 = 0u; // @size
const T7_BATCH: u32 = 0u; // @size
const TERMS: u32 = 1u; // @set of all sums together
const TERM_0: u32 = 0u; // @set bits: 2 for the sum, 3 for the number of A, 3 for that of B, 1 each for A across, B across and a product
const TERM_1: u32 = 0u; // @set
const TERM_2: u32 = 0u; // @set
const TERM_3: u32 = 0u; // @set
const TERM_4: u32 = 0u; // @set
const TERM_5: u32 = 0u; // @set
const TERM_6: u32 = 0u; // @set
const TERM_7: u32 = 0u; // @set
const INNER_0: u32 = 0u; // @size columns of op(A)
const INNER_1: u32 = 0u; // @size
const INNER_2: u32 = 0u; // @size
const INNER_3: u32 = 0u; // @size
const INNER_4: u32 = 0u; // @size
const INNER_5: u32 = 0u; // @size
const INNER_6: u32 = 0u; // @size
const INNER_7: u32 = 0u; // @size
const SCALE_0: f32 = 1.0; // @size
const SCALE_1: f32 = 1.0; // @size
const SCALE_2: f32 = 1.0; // @size
const SCALE_3: f32 = 1.0; // @size
const SCALE_4: f32 = 1.0; // @size
const SCALE_5: f32 = 1.0; // @size
const SCALE_6: f32 = 1.0; // @size
const SCALE_7: f32 = 1.0; // @size
const OUT_0: u32 = 0u; // @set number of the tensor that takes the first sum
const OUT_1: u32 = 0u; // @set
const OUT_2: u32 = 0u; // @set
const OUT_3: u32 = 0u; // @set
const SUMS: u32 = 1u; // @set
const ROWS_0: u32 = 4u; // @size of that tensor
const ROWS_1: u32 = 4u; // @size
const ROWS_2: u32 = 4u; // @size
const ROWS_3: u32 = 4u; // @size
const COLS_0: u32 = 4u; // @size
const COLS_1: u32 = 4u; // @size
const COLS_2: u32 = 4u; // @size
const COLS_3: u32 = 4u; // @size
const FIRST_1: u32 = 1u; // @size the first workgroup of the second sum; beyond the grid where there is none
const FIRST_2: u32 = 1u; // @size
const FIRST_3: u32 = 1u; // @size
const RESTARTS: u32 = 1u; // @size
const WORKGROUP: u32 = 64u; // @set

@group(0) @binding(0) var<storage, read_write> T0: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> T1: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> T2: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> T3: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> T4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> T5: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> T6: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> T7: array<vec4f>;

const terms = array<u32, 8>(TERM_0, TERM_1, TERM_2, TERM_3, TERM_4, TERM_5, TERM_6, TERM_7);
const outs = array<u32, 4>(OUT_0, OUT_1, OUT_2, OUT_3);

// Every number of a tensor is a constant where it is used, so only one way is left of each choice.
fn fetch(tensor: u32, at: u32) -> vec4f {
  switch (tensor) {
    case 0u: { return T0[at]; }
    case 1u: { return T1[at]; }
    case 2u: { return T2[at]; }
    case 3u: { return T3[at]; }
    case 4u: { return T4[at]; }
    case 5u: { return T5[at]; }
    case 6u: { return T6[at]; }
    default: { return T7[at]; }
  }
}

fn put(tensor: u32, at: u32, value: vec4f) {
  switch (tensor) {
    case 0u: { T0[at] = value; }
    case 1u: { T1[at] = value; }
    case 2u: { T2[at] = value; }
    case 3u: { T3[at] = value; }
    case 4u: { T4[at] = value; }
    case 5u: { T5[at] = value; }
    case 6u: { T6[at] = value; }
    default: { T7[at] = value; }
  }
}

// Column s holds entries `line` to `line` + 3 at step t + s of the inner dimension, which runs along stored rows or (across) over them. Past
// its end it meets the zeros of the padding along rows; across them it meets anything, and is cut.
fn linesOf(tensor: u32, base: u32, stride: u32, line: u32, t: u32, inner: u32, across: bool) -> mat4x4f {
  if (across) {
    let at = base + t * stride + line / 4u;
    let left = inner - t;
    return mat4x4f(
      fetch(tensor, at),
      select(vec4f(0.0), fetch(tensor, at + stride), 1u < left),
      select(vec4f(0.0), fetch(tensor, at + 2u * stride), 2u < left),
      select(vec4f(0.0), fetch(tensor, at + 3u * stride), 3u < left),
    );
  }
  let at = base + line * stride + t / 4u;
  return transpose(mat4x4f(fetch(tensor, at), fetch(tensor, at + stride), fetch(tensor, at + 2u * stride), fetch(tensor, at + 3u * stride)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let strides = array<u32, 8>(T0_STRIDE, T1_STRIDE, T2_STRIDE, T3_STRIDE, T4_STRIDE, T5_STRIDE, T6_STRIDE, T7_STRIDE);
  let batches = array<u32, 8>(T0_BATCH, T1_BATCH, T2_BATCH, T3_BATCH, T4_BATCH, T5_BATCH, T6_BATCH, T7_BATCH);
  let inners = array<u32, 8>(INNER_0, INNER_1, INNER_2, INNER_3, INNER_4, INNER_5, INNER_6, INNER_7);
  let scales = array<f32, 8>(SCALE_0, SCALE_1, SCALE_2, SCALE_3, SCALE_4, SCALE_5, SCALE_6, SCALE_7);
  let allRows = array<u32, 4>(ROWS_0, ROWS_1, ROWS_2, ROWS_3);
  let allCols = array<u32, 4>(COLS_0, COLS_1, COLS_2, COLS_3);
  let firsts = array<u32, 5>(0u, FIRST_1, FIRST_2, FIRST_3, 0xffffffffu);
  for (var n = 0u; n < SUMS; n++) { // @unroll
    if (group.x >= firsts[n] && group.x < firsts[n + 1u]) {
      let rows = allRows[n];
      let width = strides[outs[n]];
      let tiles = ((rows + 3u) / 4u) * width;
      let item = (group.x - firsts[n]) * WORKGROUP + local;
      let restart = item / tiles;
      let row = ((item % tiles) / width) * 4u;
      let col = ((item % tiles) % width) * 4u;
      if (restart < RESTARTS) {
        var result = mat4x4f();
        for (var m = 0u; m < TERMS; m++) { // @unroll
          if ((terms[m] & 3u) == n) {
            var c = mat4x4f();
            let base = restart * batches[(terms[m] >> 2u) & 7u];
            let stride = strides[(terms[m] >> 2u) & 7u];
            if (((terms[m] >> 10u) & 1u) == 1u) {
              let baseB = restart * batches[(terms[m] >> 5u) & 7u];
              let strideB = strides[(terms[m] >> 5u) & 7u];
              for (var t = 0u; t < inners[m]; t += 4u) {
                let left = linesOf((terms[m] >> 2u) & 7u, base, stride, row, t, inners[m], ((terms[m] >> 8u) & 1u) == 1u);
                let right = linesOf((terms[m] >> 5u) & 7u, baseB, strideB, col, t, inners[m], ((terms[m] >> 9u) & 1u) == 1u);
                c += right * transpose(left);
              }
            } else {
              let at = base + row * stride + col / 4u;
              c = mat4x4f(fetch((terms[m] >> 2u) & 7u, at), fetch((terms[m] >> 2u) & 7u, at + stride), fetch((terms[m] >> 2u) & 7u, at + 2u * stride), fetch((terms[m] >> 2u) & 7u, at + 3u * stride));
            }
            result += scales[m] * c;
          }
        }
        let at = restart * batches[outs[n]] + row * width + col / 4u;
        let inside = vec4u(col) + vec4u(0u, 1u, 2u, 3u) < vec4u(allCols[n]);
        for (var i = 0u; i < 4u; i++) { // @unroll
          if (row + i < rows) { put(outs[n], at + i * width, select(vec4f(0.0), result[i], inside)); }
        }
      }
    }
  }
}
