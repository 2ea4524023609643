// Partial sums of Σ_stored (x − y)² − y² = Σ x (x − 2y) for a tensor X in coordinates, y = Σ_r Π_n F_n[i_n][r] at the entry. An invocation
// takes every ITEMS-th entry, so that neighbours read neighbours. Bound by the gathers of the factors, 4 r bytes an entry and mode.
const ORDER: u32 = 2u; // @set modes, 2 to 6
const ENTRIES: u32 = 0u; // @size
const F0_STRIDE: u32 = 1u; // @size vec4 per row of the factors
const F0_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const F1_BATCH: u32 = 0u; // @size
const F2_BATCH: u32 = 0u; // @size
const F3_BATCH: u32 = 0u; // @size
const F4_BATCH: u32 = 0u; // @size
const F5_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 4u; // @size entries from one restart's partial sums to the next

// @use grid

@group(0) @binding(0) var<storage, read> X: array<u32>;
@group(0) @binding(1) var<storage, read> F0: array<vec4f>;
@group(0) @binding(2) var<storage, read> F1: array<vec4f>;
@group(0) @binding(3) var<storage, read> F2: array<vec4f>;
@group(0) @binding(4) var<storage, read> F3: array<vec4f>;
@group(0) @binding(5) var<storage, read> F4: array<vec4f>;
@group(0) @binding(6) var<storage, read> F5: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> partials: array<f32>;

// y of the entry whose words start at `at`.
fn approximated(at: u32, restart: u32) -> f32 {
  var sum = vec4f(0.0);
  for (var tile = 0u; tile < F0_STRIDE; tile++) {
    var product = F0[restart * F0_BATCH + X[at] * F0_STRIDE + tile] * F1[restart * F1_BATCH + X[at + 1u] * F0_STRIDE + tile];
    if (ORDER > 2u) { product *= F2[restart * F2_BATCH + X[at + 2u] * F0_STRIDE + tile]; }
    if (ORDER > 3u) { product *= F3[restart * F3_BATCH + X[at + 3u] * F0_STRIDE + tile]; }
    if (ORDER > 4u) { product *= F4[restart * F4_BATCH + X[at + 4u] * F0_STRIDE + tile]; }
    if (ORDER > 5u) { product *= F5[restart * F5_BATCH + X[at + 5u] * F0_STRIDE + tile]; }
    sum += product;
  }
  return dot(sum, vec4f(1.0));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  var sum = 0.0;
  for (var e = place.item; e < ENTRIES; e += ITEMS) {
    let at = e * (ORDER + 1u);
    let x = bitcast<f32>(X[at + ORDER]);
    sum = fma(x, x - 2.0 * approximated(at, place.restart), sum);
  }
  partials[place.restart * OUT_BATCH + place.item] = sum;
}
