// Part of the sparse products: four columns of a whole line of op(X) D, its head and the tails that sparse/tails added up before.
const TAILS: u32 = 0u; // @size tails of one restart

fn lineOf(restart: u32, line: u32, tile: u32) -> vec4f {
  let own = X[LINES_AT + line];
  let next = X[LINES_AT + line + 1u];
  var sum = gather(restart, tile, own.x, next.x);
  for (var t = own.y; t < next.y; t++) { sum += tails[(restart * TAILS + t) * TILES + tile - FIRST_TILE]; }
  return sum;
}
