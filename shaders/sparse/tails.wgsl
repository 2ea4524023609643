// tails[t] = the part of a line of op(X) D that tail t of the line holds: a tail and four columns of D an invocation. Tails are of equal
// length, so a line of n entries costs its longest invocation n / SEGMENT + SEGMENT steps. Bound by the gathers of D.
// @use grid
// @use sparse/gather
// @use sparse/values
// @use sparse/sums

@group(0) @binding(0) var<storage, read> X: array<vec2u>;
@group(0) @binding(1) var<storage, read> D: array<vec4f>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> tails: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let tail = X[TAILS_AT + place.item / TILES];
  let tile = FIRST_TILE + place.item % TILES;
  tails[place.restart * ITEMS + place.item] = gather(place.restart, tile, tail.x, X[LINES_AT + tail.y + 1u].x);
}
