// Part of the HALS kernels: one invocation sweeps a row of F (N×K), or a column (K×M).
const OF_ROWS: bool = false; // @set
const PER_COLUMN: bool = false; // @set every row or column has a Gram matrix of its own: column c of the k²×items tensor G
const STRIDE: u32 = 4u; // @size entries per row of F and B
const G_STRIDE: u32 = 4u; // @size
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const F_BATCH: u32 = 0u; // @size
const LAYER: u32 = 0u; // @size
const FIRST: u32 = 0u; // @size number of the first row or column, in a panel

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> B: array<f32>;
@group(0) @binding(2) var<storage, read_write> F: array<f32>;

// Where the row or column begins, and how far apart its entries are.
fn startOf(item: u32) -> u32 {
  return select(item, item * STRIDE, OF_ROWS);
}

fn step() -> u32 {
  return select(STRIDE, 1u, OF_ROWS);
}

// A unit that the other factor does not use (g_jj = 0) has no part in the product. It gets hashed uniform numbers,
// from which the other factor's next sweep can take it up again. With Gram matrices of their own a zero may be only this row's: left alone.
fn revive(item: u32, restart: u32, g: u32, f: u32) {
  if (PER_COLUMN) { return; }
  for (var j = 0u; j < K; j++) {
    if (gram(g, j, j) == 0.0) {
      F[f + j * step()] = hashUniform((FIRST + item) * K + j, 0u, LAYER, restart);
    }
  }
}
