// S = argmin_{S ≥ 0} ‖X − AS‖² from G = AᵀA and B = AᵀX, exactly, one invocation a column.
//
// Block principal pivoting (Kim & Park 2011) starts from the support {b > 0}, or that of S. A round solves on the support P and exchanges
// every index that breaks a KKT condition. While that does not help, it exchanges only the last such index. A plain active set takes over
// when nothing helps. Bound by arithmetic: about p³/6 + k p FMA a round. rounds = the factorizations that pivoting took, negative when
// neither settled.
const K: u32 = 4u; // @size rows of S
const CAPACITY: u32 = 4u; // @set most rows of S that the private arrays hold
const COLS: u32 = 4u; // @size columns of S
const STRIDE: u32 = 4u; // @size entries per row of B and S
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const S_BATCH: u32 = 0u; // @size
const ROUNDS_BATCH: u32 = 0u; // @size
const RESTARTS: u32 = 1u; // @size
const LANES: u32 = 64u; // @size invocations, a column each
const FIRST: u32 = 0u; // @size column of the first: factors that share a buffer take several dispatches
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup
const WARM: u32 = 0u; // @size 1: S holds a start
const PIVOTS: u32 = 32u; // @size rounds of pivoting before the active set takes over
const ENTRIES: u32 = 160u; // @size indices that may enter the active set
const SPILL: bool = false; // @set keep the factor in the scratch buffer
const FACTOR_SIZE: u32 = 10u; // @set CAPACITY (CAPACITY + 1) / 2, or 1 with SPILL

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> B: array<f32>;
@group(0) @binding(2) var<storage, read_write> S: array<f32>;
@group(0) @binding(3) var<storage, read_write> rounds: array<f32>;
@group(0) @binding(4) var<storage, read_write> scratch: array<f32>;

// @use nnls/gram
// @use nnls/dependent
// @use nnls/cholesky

// w_j ≤ TOLERANCE · √g_jj · max_i |b_i| / √g_ii counts as zero: 16 units of f32 rounding.
const TOLERANCE: f32 = 9.5e-7;

var<private> b: array<f32, CAPACITY>;
var<private> s: array<f32, CAPACITY>;
var<private> passive: array<bool, CAPACITY>;
// Passive: s_j; active: tolerance − w_j. Negative (or, for passive, zero) means infeasible.
var<private> slack: array<f32, CAPACITY>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  lane = id.y * GRID + id.x;
  if (lane >= LANES) { return; }
  // The padding columns too: their B is zero, so they get the zeros they must hold.
  let item = FIRST + lane;
  if (item >= STRIDE * RESTARTS) { return; }
  let restart = item / STRIDE;
  let column = item % STRIDE;
  let used = solveColumn(gramOf(restart, column), restart * B_BATCH + column, restart * S_BATCH + column);
  rounds[restart * ROUNDS_BATCH + column] = select(0.0, used, column < COLS);
}

fn solveColumn(g: u32, b0: u32, s0: u32) -> f32 {
  var scale = 0.0;
  for (var j = 0u; j < K; j++) {
    b[j] = B[b0 + j * STRIDE];
    let diagonal = gram(g, j, j);
    if (diagonal > 0.0) { scale = max(scale, abs(b[j]) * inverseSqrt(diagonal)); }
    passive[j] = (select(b[j], S[s0 + j * STRIDE], WARM == 1u) > 0.0) & (diagonal > 0.0);
  }

  var fewest = K + 1u;
  var tries = 3u;
  var used = 0.0;
  var settled = false;
  for (var round = 0u; round < PIVOTS; round++) {
    used += 1.0;
    solveOnSupport(g);
    let infeasible = measureSlack(g, scale * TOLERANCE);
    if (infeasible == 0u) {
      settled = true;
      break;
    }
    var all = true;
    if (infeasible < fewest) {
      fewest = infeasible;
      tries = 3u;
    } else if (tries > 0u) {
      tries -= 1u;
    } else {
      all = false;
    }
    exchange(all);
  }
  if (!settled) { settled = activeSet(g, scale * TOLERANCE); }
  // A support too ill-conditioned to be solved on leaves a gradient there.
  for (var i = 0u; i < supportSize; i++) {
    let j = support[i];
    if (inverse[i] > 0.0 && !(abs(gradient(g, j)) <= scale * TOLERANCE * DEPENDENT_GAIN * sqrt(gram(g, j, j)))) { settled = false; }
  }
  if (!settled) { used = -used; }
  for (var j = 0u; j < K; j++) { s[j] = 0.0; }
  for (var i = 0u; i < supportSize; i++) { s[support[i]] = max(unknown[i], 0.0); }
  for (var j = 0u; j < K; j++) { S[s0 + j * STRIDE] = s[j]; }
  return used;
}

