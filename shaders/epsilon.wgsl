// Part of what a multiplicative update divides in: keeps a denominator of zero from making infinities, a normal f32.
const EPSILON: f32 = 1e-10;
