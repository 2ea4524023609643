// Part of the sparse products: the number that a stored entry counts as.
const STORED: u32 = 0u;
const OWN: u32 = 1u;
const ONES: u32 = 2u;
