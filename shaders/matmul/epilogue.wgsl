// Part of the products: the last change of a product before it is stored, by EPILOGUE.
const NONE: u32 = 0u;
const ADD: u32 = 1u; // ADD_SCALE · E is added
const HADAMARD: u32 = 2u; // multiplied by E entrywise
const RESIDUAL: u32 = 3u; // only ‖E − C‖², by the products of matmul/blocks
const WEIGHTED_RESIDUAL: u32 = 4u; // only ‖W ∘ (E − C)‖², likewise
const UPDATE: u32 = 5u; // C ← C ∘ product / E, by `quotients`
const NEEDED_RESIDUAL: u32 = 6u; // RESIDUAL where W, of residual/choice, says that X has to be read; else nothing
