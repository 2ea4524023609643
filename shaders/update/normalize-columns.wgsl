// F ← F diag(g)^−½, g the diagonal of G = FᵀF: columns of unit norm. A zero column contributes nothing and would stay dead. It becomes
// hashed uniform numbers, which cannot raise min over S of ‖X − FS‖. One entry an invocation, bound by bandwidth.
const COLS: u32 = 4u; // @size columns of F
const STRIDE: u32 = 4u; // @size entries per row of F
const G_STRIDE: u32 = 4u; // @size
const F_BATCH: u32 = 0u; // @size entries from one restart to the next
const G_BATCH: u32 = 0u; // @size
const LAYER: u32 = 0u; // @size
const FIRST_ROW: u32 = 0u; // @size where a panel starts in its tensor
const CAP: bool = false; // @set only shorten columns longer than 1

// @use grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read_write> F: array<f32>;

// @use random

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let entry = place.item;
  let i = entry / COLS;
  let j = entry % COLS;
  let g = G[place.restart * G_BATCH + j * G_STRIDE + j];
  let f = place.restart * F_BATCH + i * STRIDE + j;
  if (CAP) {
    F[f] /= max(sqrt(g), 1.0);
    return;
  }
  if (g > 0.0) { F[f] /= sqrt(g); } else { F[f] = hashUniform(FIRST_ROW * COLS + entry, 0u, LAYER, place.restart); }
}
