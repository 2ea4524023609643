// Part of the kernels that divide in a multiplicative update: a normal f32 that keeps a denominator of zero from making infinities.
const EPSILON: f32 = 1e-10;
