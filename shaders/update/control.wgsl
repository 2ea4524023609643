// Part of the kernels that read the control vector, one row a restart: the places of its entries, which are those of `control` in
// graph/operations.
const ETA: u32 = 0u; // step size
const COST: u32 = 1u; // of the last accepted factors
const ACCEPTED: u32 = 2u; // 1 when the last trial was kept
const ITERATION: u32 = 3u;
const REJECTED: u32 = 4u; // trials, so far
const TRIAL_COST: u32 = 5u;
