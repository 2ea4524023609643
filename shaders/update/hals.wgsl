// HALS for any number of unknowns: f_j ← max(f_j + (b_j − Σ_l g_jl f_l) / g_jj, 0), j = 1 … K in turn, for every row or column f of F.
//
// Cichocki & Phan 2009; as update/hals-registers, with the row in indexed private memory. Bound by the K² loads of G a row.

const K: u32 = 4u; // @size entries of a row or column
const CAPACITY: u32 = 4u; // @set at least K

// @use update/hals-layout
// @use grid
// @use nnls/gram
// @use random

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let g = gramOf(place.restart, place.item);
  let f = place.restart * F_BATCH + startOf(place.item);
  let b = place.restart * B_BATCH + startOf(place.item);
  var x: array<f32, CAPACITY>;
  for (var j = 0u; j < K; j++) {
    x[j] = F[f + j * step()];
  }
  for (var j = 0u; j < K; j++) {
    var rest = B[b + j * step()];
    for (var l = 0u; l < K; l++) {
      rest = fma(-gram(g, j, l), x[l], rest);
    }
    let diagonal = gram(g, j, j);
    x[j] = select(x[j], max(x[j] + rest / diagonal, 0.0), diagonal > 0.0);
  }
  for (var j = 0u; j < K; j++) {
    F[f + j * step()] = x[j];
  }
  revive(place.item, place.restart, g, f);
}
