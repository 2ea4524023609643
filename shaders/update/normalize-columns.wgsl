// F ← F diag(g)^−½, g the diagonal of G = FᵀF: columns of unit norm. A zero column contributes nothing and would stay dead: it becomes
// hashed uniform numbers, which cannot raise min over S of ‖X − FS‖. One entry an invocation, bound by bandwidth.
const ROWS: u32 = 4u; // @set rows of F
const COLS: u32 = 4u; // @set columns of F
const STRIDE: u32 = 4u; // @set entries per row of F
const G_STRIDE: u32 = 4u; // @set
const F_BATCH: u32 = 0u; // @set entries from one restart to the next
const G_BATCH: u32 = 0u; // @set
const LAYER: u32 = 0u; // @set
const GRID: u32 = 64u; // @set invocations in one row of the grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read_write> F: array<f32>;

// @use random

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let entry = id.y * GRID + id.x;
  if (entry >= ROWS * COLS) { return; }
  let i = entry / COLS;
  let j = entry % COLS;
  let g = G[id.z * G_BATCH + j * G_STRIDE + j];
  let f = id.z * F_BATCH + i * STRIDE + j;
  if (g > 0.0) { F[f] /= sqrt(g); } else { F[f] = hashUniform(entry, 0u, LAYER, id.z); }
}