fn solveOnSupport(g: u32) {
  supportSize = 0u;
  for (var j = 0u; j < K; j++) {
    if (passive[j]) {
      support[supportSize] = j;
      unknown[supportSize] = b[j];
      supportSize++;
    }
  }
  factorize(g);
  solveFactored();
}

// b_j − Σ_{i ∈ P} g_ji s_i
fn gradient(g: u32, j: u32) -> f32 {
  var w = b[j];
  for (var i = 0u; i < supportSize; i++) { w = fma(-gram(g, support[i], j), unknown[i], w); }
  return w;
}

fn measureSlack(g: u32, tolerance: f32) -> u32 {
  var infeasible = 0u;
  var at = 0u;
  for (var j = 0u; j < K; j++) {
    if (passive[j]) {
      slack[j] = unknown[at];
      if (inverse[at] == 0.0) {
        // What depends on the others leaves the support.
        passive[j] = false;
        slack[j] = tolerance * DEPENDENT_GAIN * sqrt(gram(g, j, j)) - gradient(g, j);
        if (!(slack[j] >= 0.0)) { infeasible++; }
      } else if (!isFeasible(slack[j])) { infeasible++; }
      at++;
    } else {
      slack[j] = tolerance * sqrt(gram(g, j, j)) - gradient(g, j);
      if (!(slack[j] >= 0.0)) { infeasible++; }
    }
  }
  return infeasible;
}

// An unknown that overflowed on a support with many dependent columns is not finite, nor is any result of it.
fn isFeasible(x: f32) -> bool {
  return x > 0.0 && x < 3e38;
}

fn exchange(all: bool) {
  for (var r = K; r > 0u; r--) {
    let j = r - 1u;
    if (!select(slack[j] >= 0.0, isFeasible(slack[j]), passive[j])) {
      passive[j] = !passive[j];
      if (!all) { return; }
    }
  }
}

// The fallback where exchanging many indices at once goes round in circles (dependent columns of a free-sign A): Lawson & Hanson's
// active set from zero. One index enters at a time, a step that would leave the orthant stops at its border, so the objective only
// falls. `slack` marks indices that came in with nothing to gain, and those with which the solution overflows: then a column does not
// settle.
fn activeSet(g: u32, tolerance: f32) -> bool {
  for (var j = 0u; j < K; j++) {
    s[j] = 0.0;
    slack[j] = 0.0;
    passive[j] = false;
  }
  supportSize = 0u;
  var overflows = false;
  for (var round = 0u; round < ENTRIES; round++) {
    var entering = K;
    var steepest = tolerance;
    var stuck = false;
    for (var j = 0u; j < K; j++) {
      let diagonal = gram(g, j, j);
      if (passive[j] || diagonal <= 0.0) { continue; }
      let w = gradient(g, j) * inverseSqrt(diagonal);
      if (slack[j] != 0.0) {
        stuck = stuck || !(w <= tolerance * DEPENDENT_GAIN);
      } else if (w > steepest) {
        steepest = w;
        entering = j;
      }
    }
    if (entering == K) { return !overflows && !stuck; }
    passive[entering] = true;
    // Each trial but the last takes an index out, and none was in that did not enter: 2 ENTRIES of them at most in all rounds.
    for (var trial = 0u; trial <= K; trial++) {
      solveOnSupport(g);
      var step = 1.0;
      var blocking = K;
      var finite = true;
      for (var i = 0u; i < supportSize; i++) {
        let j = support[i];
        finite = finite && unknown[i] < 3e38;
        if (unknown[i] > 0.0) { continue; }
        let reach = select(0.0, s[j] / (s[j] - unknown[i]), s[j] > 0.0);
        if (blocking == K || reach < step) {
          step = reach;
          blocking = j;
        }
      }
      if (!finite) {
        overflows = true;
        slack[entering] = 1.0;
        passive[entering] = false;
        continue;
      }
      for (var i = 0u; i < supportSize; i++) { s[support[i]] = max(mix(s[support[i]], unknown[i], step), 0.0); }
      if (blocking == K) { break; }
      s[blocking] = 0.0;
      passive[blocking] = false;
      if (blocking == entering && step <= 0.0) { slack[entering] = 1.0; }
    }
  }
  return false;
}
