// A test that loops run to their end: one invocation steps a number OUTER × INNER times, which takes that many rounds. Some compilers
// end the loops of an invocation after 65,535 rounds, all loops counted together, without an error. Each step needs the one before, so no
// compiler can do without the loops. Bound by latency.
const OUTER: u32 = 1u; // @size
const INNER: u32 = 1u; // @size

@group(0) @binding(0) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(1)
fn main() {
  var state = result[0];
  for (var i = 0u; i < OUTER; i++) {
    for (var j = 0u; j < INNER; j++) { state = state * 1664525u + 1013904223u; }
  }
  result[0] = state;
}
