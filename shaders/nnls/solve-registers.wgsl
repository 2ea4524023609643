// S = argmin_{S ≥ 0} ‖X − AS‖² from G = AᵀA and B = AᵀX, exactly, for few unknowns (K ≤ 9): one invocation a column, all in registers.
//
// The method of nnls/solve: a support from SWEEPS accelerated projected-gradient steps, or from S; then block principal pivoting (Kim &
// Park 2011): solve on the support, exchange every index that breaks a KKT condition, only the last one while that does not help. What
// BUDGET rounds do not settle goes through Lawson & Hanson's active set from zero, which shares the factorization in the one loop
// there is. One refinement step at the end. Bound by arithmetic: K³/6 + 2 K² FMA a round, one or two rounds with a warm start.
// rounds = factorizations taken, negative when neither settled.
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
const SWEEPS: u32 = 2u; // @size
const BUDGET: u32 = 32u; // @size

// @use grid

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> B: array<f32>;
@group(0) @binding(2) var<storage, read_write> S: array<f32>;
@group(0) @binding(3) var<storage, read_write> rounds: array<f32>;

// @use nnls/gram
// @use nnls/registers

// w_j ≤ TOLERANCE · √g_jj · max_i |b_i| / √g_ii counts as zero: 16 units of f32 rounding.
const TOLERANCE: f32 = 9.5e-7;

var<private> b: array<f32, K>;
var<private> s: array<f32, K>;
// What moving s_j from zero gains: b_j − (Gx)_j, in units of √g_jj.
var<private> w: array<f32, K>;
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
    s[j] = S[s0 + j * STRIDE];
    unit[j] = select(0.0, inverseSqrt(g[j][j]), g[j][j] > 0.0);
    scale = max(scale, abs(b[j]) * unit[j]);
    usable |= select(0u, 1u << j, g[j][j] > 0.0);
  }
  if (WARM == 0u) { projectedGradient(); }
  for (var j = 0u; j < K; j++) { // @unroll
    passive |= select(0u, 1u << j, s[j] > 0.0);
  }
  let used = solveColumn(passive & usable, usable, scale * TOLERANCE);
  for (var j = 0u; j < K; j++) { // @unroll
    S[s0 + j * STRIDE] = max(x[j], 0.0);
  }
  rounds[place.restart * ROUNDS_BATCH + column] = select(0.0, used, column < COLS);
}

// x ← the solution; returns the rounds it took.
fn solveColumn(start: u32, usable: u32, tolerance: f32) -> f32 {
  var passive = start;
  var fewest = K + 1u;
  var tries = 3u;
  var used = 0.0;
  var settled = false;
  var entered = 0u; // the active set's last index to enter
  var useless = 0u; // its indices that came in with nothing to gain
  for (var round = 0u; round < 5u * BUDGET && !settled; round++) {
    used += select(0.0, 1.0, round < BUDGET);
    solveOn(passive);
    measureGain();
    if (round < BUDGET) {
      var infeasible = 0u;
      for (var j = 0u; j < K; j++) { // @unroll
        let wrong = select(w[j] > tolerance, x[j] <= 0.0, has(passive, j));
        infeasible |= select(0u, 1u << j, wrong & has(usable, j));
      }
      let count = countOneBits(infeasible);
      settled = count == 0u;
      if (count < fewest) {
        fewest = count;
        tries = 3u;
      } else if (tries > 0u) {
        tries -= 1u;
      } else {
        infeasible = 1u << min(firstLeadingBit(infeasible), 31u);
      }
      passive = passive ^ select(infeasible, 0u, settled);
      if (round + 1u == BUDGET && !settled) {
        passive = 0u;
        for (var j = 0u; j < K; j++) { // @unroll
          s[j] = 0.0;
        }
      }
      continue;
    }
    // Active set: a step that would leave the orthant stops at its border, so the objective only falls.
    var step = 1.0;
    var blocking = 0u;
    for (var j = 0u; j < K; j++) { // @unroll
      let reach = select(0.0, s[j] / (s[j] - x[j]), s[j] > 0.0);
      let blocks = has(passive, j) & (x[j] <= 0.0) & ((blocking == 0u) | (reach < step));
      step = select(step, reach, blocks);
      blocking = select(blocking, 1u << j, blocks);
    }
    for (var j = 0u; j < K; j++) { // @unroll
      s[j] = select(0.0, max(mix(s[j], x[j], step), 0.0), has(passive & ~blocking, j));
    }
    if (blocking != 0u) {
      passive &= ~blocking;
      useless |= select(0u, blocking, blocking == entered && step <= 0.0);
      continue;
    }
    entered = 0u;
    var steepest = tolerance;
    for (var j = 0u; j < K; j++) { // @unroll
      let steeper = (w[j] > steepest) & has(usable & ~passive & ~useless, j);
      steepest = select(steepest, w[j], steeper);
      entered = select(entered, 1u << j, steeper);
    }
    settled = entered == 0u;
    passive |= entered;
  }
  if (!settled) { return -used; }
  refine(passive);
  return used;
}

// x ← the least squares solution on the support.
fn solveOn(support: u32) {
  factorize(support);
  for (var j = 0u; j < K; j++) { // @unroll
    x[j] = select(0.0, b[j], has(support, j));
  }
  solveFactored();
}

fn measureGain() {
  for (var j = 0u; j < K; j++) { // @unroll
    w[j] = b[j];
    for (var i = 0u; i < j; i++) { // @unroll
      w[j] = fma(-g[j][i], x[i], w[j]);
    }
    for (var i = j; i < K; i++) { // @unroll
      w[j] = fma(-g[i][j], x[i], w[j]);
    }
    w[j] *= unit[j];
  }
}

// One step of iterative refinement with the factor at hand: w is still the residual.
fn refine(support: u32) {
  for (var j = 0u; j < K; j++) { // @unroll
    s[j] = x[j];
    x[j] = select(0.0, w[j] / unit[j], has(support, j));
  }
  solveFactored();
  for (var j = 0u; j < K; j++) { // @unroll
    x[j] += s[j];
  }
}

// s ← SWEEPS steps of accelerated projected gradient from 0 on the problem scaled to a unit diagonal.
fn projectedGradient() {
  var lipschitz = 0.0;
  for (var j = 0u; j < K; j++) { // @unroll
    var sum = 0.0;
    for (var i = 0u; i < j; i++) { // @unroll
      sum += abs(g[j][i]) * unit[i];
    }
    for (var i = j; i < K; i++) { // @unroll
      sum += abs(g[i][j]) * unit[i];
    }
    lipschitz = max(lipschitz, sum * unit[j]);
    s[j] = 0.0;
    x[j] = 0.0;
  }
  let step = select(0.0, 1.0 / lipschitz, lipschitz > 0.0);
  // x is the extrapolated point.
  for (var sweep = 0u; sweep < SWEEPS; sweep++) {
    let momentum = f32(sweep) / f32(sweep + 3u);
    measureGain();
    for (var j = 0u; j < K; j++) { // @unroll
      let next = max(fma(step * unit[j], w[j], x[j]), 0.0);
      x[j] = fma(momentum, next - s[j], next);
      s[j] = next;
    }
  }
}
