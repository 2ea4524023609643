// Part of the products whose quads, four neighbouring invocations, share blocks: each lane loads a quarter of a block.
//
// Of a shared block every lane reads one of the four vec4 as they are stored. It gets the others by swapping, which costs less than a load.
// Number x of lane l is then the stored vec4 number l ^ x. Where these are steps of the inner dimension, the lane takes the steps of its
// own operand in the same order. Where they are rows or columns of C, it stores to l ^ x.
const BATCH: u32 = 1u; // @size restarts
const GROUPS: u32 = 1u; // @size tiles on the shared side, over all restarts
const OWN_TILES: u32 = 4u; // @size tiles on the other side, a multiple of 4
const GRID: u32 = 64u; // @size invocations in one row of the grid
const WORKGROUP: u32 = 64u; // @set invocations of a workgroup

// Column x is number l ^ x.
fn swapped(own: vec4f) -> mat4x4f {
  return mat4x4f(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}

// Component x of the result is component l ^ x.
fn byLane(v: vec4f, lane: u32) -> vec4f {
  let pairs = select(v, v.yxwz, (lane & 1u) == 1u);
  return select(pairs, pairs.zwxy, (lane & 2u) == 2u);
}

fn blockByLane(m: mat4x4f, lane: u32) -> mat4x4f {
  return mat4x4f(byLane(m[0], lane), byLane(m[1], lane), byLane(m[2], lane), byLane(m[3], lane));
}
