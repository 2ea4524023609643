// Part of the nnls kernels: the least pivot, relative to its diagonal entry, that is more than the rounding of f32.
const DEPENDENT: f32 = 1e-6;
// A column whose part off the others is √DEPENDENT of it gains so much at most, in units of the solves' TOLERANCE. More is no rounding, in
// an unknown of the support no solution.
const DEPENDENT_GAIN: f32 = 1000.0;
