// Part of the nnls kernels: Cholesky of the masked Gram matrix G_PP and its triangular solves, one system an invocation.
// P is a list, so the cost is p³/6 FMA for p = |P|, whatever k. The factor lives in private memory. For many unknowns it lives in a buffer
// that is interleaved by invocation: neighbours touch neighbouring entries. Diagonals are kept inverted. A pivot that is not above
// DEPENDENT of its diagonal entry is rounding: the column depends on earlier ones. Its inverse is 0, which takes row and column out of the
// factor and makes the unknown 0.
var<private> support: array<u32, CAPACITY>;
var<private> supportSize: u32;
var<private> inverse: array<f32, CAPACITY>;
var<private> unknown: array<f32, CAPACITY>;
var<private> factor: array<f32, FACTOR_SIZE>;
var<private> lane: u32;

fn factorAt(i: u32, j: u32) -> f32 {
  let at = (i * (i + 1u)) / 2u + j;
  if (SPILL) { return scratch[at * LANES + lane]; }
  return factor[at];
}

fn setFactor(i: u32, j: u32, value: f32) {
  let at = (i * (i + 1u)) / 2u + j;
  if (SPILL) { scratch[at * LANES + lane] = value; } else { factor[at] = value; }
}

fn factorize(g: u32) {
  for (var i = 0u; i < supportSize; i++) {
    let diagonal = gram(g, support[i], support[i]);
    var pivot = diagonal;
    for (var j = 0u; j < i; j++) {
      var sum = gram(g, support[i], support[j]);
      for (var t = 0u; t < j; t++) { sum = fma(-factorAt(i, t), factorAt(j, t), sum); }
      sum *= inverse[j];
      setFactor(i, j, sum);
      pivot = fma(-sum, sum, pivot);
    }
    inverse[i] = select(0.0, inverseSqrt(pivot), pivot > DEPENDENT * diagonal);
  }
}

// unknown ← G_PP⁻¹ unknown
fn solveFactored() {
  for (var i = 0u; i < supportSize; i++) {
    var sum = unknown[i];
    for (var t = 0u; t < i; t++) { sum = fma(-factorAt(i, t), unknown[t], sum); }
    unknown[i] = sum * inverse[i];
  }
  for (var r = supportSize; r > 0u; r--) {
    let i = r - 1u;
    var sum = unknown[i];
    for (var t = i + 1u; t < supportSize; t++) { sum = fma(-factorAt(t, i), unknown[t], sum); }
    unknown[i] = sum * inverse[i];
  }
}
