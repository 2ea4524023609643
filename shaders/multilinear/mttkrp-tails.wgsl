// tails[t] = the part of a row of multilinear/mttkrp that tail t of the line holds: a tail and four columns an invocation. Tails are of
// equal length, so a line of n entries costs its longest invocation n / SEGMENT + SEGMENT steps. Bound by the gathers of the factors.
const TAILS_AT: u32 = 0u; // @size tails of the mode in X: first place, line

// @use grid
// @use multilinear/entry
// @use multilinear/segment

@group(0) @binding(0) var<storage, read> X: array<u32>;
@group(0) @binding(1) var<storage, read> F0: array<vec4f>;
@group(0) @binding(2) var<storage, read> F1: array<vec4f>;
@group(0) @binding(3) var<storage, read> F2: array<vec4f>;
@group(0) @binding(4) var<storage, read> F3: array<vec4f>;
@group(0) @binding(5) var<storage, read> F4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> tails: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let tail = TAILS_AT + 2u * (place.item / STRIDE);
  let next = LINES_AT + 2u * (X[tail + 1u] + 1u);
  tails[place.restart * ITEMS + place.item] = segmentOf(X[tail], X[next], place.restart, place.item % STRIDE);
}
