// Imports run one way: cli → models → methods → programs → graph ← webgpu, reference; data stands apart (docs/architecture.md).

/** Files in `room` may import from within src only what `allowed` matches. */
const only = (room, allowed, comment) => ({
  name: `${room}-imports`,
  severity: 'error',
  comment,
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [`^src/${room}/`, '^src/errors\\.ts$', ...allowed] },
});

const outside = ['^src/graph/', '^src/data/', '^src/engine\\.ts$'];
const generated = '^src/webgpu/shaders\\.generated\\.ts$';

const builtin = ['core'];
const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', comment: 'No import may lead back to where it started.', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', comment: 'Every import must lead somewhere.', from: {}, to: { couldNotResolve: true } },

    only('data', [], 'Data stands apart.'),
    only('graph', ['^src/data/'], 'The graph knows of matrices, not of any executor.'),
    only('programs', ['^src/graph/', '^src/data/'], 'A program writes graph operations and nothing else.'),
    only(
      'webgpu',
      ['^src/graph/', '^src/data/', '^src/engine\\.ts$'],
      'An executor runs programs; it knows neither methods nor the other executor.',
    ),
    // The rooms of the GPU executor, from the ground up.
    only('webgpu/layout', outside, 'How tensors lie in buffers.'),
    only('webgpu/plan', outside, 'Choices of kernels: pure.'),
    only('webgpu/steps', outside, 'Operations, and what only a GPU has besides: pure.'),
    only('webgpu/panels', [...outside, '^src/webgpu/(layout|steps)/'], 'What no binding can hold, cut.'),
    only('webgpu/lower', [...outside, '^src/webgpu/(layout|plan|steps|panels)/', generated], 'Steps to dispatches: pure.'),
    only('webgpu/device', [...outside, '^src/webgpu/(layout|plan|steps|panels|lower)/', generated], 'All that touches a GPUDevice.'),
    only('webgpu/tune', [...outside, '^src/webgpu/(plan|lower|device)/', generated], 'Choices measured.'),
    only(
      'reference',
      ['^src/graph/', '^src/data/', '^src/engine\\.ts$'],
      'An executor runs programs; it knows neither methods nor the other executor.',
    ),
    only('methods', ['^src/(programs|graph|data)/', '^src/engine\\.ts$'], 'Methods run programs on whatever engine they are given.'),
    only('models', ['^src/(methods|data)/', '^src/engine\\.ts$'], 'What acts on a fitted model knows the methods that made it.'),
    {
      name: 'engine-is-low',
      severity: 'error',
      comment: 'The contract between methods and executors knows neither of them.',
      from: { path: '^src/(engine|errors)\\.ts$' },
      to: { path: '^src/(models|methods|programs|webgpu|reference|cli|node)/' },
    },
    {
      name: 'node-behind-its-face',
      severity: 'error',
      comment: 'What needs Node is reached through src/node.ts or the command line only.',
      from: { pathNot: '^src/(node|cli)(/|\\.ts$)' },
      to: { path: '^src/(node|cli)(/|\\.ts$)' },
    },
    {
      name: 'builtins-in-node-only',
      severity: 'error',
      comment: 'Everything else must run in a browser.',
      from: { path: '^src/', pathNot: '^src/(node|cli)(/|\\.ts$)' },
      to: { dependencyTypes: builtin },
    },
    {
      name: 'no-packages-in-the-core',
      severity: 'error',
      comment: 'The core has no dependency.',
      from: { path: '^src/', pathNot: '^src/(node|cli)(/|\\.ts$)' },
      to: { dependencyTypes: npm },
    },
    {
      name: 'index-reaches-no-package',
      severity: 'error',
      comment: 'The face for browsers reaches no package and nothing of Node, not even through others.',
      from: { path: '^src/index\\.ts$' },
      to: { path: ['node_modules', '^node:', '^src/(node|cli)(/|\\.ts$)', '^src/data/(csv|formats|text)\\.ts$'], reachable: true },
    },
    {
      name: 'command-line-is-on-top',
      severity: 'error',
      comment: 'Nothing in src imports the command line.',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // type-only imports count as well
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
