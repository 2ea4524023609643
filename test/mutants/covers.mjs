// What covers a file: a pattern for the differential cases ("suite: name"), and test files for what no case can see.

/** First match counts. */
const covers = [
  [/^shaders\/matmul\/sweep/, { cases: '^hals: ' }],
  [/^shaders\/matmul\/operands/, { cases: '^matmul: .*(halves|tiled)', tests: ['test/webgpu/halves.test.ts'] }],
  [/^shaders\/matmul\/tiled/, { cases: '^matmul: .*tiled', tests: ['test/shaders/races.test.ts'] }],
  [/^shaders\/matmul\//, { cases: '^(matmul: |elementwise: residual)' }],
  [/^shaders\/nnls\/(.*-)?group/, { cases: '^(solves|nnls|simplex): ', tests: ['test/shaders/races.test.ts'] }],
  [/^shaders\/nnls\//, { cases: '^(solves|nnls|simplex): ' }],
  [/^shaders\/residual\//, { cases: '^gramResidual: ', tests: ['test/shaders/races.test.ts'] }],
  [/^shaders\/update\/hals-group/, { cases: '^hals: ', tests: ['test/shaders/races.test.ts'] }],
  [/^shaders\/sparse\//, { cases: '^sparse: ' }],
  [/^shaders\/multilinear\//, { cases: '^multilinear: ' }],
  [/^shaders\/reduce\//, { cases: '^(elementwise|vocabulary|matmul|sparse): ', tests: ['test/shaders/races.test.ts'] }],
  [/^shaders\/(elementwise|update)\//, { cases: '^(elementwise|vocabulary|hals|panels|programs): ' }],
  [/^shaders\//, { cases: '^(elementwise|vocabulary|hals|matmul): ' }],
  [
    /^src\/webgpu\/lower\/nnls/,
    {
      cases: '^(solves|nnls|simplex): ',
      tests: ['webgpu/tune-kinds', 'webgpu/planner', 'shaders/races'].map((name) => `test/${name}.test.ts`),
    },
  ],
  [/^src\/webgpu\/lower\/gram-residual/, { cases: '^gramResidual: ', tests: ['test/webgpu/gram-residual.test.ts', 'test/plans'] }],
  [/^src\/webgpu\/lower\/work/, { tests: ['test/webgpu/plan-cost.test.ts'] }],
  [/^src\/webgpu\/lower\/update/, { cases: '^(elementwise|vocabulary|hals|panels): ', tests: ['test/webgpu/tune-kinds.test.ts'] }],
  [/^src\/webgpu\/lower\/sums/, { cases: '^matmul: ', tests: ['test/webgpu/fuse.test.ts'] }],
  [/^src\/webgpu\/lower\/products/, { cases: '^(matmul|hals|sparse|elementwise: residual)' }],
  [/^src\/webgpu\/lower\/sparse/, { cases: '^sparse: ' }],
  [/^src\/webgpu\/lower\/multilinear/, { cases: '^multilinear: ' }],
  [
    /^src\/webgpu\/lower\/lower-(steps|program)/,
    { cases: '^panels: ', tests: ['test/webgpu/halves.test.ts', 'test/webgpu/gram-residual.test.ts', 'test/plans'] },
  ],
  [/^src\/webgpu\/lower\/keep/, { cases: '^elementwise: ', tests: ['test/webgpu/planner.test.ts'] }],
  [/^src\/webgpu\/lower\//, { cases: '^(elementwise|vocabulary|hals): ' }],
  [/^src\/webgpu\/layout\/csr/, { cases: '^sparse: ', tests: ['test/webgpu/csr-layout.test.ts'] }],
  [/^src\/webgpu\/layout\/coo/, { cases: '^multilinear: ', tests: ['test/webgpu/coo-layout.test.ts'] }],
  [/^src\/webgpu\/layout\/column-norms/, { tests: ['test/webgpu/gram-residual.test.ts'] }],
  [/^src\/webgpu\/layout\/stored-inputs/, { cases: '^matmul: .*(data|halves)', tests: ['test/webgpu/stored-inputs.test.ts'] }],
  [/^src\/webgpu\/layout\/halves/, { cases: '^matmul: .*halves', tests: ['test/webgpu/halves.test.ts'] }],
  [/^src\/webgpu\/layout\//, { cases: '^(elementwise|matmul|panels): ', tests: ['test/webgpu/stored-inputs.test.ts'] }],
  [/^src\/webgpu\/panels\//, { cases: '^panels: ', tests: ['test/webgpu/panels.test.ts'] }],
  [/^src\/webgpu\/plan\/profiles/, { tests: ['test/webgpu/plan-cost.test.ts'] }],
  [/^src\/webgpu\/plan\//, { cases: '^(matmul|solves): ', tests: ['test/webgpu/planner.test.ts', 'test/plans'] }],
  [/^src\/webgpu\/steps\//, { cases: '^(hals|matmul): ', tests: ['test/webgpu/fuse.test.ts'] }],
  [/^src\/webgpu\/device\/specialise/, { cases: '^(hals|matmul|vocabulary): ' }],
  [/^src\/graph\/lifetimes/, { tests: ['test/graph/program.test.ts'] }],
  [/^src\/reference\/simplex/, { cases: '^simplex: ', tests: ['test/reference/solves.test.ts'] }],
  [/^src\/reference\/(nnls|linear)/, { cases: '^(solves|nnls|simplex): ', tests: ['test/reference'] }],
  [/^src\/reference\/multilinear/, { cases: '^multilinear: ' }],
  [/^src\/reference\/sparse/, { cases: '^sparse: ' }],
  [/^src\/reference\//, { cases: '^(elementwise|vocabulary|hals|matmul): ' }],
  [/^src\/programs\/q/, { cases: '^nnls: ', tests: ['test/reference/gradients.test.ts', 'test/programs/q.test.ts'] }],
  [
    /^src\/programs\/losses/,
    { tests: ['programs/losses', 'methods/losses', 'methods/ssnmf', 'methods/absent'].map((name) => `test/${name}.test.ts`) },
  ],
  [
    /^src\/programs\/neural/,
    { cases: '^programs: ', tests: ['test/reference/gradients.test.ts', 'test/methods/neural.test.ts', 'test/methods/guide.test.ts'] },
  ],
  [
    /^src\/programs\/(nmf|hierarchical)/,
    { cases: '^programs: ', tests: ['test/methods/nmf.test.ts', 'test/methods/hierarchical.test.ts'] },
  ],
  [/^src\/data\/(\w[\w-]*)/, { tests: ['test/data/$1.test.ts'] }],
];

export function coversOf(file) {
  for (const [pattern, { cases, tests = [] }] of covers) {
    const match = pattern.exec(file);
    if (match) return { cases, tests: tests.map((test) => test.replace('$1', match[1] ?? '')) };
  }
  return undefined;
}

/** The folders and files in which faults are planted, and how many of them in a file at most. */
export const planted = [
  ['shaders', 5],
  ['src/webgpu/lower', 4],
  ['src/webgpu/layout', 4],
  ['src/webgpu/panels', 3],
  ['src/webgpu/plan', 5],
  ['src/webgpu/steps/fuse.ts', 4],
  ['src/webgpu/device/specialise.ts', 3],
  ['src/graph/lifetimes.ts', 3],
  ['src/reference', 4],
  ['src/programs/q.ts', 4],
  ['src/programs/losses.ts', 4],
  ['src/programs/neural.ts', 3],
  ['src/programs/nmf.ts', 4],
  ['src/data/sparse.ts', 4],
  ['src/data/svd-bound.ts', 4],
];
