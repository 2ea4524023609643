// S = argmin_{S ≥ 0} ‖X − AS‖² from G = AᵀA and B = AᵀX, exactly, for few unknowns: one invocation a column, all in registers.
//
// The method is that of nnls/solve: block principal pivoting (Kim & Park 2011) from the support {b > 0}, or that of S. A round solves on
// the support and exchanges every index that breaks a KKT condition, or only the last one while that does not help. A column that PIVOTS
// rounds do not settle goes through Lawson & Hanson's active set from zero. Both share the factorization in one loop. Bound by arithmetic:
// K³/6 + 2 K² FMA a round, one or two rounds with a warm start. rounds = the factorizations that pivoting took, negative when neither
// settled.
const K: u32 = 4u; // @set rows of S
const COLS: u32 = 4u; // @size columns of S
const STRIDE: u32 = 4u; // @size entries per row of B and S
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const S_BATCH: u32 = 0u; // @size
const ROUNDS_BATCH: u32 = 0u; // @size
const WARM: u32 = 0u; // @size 1: S holds a start
const PIVOTS: u32 = 32u; // @size rounds of pivoting before the active set takes over
const BUDGET: u32 = 160u; // @size rounds of both

// @use grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> B: array<f32>;
@group(0) @binding(2) var<storage, read_write> S: array<f32>;
@group(0) @binding(3) var<storage, read_write> rounds: array<f32>;

// @use nnls/gram
// @use nnls/dependent
// @use nnls/registers

// w_j ≤ TOLERANCE · √g_jj · max_i |b_i| / √g_ii counts as zero: 16 units of f32 rounding.
const TOLERANCE: f32 = 9.5e-7;

// The phase of a column: exchanging many indices of its support, or one at a time.
const PIVOTING: u32 = 0u;
const ACTIVE_SET: u32 = 1u;
const SETTLED: u32 = 2u;

var<private> b: array<f32, K>;
var<private> s: array<f32, K>; // the active set's point
var<private> w: array<f32, K>; // b − Gx
// 1 / √g_jj, 0 where g_jj is.
var<private> unit: array<f32, K>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let place = placeOf(id);
  if (!place.inside) { return; }
  // The padding columns too: their B is zero, so they get the zeros they must hold.
  let column = place.item;
  let b0 = place.restart * B_BATCH + column;
  let s0 = place.restart * S_BATCH + column;
  loadGram(gramOf(place.restart, column));
  var scale = 0.0;
  var usable = 0u;
  var passive = 0u;
  for (var j = 0u; j < K; j++) { // @unroll
    b[j] = B[b0 + j * STRIDE];
    s[j] = 0.0;
    passive |= select(0u, 1u << j, select(b[j], S[s0 + j * STRIDE], WARM == 1u) > 0.0);
    unit[j] = select(0.0, inverseSqrt(-minusG[j][j]), minusG[j][j] < 0.0);
    scale = max(scale, abs(b[j]) * unit[j]);
    usable |= select(0u, 1u << j, minusG[j][j] < 0.0);
  }
  let used = solveColumn(passive & usable, usable, scale * TOLERANCE);
  for (var j = 0u; j < K; j++) { // @unroll
    S[s0 + j * STRIDE] = max(x[j], 0.0);
  }
  rounds[place.restart * ROUNDS_BATCH + column] = select(0.0, used, column < COLS);
}

