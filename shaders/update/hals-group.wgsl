// HALS for many unknowns on hardware: f_j ← max(f_j + (b_j − Σ_l g_jl f_l) / g_jj, 0), j = 1 … K in turn, for every row or column f of F.
//
// Cichocki & Phan 2009; as update/hals-registers, with a workgroup for 4 rows, one lane an unknown. A lane holds what its b leaves and takes
// every change of another unknown from it, so that a load of G serves 4 rows. Bound by these 2 K² / 4 loads a row and K barriers.

const K: u32 = 4u; // @size entries of a row or column
const ITEMS: u32 = 1u; // @size rows or columns of one restart
const RESTARTS: u32 = 1u; // @size
const GRID: u32 = 64u; // @size workgroups in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup, at least K

// @use update/hals-layout
// @use nnls/gram
// @use random

var<workgroup> shared4: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let fours = (ITEMS + 3u) / 4u;
  let flat = group.y * GRID + group.x;
  let restart = min(flat / fours, RESTARTS - 1u);
  let item = (flat % fours) * 4u;
  let count = select(0u, min(ITEMS - item, 4u), flat < fours * RESTARTS);
  let g = gramOf(restart, item);
  let i = min(lane, K - 1u);
  var x = vec4f();
  var rest = vec4f();
  for (var r = 0u; r < 4u; r++) { // @unroll
    let at = startOf(item + min(r, max(count, 1u) - 1u)) + i * step();
    x[r] = F[restart * F_BATCH + at];
    rest[r] = B[restart * B_BATCH + at];
  }
  shared4[lane] = x;
  workgroupBarrier();
  for (var l = 0u; l < K; l++) {
    rest = fma(-grams(g, l, i), shared4[l], rest);
  }
  workgroupBarrier();
  let diagonal = grams(g, i, i);
  for (var j = 0u; j < K; j++) {
    if (lane == j) {
      let next = select(x, max(x + rest / diagonal, vec4f()), diagonal > vec4f());
      shared4[j] = next - x;
      x = next;
    }
    workgroupBarrier();
    rest = fma(-grams(g, j, i), shared4[j], rest);
  }
  if (lane >= K) { return; }
  for (var r = 0u; r < 4u; r++) { // @unroll
    if (r < count) {
      let dead = !PER_COLUMN & (diagonal[r] == 0.0);
      let fresh = hashUniform((FIRST + item + r) * K + i, 0u, LAYER, restart);
      F[restart * F_BATCH + startOf(item + r) + i * step()] = select(x[r], fresh, dead);
    }
  }
}

// Entry (i, j) of the Gram matrices of 4 neighbours. Rows of G are padded to multiples of 4.
fn grams(g: u32, i: u32, j: u32) -> vec4f {
  if (PER_COLUMN) {
    let at = g + (i * K + j) * G_STRIDE;
    return vec4f(G[at], G[at + 1u], G[at + 2u], G[at + 3u]);
  }
  return vec4f(gram(g, i, j));
}
