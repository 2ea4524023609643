// Part of the nnls kernels: the start of the Gram matrix of a column, and its entries. One matrix serves all columns, or each has its own.
fn gramOf(restart: u32, column: u32) -> u32 {
  return restart * G_BATCH + select(0u, column, PER_COLUMN);
}

fn gram(g: u32, i: u32, j: u32) -> f32 {
  return G[g + select(i * G_STRIDE + j, (i * K + j) * G_STRIDE, PER_COLUMN)];
}
