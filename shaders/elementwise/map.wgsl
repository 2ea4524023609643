// out = f(X, Y, W) entrywise for one of the named functions of graph/operations. One entry an invocation, padding written
// as zero for every f. Bound by bandwidth; the compiler keeps only the branch that FUNCTION selects.
const COLS: u32 = 4u; // @size
const STRIDE: u32 = 4u; // @size entries per row
const X_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const Y_BATCH: u32 = 0u; // @size
const W_BATCH: u32 = 0u; // @size
const OUT_BATCH: u32 = 0u; // @size
const FUNCTION: u32 = 0u; // @set one of elementwise/functions
const P: f32 = 1.0; // @size
const Q: f32 = 0.0; // @size

// @use grid
// @use quotient
// @use elementwise/functions

@group(0) @binding(0) var<storage, read> X: array<f32>;
@group(0) @binding(1) var<storage, read> Y: array<f32>;
@group(0) @binding(2) var<storage, read> W: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + log(1.0 + exp(-abs(x)));
}

// log(e^x − 1) = x + log(1 − e^−x); the series keeps small x accurate.
fn softplusInverse(x: f32) -> f32 {
  return x + log(select(1.0 - exp(-x), x * (1.0 - x * (0.5 - x / 6.0)), x < 0.02));
}

// x (d − log(1 + d)) for y = (1 + d) x. Near x a series, since terms of the size of x cancel in the formula: the sum of such rounding would
// hide the divergence of a good fit.
fn divergence(x: f32, y: f32) -> f32 {
  if (x <= 0.0) { return y - x; }
  let d = (y - x) / x;
  if (abs(d) < 0.125) {
    return x * d * d * (1.0 / 2.0 - d * (1.0 / 3.0 - d * (1.0 / 4.0 - d * (1.0 / 5.0 - d * (1.0 / 6.0 - d * (1.0 / 7.0 - d * (1.0 / 8.0 - d / 9.0)))))));
  }
  return x * log(max(quotient(x, y), LEAST_DENOMINATOR)) - x + y;
}

// tanh overflows on some devices beyond 88, where it is ±1 anyway; min and max instead of clamp, whose constant bounds are checked for
// every function.
fn f(x: f32, y: f32, w: f32) -> f32 {
  if (FUNCTION == AFFINE) { return P * x + Q; }
  if (FUNCTION == POWER) { return pow(max(x, Q), P); }
  if (FUNCTION == POSITIVE) { return max(x, 0.0); }
  if (FUNCTION == NEGATIVE) { return max(-x, 0.0); }
  if (FUNCTION == SOFTPLUS) { return softplus(x); }
  if (FUNCTION == SOFTPLUS_INVERSE) { return softplusInverse(max(x, P)); }
  if (FUNCTION == SIGMOID) { return 1.0 / (1.0 + exp(-x)); }
  if (FUNCTION == SIGMOID_INVERSE) { let s = min(max(x, P), 1.0 - P); return log(s / (1.0 - s)); }
  if (FUNCTION == TANH) { return P * tanh(clamp(Q * x, -40.0, 40.0)); }
  if (FUNCTION == TANH_INVERSE) { return atanh(clamp(x / P, -0.999999, 0.999999)) / Q; }
  if (FUNCTION == LOG1P) { return log(1.0 + x); }
  if (FUNCTION == EXP) { return exp(x); }
  if (FUNCTION == QUOTIENT) { return quotient(x, y); }
  if (FUNCTION == WEIGHTED_PRODUCT) { return w * x * y; }
  return divergence(x, y);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  let entry = place.item;
  var value = 0.0;
  if (entry % STRIDE < COLS) { value = f(X[place.restart * X_BATCH + entry], Y[place.restart * Y_BATCH + entry], W[place.restart * W_BATCH + entry]); }
  out[place.restart * OUT_BATCH + entry] = value;
}
