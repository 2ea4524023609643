// Partial sums of (L Dᵀ)^P D, entrywise powers of a product that is never stored. An invocation keeps a line of L and goes over a part of the
// rows d of D: it forms the one entry l·d, and adds d times its power up. All invocations of a workgroup read the same d at once, so it is
// bound by arithmetic: 4 k operations and a power for every entry of L Dᵀ.
const TILES: u32 = 1u; // @set vec4 per row of L and D
const LINES: u32 = 1u; // @size rows of L
const PLACES: u32 = 1u; // @size rows of D
const CHUNK: u32 = 1u; // @size rows of D of one part
const PARTS: u32 = 1u; // @size
const L_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const D_BATCH: u32 = 0u; // @size
const P: f32 = 1.0; // @size
const Q: f32 = 0.0; // @size the least base of a power

// @use grid

@group(0) @binding(0) var<storage, read> L: array<vec4f>;
@group(0) @binding(1) var<storage, read> D: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let line = place.item % LINES;
  let part = place.item / LINES;
  let own = place.restart * L_BATCH + line * TILES;
  var l: array<vec4f, TILES>;
  var sum: array<vec4f, TILES>;
  for (var q = 0u; q < TILES; q++) { // @unroll
    l[q] = L[own + q];
  }
  let end = min(PLACES, (part + 1u) * CHUNK);
  for (var c = part * CHUNK; c < end; c++) {
    let d = place.restart * D_BATCH + c * TILES;
    var v = 0.0;
    for (var q = 0u; q < TILES; q++) { // @unroll
      v += dot(l[q], D[d + q]);
    }
    let power = pow(max(v, Q), P);
    for (var q = 0u; q < TILES; q++) { // @unroll
      sum[q] = fma(vec4f(power), D[d + q], sum[q]);
    }
  }
  let out = ((place.restart * PARTS + part) * LINES + line) * TILES;
  for (var q = 0u; q < TILES; q++) { // @unroll
    partials[out + q] = sum[q];
  }
}
