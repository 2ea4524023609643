// C = scale · Σ_s partial_s, the second pass of split-K products: one vec4 of C an invocation, parts added in a fixed order.
// Bound by bandwidth: SPLITS vec4 read per vec4 written.
const COUNT: u32 = 1u; // @size vec4 of one C
const C_BATCH: u32 = 0u; // @size vec4 from one restart's C to the next
const E_BATCH: u32 = 0u; // @size
const SPLITS: u32 = 2u; // @size
const SCALE: f32 = 1.0; // @size
const EPILOGUE: u32 = 0u; // @set one of matmul/epilogue
const ADD_SCALE: f32 = 1.0; // @size

// @use grid

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read> E: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> C: array<vec4f>;

// @use quotient
// @use matmul/epilogue

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let at = place.item;
  let first = place.restart * SPLITS * COUNT + at;
  var sum = partials[first];
  for (var s = 1u; s < SPLITS; s++) { sum += partials[first + s * COUNT]; }
  sum *= SCALE;
  if (EPILOGUE == ADD) { sum += ADD_SCALE * E[place.restart * E_BATCH + at]; }
  if (EPILOGUE == UPDATE) { sum = C[place.restart * C_BATCH + at] * quotients(sum, E[place.restart * E_BATCH + at]); }
  if (EPILOGUE == HADAMARD) { sum *= E[place.restart * E_BATCH + at]; }
  C[place.restart * C_BATCH + at] = sum;
}
