// Part of elementwise/map: its functions, which `mapFunctions` of graph/operations defines under the same names.
const AFFINE: u32 = 0u;
const POWER: u32 = 1u;
const POSITIVE: u32 = 2u;
const NEGATIVE: u32 = 3u;
const SOFTPLUS: u32 = 4u;
const SOFTPLUS_INVERSE: u32 = 5u;
const SIGMOID: u32 = 6u;
const SIGMOID_INVERSE: u32 = 7u;
const TANH: u32 = 8u;
const TANH_INVERSE: u32 = 9u;
const LOG1P: u32 = 10u;
const EXP: u32 = 11u;
const QUOTIENT: u32 = 12u;
const WEIGHTED_PRODUCT: u32 = 13u;
const DIVERGENCE: u32 = 14u;
const BETA_DIVERGENCE: u32 = 15u;
