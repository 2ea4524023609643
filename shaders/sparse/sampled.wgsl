// Part of the kernels that form a product at the stored entries of op(X) alone: the entry of line r and place c is the product of row r of L
// and row c of D. An item is the head of a line, or a tail.
const L_BATCH: u32 = 0u; // @size vec4 from one restart's L to the next, 0 when all share it

struct Segment {
  line: u32,
  first: u32,
  end: u32,
}

fn segmentAt(item: u32) -> Segment {
  // A head is where its line starts; a tail knows where it starts and its line.
  var start = vec2u(X[LINES_AT + min(item, LINES - 1u)].x, item);
  if (item >= LINES) { start = X[TAILS_AT + item - LINES]; }
  return Segment(start.y, start.x, min(X[LINES_AT + start.y + 1u].x, start.x + SEGMENT));
}

fn sampled(restart: u32, line: u32, placeOnLine: u32) -> f32 {
  let l = restart * L_BATCH + line * D_STRIDE;
  let d = restart * D_BATCH + placeOnLine * D_STRIDE;
  var sum = 0.0;
  for (var q = 0u; q < D_STRIDE; q++) { sum += dot(L[l + q], D[d + q]); }
  return sum;
}
