// Part of the products of a tensor in coordinates. A line of a mode is its entries with one index there: places lines[r].x … lines[r + 1].x
// of the order of the mode. Its head has the first SEGMENT of them. The rest goes on in tails of as many, number lines[r].y …
// lines[r + 1].y, so that no invocation walks a long line alone.
const LINES_AT: u32 = 0u; // @size where the lines of the mode start in X, two words each
const PLACES_AT: u32 = 0u; // @size the order of its entries
const SEGMENT: u32 = 64u; // @size

fn segmentOf(first: u32, end: u32, restart: u32, tile: u32) -> vec4f {
  var sum = vec4f(0.0);
  for (var place = PLACES_AT + first; place < PLACES_AT + min(end, first + SEGMENT); place++) {
    sum += weighted(X[place] * (OTHERS + 2u), restart, tile);
  }
  return sum;
}
