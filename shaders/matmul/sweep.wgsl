// Part of the products that end in a sweep of HALS (see update/hals-registers): of AᵀX over the columns of F, of X Sᵀ over its rows. F is
// bound as C, and the Gram matrix as E.
//
// A sweep needs all K entries of a column, so one tile holds them: SWEPT blocks of them, times OWN blocks of columns. The product
// never leaves the registers. Four columns make a vec4; a row of G is read once a tile, SWEPT vec4. Bound by these loads.
const SWEPT: u32 = 0u; // @set blocks of 4 entries in a column (or row), 0 for products without a sweep
const OWN: u32 = 0u; // @set blocks of 4 columns (or rows) in a tile, 0 likewise
const LAYER: u32 = 0u; // @size

const OF_ROWS: bool = TRANSPOSE_B;

alias Tile = array<vec4f, 4u * BLOCKS_A * BLOCKS_B>;

// Takes the tile of the product that begins at column (or row) `item`, and leaves the new F there. Entry j of the q-th four columns is
// number 4 (OWN ⌊j / 4⌋ + q) + j mod 4; blocks of rows are turned to that and back. Entries beyond K begin as zeros; they move, but rows of
// G end in zeros, so no other sees it, and they are not stored.
//
// The loops over blocks are not written out, which would take long to compile: each round works on the first and hands it to the end.
fn sweep(c: ptr<function, Tile>, restart: u32, item: u32) {
  let k = select(ROWS, COLS, OF_ROWS);
  let f = restart * C_BATCH + select(item / 4u, item * C_STRIDE, OF_ROWS);
  var x: Tile;
  for (var p = 0u; p < SWEPT; p++) {
    for (var v = 0u; v < 4u * OWN * SWEPT - 4u * OWN; v++) { // @unroll
      x[v] = x[v + 4u * OWN];
    }
    for (var q = 0u; q < OWN; q++) { // @unroll
      let found = upright(blockAt(f + select(4u * p * C_STRIDE + q, 4u * q * C_STRIDE + p, OF_ROWS)));
      for (var i = 0u; i < 4u; i++) { // @unroll
        x[4u * OWN * SWEPT - 4u * OWN + 4u * q + i] = kept(found[i], 4u * p + i < k);
      }
    }
  }
  for (var p = 0u; p < SWEPT; p++) {
    var first = Tile();
    for (var q = 0u; q < OWN; q++) { // @unroll
      let b = upright(mat4x4f((*c)[4u * q], (*c)[4u * q + 1u], (*c)[4u * q + 2u], (*c)[4u * q + 3u]));
      for (var i = 0u; i < 4u; i++) { // @unroll
        first[4u * q + i] = b[i];
      }
    }
    for (var i = 0u; i < 4u; i++) { // @unroll
      let j = 4u * p + i;
      var minusG = array<vec4f, BLOCKS_A * BLOCKS_B>(); // its row j
      for (var m = 0u; m < SWEPT; m++) { // @unroll
        minusG[m] = -readE(restart * E_BATCH + j * SWEPT + (p + m) % SWEPT);
      }
      let diagonal = -minusG[0][i];
      for (var q = 0u; q < OWN; q++) { // @unroll
        var rest = first[4u * q + i];
        for (var l = 0u; l < 4u * SWEPT; l++) { // @unroll
          rest = fma(vec4f(minusG[l / 4u][l % 4u]), x[4u * (l / 4u * OWN + q) + l % 4u], rest);
        }
        let before = x[4u * q + i];
        x[4u * q + i] = select(before, max(before + rest / diagonal, vec4f(0.0)), diagonal > 0.0);
      }
    }
    for (var v = 0u; v < 4u * OWN; v++) { // @unroll
      first[v] = x[v];
    }
    for (var v = 0u; v < 4u * OWN * SWEPT - 4u * OWN; v++) { // @unroll
      x[v] = x[v + 4u * OWN];
      (*c)[v] = (*c)[v + 4u * OWN];
    }
    for (var q = 0u; q < OWN; q++) { // @unroll
      let after = upright(mat4x4f(first[4u * q], first[4u * q + 1u], first[4u * q + 2u], first[4u * q + 3u]));
      for (var i = 0u; i < 4u; i++) { // @unroll
        x[4u * OWN * SWEPT - 4u * OWN + 4u * q + i] = first[4u * q + i];
        (*c)[4u * OWN * SWEPT - 4u * OWN + 4u * q + i] = after[i];
      }
    }
  }
}

// Four entries of four rows of F.
fn blockAt(at: u32) -> mat4x4f {
  return mat4x4f(C[at], C[at + C_STRIDE], C[at + 2u * C_STRIDE], C[at + 3u * C_STRIDE]);
}

// Column i of the result has number i of four columns (or rows) of F.
fn upright(stored: mat4x4f) -> mat4x4f {
  if (OF_ROWS) { return transpose(stored); }
  return stored;
}

// Units with g_jj = 0 become hashed uniform numbers (see update/hals-layout), in `count` columns (or rows), over the entries that were
// stored there.
fn revive(restart: u32, item: u32, count: u32) {
  let k = select(ROWS, COLS, OF_ROWS);
  let end = min(item + count, select(COLS, ROWS, OF_ROWS));
  for (var j = 0u; j < k; j++) {
    if (readE(restart * E_BATCH + j * SWEPT + j / 4u)[j % 4u] == 0.0) {
      for (var i = item; i < end; i++) {
        let at = select(j * 4u * C_STRIDE + i, i * 4u * C_STRIDE + j, OF_ROWS);
        C[restart * C_BATCH + at / 4u][at % 4u] = hashUniform(i * k + j, 0u, LAYER, restart);
      }
    }
  }
}
