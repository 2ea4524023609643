// Part of the solves for few unknowns: Gram matrix, Cholesky factor and vectors of one column in registers, with all loops written out.
// Rows and columns outside the support become those of the identity, so that no index depends on data: K³/6 FMA, whatever the support,
// and no memory between the first load and the last store. A pivot below 1e-6 of its diagonal entry means that the column depends on
// those before it: it is lifted to that bound, which moves the KKT residual by at most as much.
var<private> g: array<array<f32, K>, K>; // lower triangle
var<private> factor: array<array<f32, K>, K>; // lower triangle, the diagonal inverted
var<private> x: array<f32, K>;

fn has(indices: u32, i: u32) -> bool {
  return ((indices >> i) & 1u) == 1u;
}

fn loadGram(start: u32) {
  for (var i = 0u; i < K; i++) { // @unroll
    for (var j = 0u; j < i + 1u; j++) { // @unroll
      g[i][j] = gram(start, i, j);
    }
  }
}

fn factorize(support: u32) {
  for (var i = 0u; i < K; i++) { // @unroll
    let diagonal = select(1.0, g[i][i], has(support, i));
    var pivot = diagonal;
    for (var j = 0u; j < i; j++) { // @unroll
      var sum = select(0.0, g[i][j], has(support & (support >> (i - j)), j));
      for (var t = 0u; t < j; t++) { // @unroll
        sum = fma(-factor[i][t], factor[j][t], sum);
      }
      sum *= factor[j][j];
      factor[i][j] = sum;
      pivot = fma(-sum, sum, pivot);
    }
    factor[i][i] = inverseSqrt(max(pivot, 1e-6 * diagonal));
  }
}

// x ← the solution for the right side in x, which is zero outside the support.
fn solveFactored() {
  for (var i = 0u; i < K; i++) { // @unroll
    for (var t = 0u; t < i; t++) { // @unroll
      x[i] = fma(-factor[i][t], x[t], x[i]);
    }
    x[i] *= factor[i][i];
  }
  for (var r = 0u; r < K; r++) { // @unroll
    for (var t = K - r; t < K; t++) { // @unroll
      x[K - 1u - r] = fma(-factor[t][K - 1u - r], x[t], x[K - 1u - r]);
    }
    x[K - 1u - r] *= factor[K - 1u - r][K - 1u - r];
  }
}
