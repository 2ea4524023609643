// Part of the kernels that read the control vector, one row a restart: its entries, as `control` of graph/operations has them.
const ETA: u32 = 0u; // step size
const COST: u32 = 1u; // of the last accepted factors
const ACCEPTED: u32 = 2u; // 1 when the last trial was kept
const ITERATION: u32 = 3u;
const REJECTED: u32 = 4u; // trials, so far
const TRIAL_COST: u32 = 5u;
