// Part of the nnls kernels for hardware: Cholesky of the masked Gram matrix G_PP and its triangular solves, a group of lanes a system.
//
// Lane i holds row i of P, a list: the cost is p³/6 FMA for p = |P|, and 2 p barriers. Left-looking: column j of the factor is computed by
// the lanes of its rows from the columns before it, with its pivot in every lane, so one barrier a column is enough. The factor lies in
// workgroup memory in packed columns: neighbouring lanes touch neighbouring entries, and the row of the pivot is broadcast. Entries beyond
// FACTOR_SIZE, in the last and shortest columns, lie in the scratch buffer. A pivot that is not above DEPENDENT of its diagonal entry is
// rounding: the column depends on earlier ones. Its inverse is 0, which takes row and column out of the factor and makes the unknown 0.
// Columns of a workgroup share the loops, whose bound is the longest of their supports.
const GROUP: u32 = 16u; // @set lanes a column, at least K
const COLUMNS: u32 = 4u; // @set columns a workgroup
const WORKGROUP: u32 = 64u; // @set GROUP COLUMNS
const FACTOR_SIZE: u32 = 544u; // @set entries of the factors in workgroup memory
const SPILL: bool = false; // @set a factor is longer than that: then a workgroup has one column

var<workgroup> member: array<u32, WORKGROUP>; // 1: the lane's unknown is in the support
var<workgroup> listed: array<u32, WORKGROUP>;
var<workgroup> unknown: array<f32, WORKGROUP>; // by place in the support
var<workgroup> inverse: array<f32, WORKGROUP>; // first the diagonal of G_PP, then the inverted pivots
var<workgroup> extent: array<u32, COLUMNS>;
var<workgroup> factor: array<f32, FACTOR_SIZE>;

// This lane: its place in the workgroup, and where the factor of its column begins.
struct Lane {
  item: u32, // column of the dispatch
  slot: u32, // of the lane in the arrays of the workgroup
  first: u32, // slot of the column's first lane
  row: u32, // number of the unknown, and of the row
  factor: u32,
  scratch: u32,
}

// The support of this lane's column: its size, and the place of the lane's unknown in it.
struct Support {
  size: u32,
  place: u32,
}

fn laneOf(group: u32, local: u32) -> Lane {
  let column = local / GROUP;
  let entries = (K * (K + 1u)) / 2u;
  let beyond = select(0u, group * (entries - min(FACTOR_SIZE, entries)), SPILL);
  return Lane(group * COLUMNS + column, local, column * GROUP, local % GROUP, column * entries, beyond);
}

fn factorAt(own: Lane, at: u32) -> f32 {
  if (SPILL) {
    if (at >= FACTOR_SIZE) { return scratch[own.scratch + at - FACTOR_SIZE]; }
  }
  return factor[own.factor + at];
}

fn setFactor(own: Lane, at: u32, value: f32) {
  if (SPILL) {
    if (at >= FACTOR_SIZE) {
      scratch[own.scratch + at - FACTOR_SIZE] = value;
      return;
    }
  }
  factor[own.factor + at] = value;
}

fn supportOf(own: Lane, inside: bool) -> Support {
  member[own.slot] = select(0u, 1u, inside);
  workgroupBarrier();
  var size = 0u;
  var place = 0u;
  for (var t = 0u; t < K; t++) {
    let one = member[own.first + t];
    place += select(0u, one, t < own.row);
    size += one;
  }
  return Support(size, select(0u, place, inside));
}

// Lists the support. Returns 1 + the longest support of the workgroup, 0 where no column is busy any more.
fn listSupport(own: Lane, support: Support, inside: bool, rightSide: f32, diagonal: f32, busy: bool) -> u32 {
  if (inside) {
    let at = own.first + support.place;
    listed[at] = own.row;
    unknown[at] = rightSide;
    inverse[at] = diagonal;
  }
  if (own.row == 0u) { extent[own.slot / GROUP] = select(0u, support.size + 1u, busy); }
  let extents = workgroupUniformLoad(&extent);
  var longest = 0u;
  for (var c = 0u; c < COLUMNS; c++) { // @unroll
    longest = max(longest, extents[c]);
  }
  return longest;
}

// unknown ← G_PP⁻¹ unknown, inverse ← the inverted pivots. `longest` must be the same in all lanes of the workgroup.
fn solveOnSupport(own: Lane, size: u32, g: u32, longest: u32) {
  let first = own.first;
  let i = own.row;
  let within = i < size;
  let row = select(0u, listed[own.slot], within);
  var right = select(0.0, unknown[own.slot], within);
  var ownInverse = 0.0;
  // An entry of G is loaded a column ahead.
  var ahead = gram(g, listed[first], row);
  for (var j = 0u; j < longest; j++) {
    var sum = ahead;
    ahead = gram(g, listed[first + min(j + 1u, K - 1u)], row);
    if (within & (i >= j)) {
      let diagonal = inverse[first + j];
      var pivot = diagonal;
      var at = j; // entry (j, t)
      for (var t = 0u; t < j; t++) {
        let pivotal = factorAt(own, at);
        sum = fma(-factorAt(own, at + i - j), pivotal, sum);
        pivot = fma(-pivotal, pivotal, pivot);
        at += K - 1u - t;
      }
      let inverted = select(0.0, inverseSqrt(pivot), pivot > DEPENDENT * diagonal);
      sum *= inverted;
      setFactor(own, at + i - j, sum);
      if (i == j) {
        ownInverse = inverted;
        right *= inverted;
        unknown[own.slot] = right;
      }
    }
    workgroupBarrier();
    if (SPILL) { storageBarrier(); }
    if (within & (i > j)) { right = fma(-sum, unknown[first + j], right); }
  }
  // Lanes outside of a support read a slot, too; where no column has a support no barrier is between.
  if (within) { inverse[own.slot] = ownInverse; }
  substituteBack(own, size, right, ownInverse, longest);
}

// unknown ← L⁻ᵀ of what L⁻¹ has left of the right side.
fn substituteBack(own: Lane, size: u32, rightSide: f32, ownInverse: f32, longest: u32) {
  let i = own.row;
  let ownColumn = (i * (2u * K - 1u - i)) / 2u;
  var right = rightSide;
  for (var r = 0u; r < longest; r++) {
    let j = longest - 1u - r;
    if (i == j) { unknown[own.slot] = right * ownInverse; }
    workgroupBarrier();
    if ((i < j) & (j < size)) { right = fma(-factorAt(own, ownColumn + j), unknown[own.first + j], right); }
  }
}
