// Part of the sparse kernels: op(X) for a CSR X in its device form (src/webgpu/layout/csr-layout.ts), X and Xᵀ alike. Line r of op(X) has
// the entries lines[r].x … lines[r + 1].x, each a place on the line and the bits of a value. The head of a line has its first SEGMENT
// entries. The rest goes on in tails of as many, number lines[r].y … lines[r + 1].y, so that no invocation walks a long line alone.
const LINES: u32 = 1u; // @size rows of op(X)
const LINES_AT: u32 = 0u; // @size where the lines of op(X) start in X
const ENTRIES_AT: u32 = 2u; // @size its entries
const TAILS_AT: u32 = 2u; // @size its tails: first entry, line
const SEGMENT: u32 = 64u; // @size
const D_BATCH: u32 = 0u; // @size vec4 from one restart's D to the next, 0 when all share it
const D_STRIDE: u32 = 1u; // @size vec4 per row of D
