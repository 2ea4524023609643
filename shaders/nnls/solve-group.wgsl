// S = argmin_{S ≥ 0} ‖X − AS‖² from G = AᵀA and B = AᵀX, exactly, on hardware: a group of lanes a column, one lane an unknown.
//
// The method is that of nnls/solve: block principal pivoting (Kim & Park 2011) from the support {b > 0}, or that of S. A round solves on
// the support and exchanges every index that breaks a KKT condition, or only the last one while that does not help. A column that PIVOTS
// rounds do not settle goes through Lawson & Hanson's active set from zero. Both share the factorization in one loop. Lanes share their
// verdicts in workgroup memory, from which every lane of a column draws the same conclusions. Bound by arithmetic and 2 p + 4 barriers a
// round: about p³/6 + k p FMA. rounds = the factorizations that pivoting took, negative when neither settled.
const K: u32 = 4u; // @size rows of S
const COLS: u32 = 4u; // @size columns of S
const STRIDE: u32 = 4u; // @size entries per row of B and S
const G_STRIDE: u32 = 4u; // @size entries per row of G
const PER_COLUMN: bool = false; // @set every column has a Gram matrix of its own: column c of the k²×M tensor G
const G_BATCH: u32 = 0u; // @size entries from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const S_BATCH: u32 = 0u; // @size
const ROUNDS_BATCH: u32 = 0u; // @size
const RESTARTS: u32 = 1u; // @size
const LANES: u32 = 64u; // @size columns of the dispatch
const FIRST: u32 = 0u; // @size the first of them: factors that share a buffer take several dispatches
const GRID: u32 = 64u; // @size workgroups in one row of the grid
const WARM: u32 = 0u; // @size 1: S holds a start
const PIVOTS: u32 = 32u; // @size rounds of pivoting before the active set takes over
const BUDGET: u32 = 160u; // @size rounds of both

@group(0) @binding(0) var<storage, read> G: array<f32>;
@group(0) @binding(1) var<storage, read> B: array<f32>;
@group(0) @binding(2) var<storage, read_write> S: array<f32>;
@group(0) @binding(3) var<storage, read_write> rounds: array<f32>;
@group(0) @binding(4) var<storage, read_write> scratch: array<f32>;

// @use nnls/gram
// @use nnls/dependent
// @use nnls/group

// w_j ≤ TOLERANCE · √g_jj · max_i |b_i| / √g_ii counts as zero: 16 units of f32 rounding.
const TOLERANCE: f32 = 9.5e-7;

// The phase of a column: exchanging many indices of its support, or one at a time.
const PIVOTING: u32 = 0u;
const ACTIVE_SET: u32 = 1u;
const SETTLED: u32 = 2u;

// Verdicts of a lane on its unknown.
const INFEASIBLE: u32 = 1u; // it breaks a KKT condition
const INEXACT: u32 = 2u; // the support is too ill-conditioned to be solved on
const BLOCKS: u32 = 4u; // in the support, and not positive
const OVERFLOWS: u32 = 8u;
const ENTERS: u32 = 16u; // may enter the active set
const STUCK: u32 = 32u; // may not, having come in with nothing to gain, but has much to gain

