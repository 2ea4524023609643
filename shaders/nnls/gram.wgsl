// Part of the nnls kernels: where the Gram matrix of a column starts, and its entries; one matrix for all columns, or one for each.
fn gramOf(restart: u32, column: u32) -> u32 {
  if (PER_COLUMN) { return restart * G_BATCH + column; }
  return restart * G_BATCH;
}

fn gram(g: u32, i: u32, j: u32) -> f32 {
  if (PER_COLUMN) { return G[g + (i * K + j) * G_STRIDE]; }
  return G[g + i * G_STRIDE + j];
}
