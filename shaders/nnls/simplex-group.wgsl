// S = argmin ‖X − AS‖² over columns s ≥ 0 with Σ s = 1, from G = AᵀA and B = AᵀX, exactly, on hardware: a group of lanes a column, one lane
// an unknown.
//
// The method is that of nnls/simplex: on a support P the solution is s = u − μv with G_PP u = b_P and G_PP v = 1_P. Block principal pivoting
// (Kim & Park 2011) begins with all columns of A, or with the support of S; a column that PIVOTS rounds do not settle, or whose support runs
// empty, goes through an active set from the nearest column of A. Both share the factorization in one loop, as in nnls/solve-group. Bound by
// arithmetic and 4 p + 8 barriers a round: about p³/6 + k p FMA. rounds = the factorizations that pivoting took, negative when neither settled.
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

// @use nnls/shifted-gram
// @use nnls/dependent
// @use nnls/group

// A gain w_j − μ of TOLERANCE · max(max_i |b_i|, max_i g_ii) counts as zero: 16 units of f32 rounding.
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
var<workgroup> merit: array<f32, WORKGROUP>; // in the support: the step that makes the unknown zero; outside: the gain above μ
var<workgroup> gain: array<f32, WORKGROUP>; // b − Gs
var<workgroup> given: array<f32, WORKGROUP>; // b

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let own = laneOf(group.y * GRID + group.x, local);
  // Lanes past the end, and those of padding, stay for the barriers.
  let item = FIRST + own.item;
  let inRange = (own.item < LANES) & (item < STRIDE * RESTARTS);
  let restart = select(0u, item / STRIDE, inRange);
  let column = select(0u, item % STRIDE, inRange);
  let live = inRange & (column < COLS);
  let g = gramOf(restart, column);
  let j = min(own.row, K - 1u);
  let at = restart * S_BATCH + column + j * STRIDE;
  let usable = live & (own.row < K);
  let diagonal = G[gramAt(g, j, j)];
  var passive = false;
  if (usable & (WARM == 1u)) { passive = S[at] > 0.0; }
  given[own.slot] = B[restart * B_BATCH + column + j * STRIDE];
  unknown[own.slot] = diagonal;
  verdict[own.slot] = select(0u, 1u, passive);
  workgroupBarrier();
  shift = 0.0;
  var size = 0.0;
  var some = 0u;
  var nearest = 0u;
  var least = 3e38;
  for (var t = 0u; t < K; t++) {
    let ofT = unknown[own.first + t];
    let b = given[own.first + t];
    shift = max(shift, ofT);
    size = max(size, abs(b));
    some |= verdict[own.first + t];
    let distance = 0.5 * ofT - b;
    nearest = select(nearest, t, distance < least);
    least = min(least, distance);
  }
  let tolerance = max(size, shift) * TOLERANCE;
  if (shift == 0.0) { shift = 1.0; }
  // Without a start all are in, as they are among the distances of x to the columns.
  passive = usable & (passive | (some == 0u));

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
    let longest = listSupport(own, support, inside, 1.0, diagonal + shift, busy);
    if (longest == 0u) { break; }
    solveOnSupport(own, support.size, g, longest - 1u);
    solveOnSimplex(own, support.size, longest - 1u);
    let found = own.first + support.place;
    let value = select(0.0, unknown[found], inside);
    let depends = inside & (inverse[found] == 0.0);
    let w = gainOf(own, support.size, g, j);
    gain[own.slot] = w;
    workgroupBarrier();
    // μ, the mean of the gains with the weights s.
    var multiplier = 0.0;
    for (var i = 0u; i < support.size; i++) {
      multiplier = fma(unknown[own.first + i], gain[own.first + listed[own.first + i]], multiplier);
    }
    let excess = w - multiplier;
    let slight = excess <= tolerance * DEPENDENT_GAIN;
    var judged = 0u;
    if (inside) {
      // An unknown that overflowed on a support with many dependent columns is not finite, nor is any result of it.
      judged = select(INFEASIBLE, 0u, select((value > 0.0) & (value < 3e38), slight, depends));
      judged |= select(INEXACT, 0u, depends | (abs(excess) <= tolerance * DEPENDENT_GAIN));
      judged |= select(BLOCKS, 0u, value > 0.0);
      judged |= select(OVERFLOWS, 0u, value < 3e38);
      merit[own.slot] = select(0.0, s / (s - value), s > 0.0);
    } else {
      judged = select(INFEASIBLE, 0u, excess <= tolerance);
      judged |= select(ENTERS, select(STUCK, 0u, slight), useless);
      judged = select(0u, judged, usable);
      merit[own.slot] = excess;
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
      // A column that depends on the others leaves the support; one with much to gain comes back at once.
      passive = (passive & !depends) != (((judged & INFEASIBLE) != 0u) & (many | (own.row == last)));
      if ((count == 0u) & (support.size > 0u)) {
        phase = SETTLED;
      } else if ((round + 1u == PIVOTS) | (support.size == 0u)) {
        phase = ACTIVE_SET;
        passive = usable & (own.row == nearest);
        s = select(0.0, 1.0, passive);
      }
    } else if (phase == ACTIVE_SET) {
      // A step that would leave the simplex stops at its border, so the objective only falls. Both ends of a step sum to one.
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
        passive |= usable & (own.row == entering);
        if (entering == K) { phase = SETTLED; }
      }
    }
  }

  // s ← s / Σ s, and the rounding that is left goes to the largest entry.
  gain[own.slot] = max(x, 0.0);
  workgroupBarrier();
  var sum = 0.0;
  for (var t = 0u; t < K; t++) { sum += gain[own.first + t]; }
  let summed = (sum > 0.0) & (sum < 3e38);
  var rest = 1.0;
  var largest = 0u;
  for (var t = 0u; t < K; t++) {
    rest -= select(0.0, gain[own.first + t] / sum, summed);
    largest = select(largest, t, gain[own.first + t] > gain[own.first + largest]);
  }
  let share = select(0.0, max(x, 0.0) / sum, summed) + select(0.0, rest, own.row == largest);
  if (inRange & (own.row < K)) { S[at] = select(0.0, share, live); }
  if (inRange & (own.row == 0u)) {
    let settled = (phase == SETTLED) & !overflows & !stuck & !inexact & summed;
    rounds[restart * ROUNDS_BATCH + column] = select(0.0, select(-used, used, settled), live);
  }
}

