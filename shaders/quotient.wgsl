// Part of the kernels that divide where a denominator ≥ 0 may vanish: n / d, finite for every n and d, and 0 for 0 / 0. The guard is
// relative to n, so that a quotient is the same in every unit of n and d.
const LEAST_RATIO: f32 = 1e-30;
const LEAST_DENOMINATOR: f32 = 1.1754943508222875e-38;

fn quotient(n: f32, d: f32) -> f32 {
  return n / max(d, max(LEAST_RATIO * abs(n), LEAST_DENOMINATOR));
}

fn quotients(n: vec4f, d: vec4f) -> vec4f {
  return n / max(d, max(LEAST_RATIO * abs(n), vec4f(LEAST_DENOMINATOR)));
}
