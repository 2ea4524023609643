// Part of the sparse products: sums over stored entries, each with its own value, with 1, or with one of `values`, which has a number for
// each entry of the lines of op(X), in their order, and for each restart.
const VALUES: u32 = 0u; // @set one of sparse/values
const TILES: u32 = 1u; // @size tiles of four columns of D that the dispatch takes, from FIRST_TILE on
const FIRST_TILE: u32 = 0u; // @size
const VALUES_BATCH: u32 = 0u; // @size entries from one restart's values to the next

// Σ x · D[place on the line][four columns] over the entries from `first` on, up to `end` and at most SEGMENT.
fn gather(restart: u32, tile: u32, first: u32, end: u32) -> vec4f {
  let d = restart * D_BATCH + tile;
  var sum = vec4f(0.0);
  for (var e = first; e < min(end, first + SEGMENT); e++) {
    let entry = X[ENTRIES_AT + e];
    var x = bitcast<f32>(entry.y);
    if (VALUES == OWN) { x = values[restart * VALUES_BATCH + e]; }
    if (VALUES == ONES) { x = 1.0; }
    sum = fma(vec4f(x), D[d + entry.x * D_STRIDE], sum);
  }
  return sum;
}
