// HALS for few unknowns: f_j ← max(f_j + (b_j − Σ_l g_jl f_l) / g_jj, 0), j = 1 … K in turn, for every row or column f of F.
//
// Cichocki & Phan 2009. A row reads only itself, so an invocation sweeps one, in registers, with all loops written out: K² FMA and as many
// loads of G, which all invocations share. Bound by these loads where caches do not broadcast.

const K: u32 = 4u; // @set entries of a row or column

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
  var x: array<f32, K>;
  for (var j = 0u; j < K; j++) { // @unroll
    x[j] = F[f + j * step()];
  }
  for (var j = 0u; j < K; j++) { // @unroll
    var rest = B[b + j * step()];
    for (var l = 0u; l < K; l++) { // @unroll
      rest = fma(-gram(g, j, l), x[l], rest);
    }
    let diagonal = gram(g, j, j);
    x[j] = select(x[j], max(x[j] + rest / diagonal, 0.0), diagonal > 0.0);
  }
  for (var j = 0u; j < K; j++) { // @unroll
    F[f + j * step()] = x[j];
  }
  revive(place.item, place.restart, g, f);
}
