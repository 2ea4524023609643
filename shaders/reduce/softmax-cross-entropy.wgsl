// Per labelled column: loss = −Σ_i y_i log softmax(z)_i and its gradient softmax(z) − y. Columns whose y is zero have 0 in both.
// One invocation a column, the largest logit subtracted first. Bound by bandwidth: two passes over P rows.
const ROWS: u32 = 4u; // @size classes
const STRIDE: u32 = 4u; // @size entries per row
const LOGITS_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const Y_BATCH: u32 = 0u; // @size
const LOSS_BATCH: u32 = 0u; // @size
const GRADIENT_BATCH: u32 = 0u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> Y: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let column = place.item;
  let z0 = place.restart * LOGITS_BATCH + column;
  let y0 = place.restart * Y_BATCH + column;
  let g0 = place.restart * GRADIENT_BATCH + column;
  // Padding columns have no label, so they get the zeros they must hold.
  var weight = 0.0;
  var largest = logits[z0];
  for (var i = 0u; i < ROWS; i++) {
    weight += Y[y0 + i * STRIDE];
    largest = max(largest, logits[z0 + i * STRIDE]);
  }
  var sum = 0.0;
  for (var i = 0u; i < ROWS; i++) { sum += exp(logits[z0 + i * STRIDE] - largest); }
  let logSum = largest + log(sum);
  var total = 0.0;
  for (var i = 0u; i < ROWS; i++) {
    let z = logits[z0 + i * STRIDE];
    let y = Y[y0 + i * STRIDE];
    total -= y * (z - logSum);
    gradient[g0 + i * STRIDE] = select(0.0, exp(z - logSum) - y, weight > 0.0);
  }
  loss[place.restart * LOSS_BATCH + column] = select(0.0, total, weight > 0.0);
}
