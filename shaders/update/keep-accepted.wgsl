// state ← trial where the restart's trial step was accepted, for up to three pairs: a dispatch costs more than a small copy.
// Four entries an invocation, the pairs one after another; bound by bandwidth. A missing pair has no vectors.
const VECTORS_0: u32 = 0u; // @size vec4 of the first state, one restart
const VECTORS_1: u32 = 0u; // @size
const VECTORS_2: u32 = 0u; // @size
const TRIAL0_BATCH: u32 = 0u; // @size vec4 from one restart to the next
const TRIAL1_BATCH: u32 = 0u; // @size
const TRIAL2_BATCH: u32 = 0u; // @size
const STATE0_BATCH: u32 = 0u; // @size
const STATE1_BATCH: u32 = 0u; // @size
const STATE2_BATCH: u32 = 0u; // @size
const CONTROL_BATCH: u32 = 8u; // @size entries from one restart to the next

// @use grid
// @use update/control

@group(0) @binding(0) var<storage, read> control: array<f32>;
@group(0) @binding(1) var<storage, read> trial0: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> state0: array<vec4f>;
@group(0) @binding(3) var<storage, read> trial1: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> state1: array<vec4f>;
@group(0) @binding(5) var<storage, read> trial2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> state2: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  if (control[place.restart * CONTROL_BATCH + ACCEPTED] != 1.0) { return; }
  var at = place.item;
  if (at < VECTORS_0) {
    state0[place.restart * STATE0_BATCH + at] = trial0[place.restart * TRIAL0_BATCH + at];
    return;
  }
  at -= VECTORS_0;
  if (at < VECTORS_1) {
    state1[place.restart * STATE1_BATCH + at] = trial1[place.restart * TRIAL1_BATCH + at];
    return;
  }
  at -= VECTORS_1;
  state2[place.restart * STATE2_BATCH + at] = trial2[place.restart * TRIAL2_BATCH + at];
}
