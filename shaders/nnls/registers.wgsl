// Part of the solves for few unknowns: Gram matrix, factor and vectors of one column in registers, with all loops written out.
// Rows and columns outside the support become those of the identity, so that no index depends on data. It takes K³/6 FMA, whatever the
// support, and no memory between the first load and the last store. The factorization is G = L D Lᵀ. −G and −L are kept, so that nothing is
// negated. A pivot that is not above DEPENDENT of its diagonal entry is rounding: the column depends on earlier ones. Its inverse is 0,
// which takes row and column out of the factor and makes the unknown 0.
var<private> minusG: array<array<f32, K>, K>; // lower triangle
var<private> minusL: array<array<f32, K>, K>; // below the diagonal, which would be −1
var<private> inverse: array<f32, K>; // of D
var<private> x: array<f32, K>;

fn has(indices: u32, i: u32) -> bool {
  return ((indices >> i) & 1u) == 1u;
}

fn loadGram(start: u32) {
  for (var i = 0u; i < K; i++) { // @unroll
    for (var j = 0u; j < i + 1u; j++) { // @unroll
      minusG[i][j] = -gram(start, i, j);
    }
  }
}

fn factorize(support: u32) {
  // Clears the factor of the round before: loops then need not carry it, which would take long to compile.
  minusL = array<array<f32, K>, K>();
  inverse = array<f32, K>();
  var inside: array<bool, K>;
  for (var i = 0u; i < K; i++) { // @unroll
    inside[i] = has(support, i);
  }
  for (var i = 0u; i < K; i++) { // @unroll
    let diagonal = select(-1.0, minusG[i][i], inside[i]);
    var pivot = diagonal;
    var row: array<f32, K>; // of −LD
    for (var j = 0u; j < i; j++) { // @unroll
      row[j] = select(0.0, minusG[i][j], inside[i] & inside[j]);
      for (var t = 0u; t < j; t++) { // @unroll
        row[j] = fma(row[t], minusL[j][t], row[j]);
      }
      minusL[i][j] = row[j] * inverse[j];
      pivot = fma(row[j], minusL[i][j], pivot);
    }
    inverse[i] = select(0.0, -1.0 / pivot, pivot < DEPENDENT * diagonal);
  }
}

// x ← the solution for the right side in x, which is zero outside the support.
fn solveFactored() {
  for (var i = 0u; i < K; i++) { // @unroll
    for (var t = 0u; t < i; t++) { // @unroll
      x[i] = fma(minusL[i][t], x[t], x[i]);
    }
  }
  for (var r = 0u; r < K; r++) { // @unroll
    x[K - 1u - r] *= inverse[K - 1u - r];
    for (var t = K - r; t < K; t++) { // @unroll
      x[K - 1u - r] = fma(minusL[t][K - 1u - r], x[t], x[K - 1u - r]);
    }
  }
}
