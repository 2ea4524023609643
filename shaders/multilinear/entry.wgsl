// Part of the kernels of a tensor in coordinates, in its device form (src/webgpu/layout/coo-layout.ts): what an entry has to do with the
// factors of the other modes. These are F0 … F4, in the order of their modes. An entry has the coordinates of all modes, then the bits of
// its value.
const OTHERS: u32 = 1u; // @set modes but this one
const MODE: u32 = 0u; // @size
const STRIDE: u32 = 1u; // @size vec4 per row of the factors
const F0_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const F1_BATCH: u32 = 0u; // @size
const F2_BATCH: u32 = 0u; // @size
const F3_BATCH: u32 = 0u; // @size
const F4_BATCH: u32 = 0u; // @size

// Where row i of the factor of the other mode number m starts, for entry words from `at` on.
fn rowOf(at: u32, m: u32) -> u32 {
  return X[at + select(m, m + 1u, m >= MODE)] * STRIDE;
}

// x Π F_m[its index][four columns].
fn weighted(at: u32, restart: u32, tile: u32) -> vec4f {
  var product = bitcast<f32>(X[at + OTHERS + 1u]) * F0[restart * F0_BATCH + rowOf(at, 0u) + tile];
  if (OTHERS > 1u) { product *= F1[restart * F1_BATCH + rowOf(at, 1u) + tile]; }
  if (OTHERS > 2u) { product *= F2[restart * F2_BATCH + rowOf(at, 2u) + tile]; }
  if (OTHERS > 3u) { product *= F3[restart * F3_BATCH + rowOf(at, 3u) + tile]; }
  if (OTHERS > 4u) { product *= F4[restart * F4_BATCH + rowOf(at, 4u) + tile]; }
  return product;
}
