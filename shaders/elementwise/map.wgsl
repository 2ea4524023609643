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

// (e^(c l) − 1) / c, l for c = 0; a series where the difference cancels.
fn powerAbove(l: f32, c: f32) -> f32 {
  let z = c * l;
  if (abs(z) < 0.125) { return l * (1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0 * (1.0 + z / 6.0))))); }
  return (exp(z) - 1.0) / c;
}

// y^b f(x / y) with f(r) = (r^b − 1 − b (r − 1)) / (b (b − 1)), its limits at b = 0 and 1 included. Near r = 1 a series in d = r − 1, since
// terms of the size of 1 cancel in the formula.
fn betaDivergence(x: f32, y: f32, b: f32) -> f32 {
  let size = pow(y, b);
  let d = (x - y) / y;
  if (abs(d) < 0.125) {
    return size * d * d / 2.0 * (1.0 + (b - 2.0) * d / 3.0 * (1.0 + (b - 3.0) * d / 4.0 * (1.0 + (b - 4.0) * d / 5.0 * (1.0 + (b - 5.0) * d / 6.0 * (1.0 + (b - 6.0) * d / 7.0)))));
  }
  if (x <= 0.0) { return size / b; }
  let l = log(x) - log(y);
  if (b < 0.5) { return size * (powerAbove(l, b) - d) / (b - 1.0); }
  return size * ((d + 1.0) * powerAbove(l, b - 1.0) - d) / b;
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
  if (FUNCTION == BETA_DIVERGENCE) { return betaDivergence(select(x, max(x, Q), P <= 0.0), max(y, Q), P); }
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