var<workgroup> verdict: array<u32, WORKGROUP>;
var<workgroup> merit: array<f32, WORKGROUP>; // in the support: the step that makes the unknown zero; outside: the gain

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let own = laneOf(group.y * GRID + group.x, local);
  // The padding columns too: their B is zero, so they get the zeros they must hold. Lanes past the end stay, for the barriers.
  let item = FIRST + own.item;
  let live = (own.item < LANES) & (item < STRIDE * RESTARTS);
  let restart = select(0u, item / STRIDE, live);
  let column = select(0u, item % STRIDE, live);
  let g = gramOf(restart, column);
  let j = min(own.row, K - 1u);
  let at = restart * S_BATCH + column + j * STRIDE;
  let diagonal = gram(g, j, j);
  let usable = live & (own.row < K) & (diagonal > 0.0);
  let unit = select(0.0, inverseSqrt(diagonal), usable);
  let b = B[restart * B_BATCH + column + j * STRIDE];
  merit[own.slot] = abs(b) * unit;
  workgroupBarrier();
  var scale = 0.0;
  for (var t = 0u; t < K; t++) { scale = max(scale, merit[own.first + t]); }
  let tolerance = scale * TOLERANCE;

  var passive = usable & (b > 0.0);
  // Lanes without an unknown of their own leave S alone, which the lane of the last unknown writes.
  if (usable & (WARM == 1u)) { passive = S[at] > 0.0; }
  var x = 0.0;
  var s = 0.0; // the active set's point
  var phase = select(SETTLED, PIVOTING, live);
  var fewest = K + 1u;
  var tries = 3u;
  var used = 0.0;
  var entered = K; // the active set's last index to enter
  var useless = false; // it came in with nothing to gain, or the solution overflows with it
  var overflows = false;
  var stuck = false;
  var inexact = false;
  for (var round = 0u; round < BUDGET; round++) {
    let busy = phase != SETTLED;
    let inside = passive & busy;
    let support = supportOf(own, inside);
    let longest = listSupport(own, support, inside, b, diagonal, busy);
    if (longest == 0u) { break; }
    solveOnSupport(own, support.size, g, longest - 1u);
    let found = own.first + support.place;
    let value = select(0.0, unknown[found], inside);
    let depends = inside & (inverse[found] == 0.0);
    let gain = gainOf(own, support.size, g, j, b) * unit;
    let slight = gain <= tolerance * DEPENDENT_GAIN;
    var judged = 0u;
    if (inside) {
      judged = select(INFEASIBLE, 0u, ((value > 0.0) & (value < 3e38)) | (depends & slight));
      judged |= select(INEXACT, 0u, depends | (abs(gain) <= tolerance * DEPENDENT_GAIN));
      judged |= select(BLOCKS, 0u, value > 0.0);
      judged |= select(OVERFLOWS, 0u, value < 3e38);
      merit[own.slot] = select(0.0, s / (s - value), s > 0.0);
    } else {
      judged = select(INFEASIBLE, 0u, gain <= tolerance);
      judged |= select(ENTERS, select(STUCK, 0u, slight), useless);
      judged = select(0u, judged, usable);
      merit[own.slot] = gain;
    }
    verdict[own.slot] = judged;
    workgroupBarrier();

    var count = 0u;
    var last = K;
    var all = 0u;
    var step = 1.0;
    var blocking = K;
    var entering = K;
    var steepest = tolerance;
    for (var t = 0u; t < K; t++) {
      let one = verdict[own.first + t];
      let its = merit[own.first + t];
      all |= one;
      count += one & INFEASIBLE;
      last = select(last, t, (one & INFEASIBLE) != 0u);
      let blocks = ((one & BLOCKS) != 0u) & ((blocking == K) | (its < step));
      step = select(step, its, blocks);
      blocking = select(blocking, t, blocks);
      let steeper = ((one & ENTERS) != 0u) & (its > steepest);
      steepest = select(steepest, its, steeper);
      entering = select(entering, t, steeper);
    }
    if (busy) {
      x = value;
      inexact = (all & INEXACT) != 0u;
    }
    if (phase == PIVOTING) {
      used += 1.0;
      let fewer = count < fewest;
      let many = fewer | (tries > 0u);
      fewest = min(fewest, count);
      tries = select(max(tries, 1u) - 1u, 3u, fewer);
      let exchanged = ((judged & INFEASIBLE) != 0u) & (many | (own.row == last));
      // What depends on the others leaves the support.
      passive = (passive != exchanged) & !depends;
      if (count == 0u) {
        phase = SETTLED;
      } else if (round + 1u == PIVOTS) {
        phase = ACTIVE_SET;
        passive = false;
      }
    } else if (phase == ACTIVE_SET) {
      // A step that would leave the orthant stops at its border, so the objective only falls.
      let finite = (all & OVERFLOWS) == 0u;
      step = select(0.0, step, finite);
      blocking = select(entered, blocking, finite);
      overflows |= !finite;
      s = select(0.0, max(select(s, mix(s, value, step), finite), 0.0), passive & (own.row != blocking));
      useless |= (own.row == blocking) & (blocking == entered) & (step <= 0.0);
      passive &= own.row != blocking;
      if (blocking == K) {
        entered = entering;
        stuck = (all & STUCK) != 0u;
        passive |= own.row == entering;
        if (entering == K) { phase = SETTLED; }
      }
    }
  }
  if (live & (own.row < K)) { S[at] = max(x, 0.0); }
  if (live & (own.row == 0u)) {
    let settled = (phase == SETTLED) & !overflows & !stuck & !inexact;
    rounds[restart * ROUNDS_BATCH + column] = select(0.0, select(-used, used, settled), column < COLS);
  }
}

// b_j − Σ_{i ∈ P} g_ji s_i
fn gainOf(own: Lane, size: u32, g: u32, j: u32, b: f32) -> f32 {
  var w = b;
  for (var i = 0u; i < size; i++) { w = fma(-gram(g, listed[own.first + i], j), unknown[own.first + i], w); }
  return w;
}
