// S = argmin ‖X − AS‖² over columns s ≥ 0 with Σ s = 1, from G = AᵀA and B = AᵀX, exactly, one invocation a column.
//
// On a support P the solution is s = u − μv with G_PP u = b_P, G_PP v = 1_P and the multiplier μ that makes the sum 1. c11ᵀ is added to G,
// which changes nothing where Σ s is held, and makes G_PP definite wherever the columns of P are affinely independent. The same problem is
// nonnegative least squares for the distances of x to the columns of A, so block principal pivoting (Kim & Park 2011) ends here as it does
// in nnls/solve; a plain active set, from the nearest column, takes over when it does not help. Bound by arithmetic: about p³/6 + (k + 3p) p
// FMA a round. rounds = the factorizations that pivoting took, negative when neither settled.
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

// @use nnls/shifted-gram
// @use nnls/dependent
// @use nnls/cholesky

// A gain w_j − μ of TOLERANCE · max(max_i |b_i|, max_i g_ii) counts as zero: 16 units of f32 rounding.
const TOLERANCE: f32 = 9.5e-7;

var<private> b: array<f32, CAPACITY>;
var<private> s: array<f32, CAPACITY>;
var<private> ofOnes: array<f32, CAPACITY>; // v
var<private> passive: array<bool, CAPACITY>;
// Passive: s_j; active: tolerance − gain. Negative (or, for passive, zero) means infeasible.
var<private> slack: array<f32, CAPACITY>;
var<private> multiplier: f32;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  lane = id.y * GRID + id.x;
  if (lane >= LANES) { return; }
  let item = FIRST + lane;
  if (item >= STRIDE * RESTARTS) { return; }
  let restart = item / STRIDE;
  let column = item % STRIDE;
  let s0 = restart * S_BATCH + column;
  if (column >= COLS) {
    // Padding, which must stay zero.
    for (var j = 0u; j < K; j++) { S[s0 + j * STRIDE] = 0.0; }
    rounds[restart * ROUNDS_BATCH + column] = 0.0;
    return;
  }
  rounds[restart * ROUNDS_BATCH + column] = solveColumn(gramOf(restart, column), restart * B_BATCH + column, s0);
}

fn solveColumn(g: u32, b0: u32, s0: u32) -> f32 {
  shift = 0.0;
  for (var j = 0u; j < K; j++) { shift = max(shift, G[gramAt(g, j, j)]); }
  var size = shift;
  var some = false;
  for (var j = 0u; j < K; j++) {
    b[j] = B[b0 + j * STRIDE];
    size = max(size, abs(b[j]));
    passive[j] = WARM == 1u && S[s0 + j * STRIDE] > 0.0;
    some = some || passive[j];
  }
  // Without a start all are in, as they are among the distances of x to the columns.
  for (var j = 0u; j < K; j++) { passive[j] = passive[j] || !some; }
  if (shift == 0.0) { shift = 1.0; }
  let tolerance = size * TOLERANCE;

  var fewest = K + 1u;
  var tries = 3u;
  var used = 0.0;
  var settled = false;
  for (var round = 0u; round < PIVOTS; round++) {
    used += 1.0;
    solveOnSupport(g);
    if (supportSize == 0u) { break; }
    let infeasible = measureSlack(g, tolerance);
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
  if (!settled) { settled = activeSet(g, tolerance); }
  // A support too ill-conditioned to be solved on leaves gains there.
  for (var i = 0u; i < supportSize; i++) {
    if (inverse[i] > 0.0 && !(abs(gradient(g, support[i]) - multiplier) <= tolerance * DEPENDENT_GAIN)) { settled = false; }
  }
  if (!settled) { used = -used; }
  for (var j = 0u; j < K; j++) { s[j] = 0.0; }
  for (var i = 0u; i < supportSize; i++) { s[support[i]] = max(unknown[i], 0.0); }
  if (!sumToOne()) { used = -abs(used); }
  for (var j = 0u; j < K; j++) { S[s0 + j * STRIDE] = s[j]; }
  return used;
}

// s ← s / Σ s, and the rounding that is left goes to the largest entry. False where there is no sum to divide by.
fn sumToOne() -> bool {
  var sum = 0.0;
  for (var j = 0u; j < K; j++) { sum += s[j]; }
  let usable = sum > 0.0 && sum < 3e38;
  var rest = 1.0;
  var largest = 0u;
  for (var j = 0u; j < K; j++) {
    s[j] = select(0.0, s[j] / sum, usable);
    rest -= s[j];
    largest = select(largest, j, s[j] > s[largest]);
  }
  s[largest] += rest;
  return usable;
}

fn solveOnSupport(g: u32) {
  supportSize = 0u;
  for (var j = 0u; j < K; j++) {
    if (passive[j]) {
      support[supportSize] = j;
      supportSize++;
    }
  }
  factorize(g);
  var weight = 0.0; // Σ v
  var total = 0.0; // Σ u
  // v first, then u: one text of the substitutions for both.
  for (var part = 0u; part < 2u; part++) {
    for (var i = 0u; i < supportSize; i++) {
      ofOnes[i] = unknown[i];
      unknown[i] = select(b[support[i]] - b[support[0]], 1.0, part == 0u);
    }
    solveFactored();
    weight = total;
    total = 0.0;
    for (var i = 0u; i < supportSize; i++) { total += unknown[i]; }
  }
  let step = (1.0 - total) / weight;
  for (var i = 0u; i < supportSize; i++) { unknown[i] = fma(step, ofOnes[i], unknown[i]); }
  // μ, the mean of the gradient with the weights s.
  multiplier = 0.0;
  for (var i = 0u; i < supportSize; i++) { multiplier = fma(unknown[i], gradient(g, support[i]), multiplier); }
}

// b_j − Σ_{i ∈ P} g_ji s_i
fn gradient(g: u32, j: u32) -> f32 {
  var w = b[j];
  for (var i = 0u; i < supportSize; i++) { w = fma(-G[gramAt(g, support[i], j)], unknown[i], w); }
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
        slack[j] = tolerance * DEPENDENT_GAIN - (gradient(g, j) - multiplier);
        if (!(slack[j] >= 0.0)) { infeasible++; }
      } else if (!isFeasible(slack[j])) { infeasible++; }
      at++;
    } else {
      slack[j] = tolerance - (gradient(g, j) - multiplier);
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

// The fallback where exchanging many indices at once goes round in circles: an active set from the column of A that is nearest to x. One
// index enters at a time, and a step that would leave the simplex stops at its border, so the objective only falls. Both ends of a step sum
// to one. `slack` marks indices that came in with nothing to gain, and those with which the solution overflows: then a column does not settle.
fn activeSet(g: u32, tolerance: f32) -> bool {
  var nearest = 0u;
  var least = 3e38;
  for (var j = 0u; j < K; j++) {
    s[j] = 0.0;
    slack[j] = 0.0;
    passive[j] = false;
    let distance = 0.5 * G[gramAt(g, j, j)] - b[j];
    nearest = select(nearest, j, distance < least);
    least = min(least, distance);
  }
  s[nearest] = 1.0;
  passive[nearest] = true;
  supportSize = 1u;
  support[0] = nearest;
  unknown[0] = 1.0;
  multiplier = gradient(g, nearest);
  var overflows = false;
  for (var round = 0u; round < ENTRIES; round++) {
    var entering = K;
    var steepest = tolerance;
    var stuck = false;
    for (var j = 0u; j < K; j++) {
      if (passive[j]) { continue; }
      let w = gradient(g, j) - multiplier;
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