// x ← the solution; returns the rounds it took. Nothing but x, s and a few numbers is carried from one round to the next.
fn solveColumn(start: u32, usable: u32, tolerance: f32) -> f32 {
  var phase = PIVOTING;
  var passive = start;
  var fewest = K + 1u;
  var tries = 3u;
  var used = 0.0;
  var entered = 0u; // the active set's last index to enter
  var useless = 0u; // its indices that came in with nothing to gain, or with which the solution overflows
  var overflows = false;
  var stuck = false; // one of these has much to gain
  var inexact = false; // the support is too ill-conditioned to be solved on
  for (var round = 0u; round < BUDGET && phase != SETTLED; round++) {
    solveOn(passive);
    measureGain();
    var infeasible = 0u;
    var dropped = 0u;
    inexact = false;
    for (var j = 0u; j < K; j++) { // @unroll
      let depends = inverse[j] == 0.0;
      let feasible = ((x[j] > 0.0) & (x[j] < 3e38)) | (depends & (w[j] * unit[j] <= tolerance * DEPENDENT_GAIN));
      inexact |= has(passive, j) & !depends & !(abs(w[j] * unit[j]) <= tolerance * DEPENDENT_GAIN);
      let wrong = !select(w[j] * unit[j] <= tolerance, feasible, has(passive, j));
      infeasible |= select(0u, 1u << j, wrong & has(usable, j));
      dropped |= select(0u, 1u << j, depends);
    }
    var right = infeasible == 0u;
    if (phase == PIVOTING) {
      used += 1.0;
      let count = countOneBits(infeasible);
      let fewer = count < fewest;
      let all = fewer | (tries > 0u);
      fewest = min(fewest, count);
      tries = select(max(tries, 1u) - 1u, 3u, fewer);
      passive ^= select(1u << min(firstLeadingBit(infeasible), 31u), infeasible, all | right);
      // What depends on the others leaves the support.
      passive &= ~dropped;
      if ((round + 1u == PIVOTS) & !right) {
        phase = ACTIVE_SET;
        passive = 0u;
      }
    } else {
      // A step that would leave the orthant stops at its border, so the objective only falls.
      var step = 1.0;
      var blocking = 0u;
      var finite = true;
      for (var j = 0u; j < K; j++) { // @unroll
        let reach = select(0.0, s[j] / (s[j] - x[j]), s[j] > 0.0);
        let blocks = has(passive, j) & !(x[j] > 0.0) & ((blocking == 0u) | (reach < step));
        step = select(step, reach, blocks);
        blocking = select(blocking, 1u << j, blocks);
        finite &= x[j] < 3e38;
      }
      step = select(0.0, step, finite);
      blocking = select(entered, blocking, finite);
      overflows |= !finite;
      for (var j = 0u; j < K; j++) { // @unroll
        s[j] = select(0.0, max(select(s[j], mix(s[j], x[j], step), finite), 0.0), has(passive & ~blocking, j));
      }
      useless |= select(0u, blocking, (blocking == entered) & (step <= 0.0));
      passive &= ~blocking;
      if (blocking == 0u) {
        entered = 0u;
        stuck = false;
        var steepest = tolerance;
        for (var j = 0u; j < K; j++) { // @unroll
          let steeper = (w[j] * unit[j] > steepest) & has(usable & ~passive & ~useless, j);
          steepest = select(steepest, w[j] * unit[j], steeper);
          entered = select(entered, 1u << j, steeper);
          stuck |= !(w[j] * unit[j] <= tolerance * DEPENDENT_GAIN) & has(useless, j);
        }
        passive |= entered;
        right = entered == 0u;
      } else {
        right = false;
      }
    }
    phase = select(phase, SETTLED, right);
  }
  return select(-used, used, (phase == SETTLED) & !overflows & !stuck & !inexact);
}

// x ← the least squares solution on the support.
fn solveOn(support: u32) {
  factorize(support);
  for (var j = 0u; j < K; j++) { // @unroll
    x[j] = select(0.0, b[j], has(support, j));
  }
  solveFactored();
}

// w ← b − Gx
fn measureGain() {
  for (var j = 0u; j < K; j++) { // @unroll
    w[j] = b[j];
    for (var i = 0u; i < j; i++) { // @unroll
      w[j] = fma(minusG[j][i], x[i], w[j]);
    }
    for (var i = j; i < K; i++) { // @unroll
      w[j] = fma(minusG[i][j], x[i], w[j]);
    }
  }
}