// unknown ← u − μv, which sums to one, from v in `unknown`. `longest` must be the same in all lanes of the workgroup.
fn solveOnSimplex(own: Lane, size: u32, longest: u32) {
  let first = own.first;
  let i = own.row;
  let within = i < size;
  let ownInverse = select(0.0, inverse[own.slot], within);
  let ofOnes = unknown[own.slot];
  var weight = 0.0; // Σ v
  for (var t = 0u; t < size; t++) { weight += unknown[first + t]; }
  var right = 0.0;
  if (within) { right = given[first + listed[own.slot]] - given[first + listed[first]]; }
  workgroupBarrier();
  for (var j = 0u; j < longest; j++) {
    if (i == j) {
      right *= ownInverse;
      unknown[own.slot] = right;
    }
    workgroupBarrier();
    if (within & (i > j)) { right = fma(-factorAt(own, (j * (2u * K - 1u - j)) / 2u + i), unknown[first + j], right); }
  }
  substituteBack(own, size, right, ownInverse, longest);
  var total = 0.0; // Σ u
  for (var t = 0u; t < size; t++) { total += unknown[first + t]; }
  let whole = fma((1.0 - total) / weight, ofOnes, unknown[own.slot]);
  workgroupBarrier();
  if (within) { unknown[own.slot] = whole; }
  workgroupBarrier();
}

// b_j − Σ_{i ∈ P} g_ji s_i
fn gainOf(own: Lane, size: u32, g: u32, j: u32) -> f32 {
  var w = given[own.first + j];
  for (var i = 0u; i < size; i++) { w = fma(-G[gramAt(g, listed[own.first + i], j)], unknown[own.first + i], w); }
  return w;
}
