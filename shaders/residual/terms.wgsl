// Partial sums of ‖X − AZ‖² = Σ_j (‖x_j‖² − z_jᵀ (b_j + h_j)) over columns j, with B = AᵀX and H = B − (AᵀA) Z, and of ‖X‖² = Σ_j ‖x_j‖².
//
// X is not read. Every column cancels before columns are added up, so the roundings of the differences do not add up to one of ‖X‖².
// A workgroup takes QUADS vec4 of columns; PARTS invocations share the rows of each. Bound by bandwidth: Z, B and H once.
const ROWS: u32 = 4u; // @size rows of Z
const Z_STRIDE: u32 = 1u; // @size vec4 from one row of Z, B and H to the next
const Z_BATCH: u32 = 0u; // @size vec4 from one restart to the next, 0 when all share it
const B_BATCH: u32 = 0u; // @size
const H_BATCH: u32 = 0u; // @size

@group(0) @binding(0) var<storage, read> Z: array<vec4f>;
@group(0) @binding(1) var<storage, read> B: array<vec4f>;
@group(0) @binding(2) var<storage, read> H: array<vec4f>;
@group(0) @binding(3) var<storage, read> norms: array<vec4f>; // ‖x_j‖²
@group(0) @binding(4) var<storage, read_write> partials: array<vec2f>; // of the residual and of ‖X‖², one a workgroup

const QUADS: u32 = 16u;
const PARTS: u32 = 4u;

var<workgroup> sums: array<vec4f, 64>;
var<workgroup> totals: array<vec2f, QUADS>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_index) own: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let quad = own % QUADS;
  let column = group.x * QUADS + quad;
  // Columns past the end are those of other rows: they count nothing.
  let rows = select(0u, ROWS, column < Z_STRIDE);
  var sum = vec4f(0.0);
  for (var i = own / QUADS; i < rows; i += PARTS) {
    let at = i * Z_STRIDE + column;
    sum = fma(Z[group.y * Z_BATCH + at], B[group.y * B_BATCH + at] + H[group.y * H_BATCH + at], sum);
  }
  sums[own] = sum;
  workgroupBarrier();
  if (own < QUADS) {
    var norm = vec4f(0.0);
    if (rows > 0u) { norm = norms[column]; }
    let left = norm - ((sums[own] + sums[own + QUADS]) + (sums[own + 2u * QUADS] + sums[own + 3u * QUADS]));
    totals[own] = vec2f((left.x + left.y) + (left.z + left.w), (norm.x + norm.y) + (norm.z + norm.w));
  }
  workgroupBarrier();
  if (own == 0u) {
    var total = totals[0];
    for (var q = 1u; q < QUADS; q++) { total += totals[q]; }
    partials[group.y * groups.x + group.x] = total;
  }
}
