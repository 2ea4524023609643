// Part of the kernels that revive dead units: uniform numbers on (0, 1] as a pure function of entry, iteration, layer and restart, by the
// integer hash "lowbias32" of Chris Wellons. src/reference/update.ts has its twin.
const REVIVAL: u32 = 25u; // a projected step revives at every so many iterations

fn hashUniform(index: u32, iteration: u32, layer: u32, restart: u32) -> f32 {
  var x = (index * 0x9e3779b1u) ^ (iteration * 0x85ebca77u) ^ ((layer + 1u) * 0xc2b2ae3du) ^ ((restart + 1u) * 0x27d4eb2fu);
  x = (x ^ (x >> 16u)) * 0x7feb352du;
  x = (x ^ (x >> 15u)) * 0x846ca68bu;
  x = x ^ (x >> 16u);
  return f32((x >> 8u) + 1u) / 16777216.0;
}
