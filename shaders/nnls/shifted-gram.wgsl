// Part of the solves on the simplex: the Gram matrix of a column with c11ᵀ added, c = its largest diagonal entry. Σ s is held, so that
// changes no solution.
var<private> shift: f32;

fn gramOf(restart: u32, column: u32) -> u32 {
  return restart * G_BATCH + select(0u, column, PER_COLUMN);
}

// The place of entry (i, j) of the Gram matrix as it was given.
fn gramAt(g: u32, i: u32, j: u32) -> u32 {
  return g + select(i * G_STRIDE + j, (i * K + j) * G_STRIDE, PER_COLUMN);
}

fn gram(g: u32, i: u32, j: u32) -> f32 {
  return G[gramAt(g, i, j)] + shift;
}
