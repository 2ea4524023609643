// Imports run one way: cli → sweep → models → methods → programs → graph ← webgpu, reference. docs/architecture.md has the same table in words.

/** Every room of src, and the rooms and files that it may import; all may import errors.ts. */
const rooms = {
  cli: ['sweep', 'node', 'report', 'topics', 'models', 'ranks', 'methods', 'parallel', 'webgpu', 'formats', 'text', 'data', 'engine.ts'],
  sweep: ['node', 'ranks', 'models', 'methods', 'formats', 'data', 'engine.ts'],
  node: ['models', 'methods', 'parallel', 'webgpu', 'reference', 'formats', 'text', 'data', 'engine.ts'],
  report: ['topics', 'methods', 'data'],
  topics: ['methods', 'text', 'data'],
  models: ['methods', 'formats', 'text', 'data', 'engine.ts'],
  formats: ['data'],
  text: ['formats/unpack.ts', 'data'],
  ranks: ['methods', 'programs', 'graph', 'data', 'engine.ts'],
  methods: ['programs', 'parallel', 'graph', 'data', 'engine.ts'],
  parallel: ['graph', 'data', 'engine.ts'],
  programs: ['graph'],
  reference: ['graph', 'data', 'engine.ts'],
  webgpu: ['graph', 'data', 'engine.ts'],
  'webgpu/layout': ['graph', 'data'],
  'webgpu/plan': ['engine.ts'],
  'webgpu/steps': ['graph'],
  'webgpu/panels': ['webgpu/layout', 'webgpu/steps', 'graph', 'data'],
  'webgpu/lower': ['webgpu/layout', 'webgpu/plan', 'webgpu/steps', 'webgpu/panels', 'graph'],
  'webgpu/device': ['webgpu/layout', 'webgpu/plan', 'webgpu/steps', 'webgpu/panels', 'webgpu/lower', 'graph', 'data', 'engine.ts'],
  'webgpu/tune': ['webgpu/plan', 'webgpu/lower', 'webgpu/device', 'graph', 'data', 'engine.ts'],
  graph: [],
  data: [],
};

const pathOf = (room) => `^src/${room.endsWith('.ts') ? room.replace('.', '\\.') : `${room}/`}`;

/** What scripts/bundle-shaders.mjs writes. */
const generated = '^src/webgpu/(shaders|wgsl/[\\w-]+)\\.generated\\.ts$';

const lawOf = ([room, allowed]) => ({
  name: `${room}-imports`,
  severity: 'error',
  comment: `src/${room} may import: ${allowed.join(', ') || 'nothing'}.`,
  from: { path: pathOf(room) },
  to: {
    path: '^src/',
    pathNot: [pathOf(room), pathOf('errors.ts'), generated, ...allowed.map(pathOf)],
  },
});

const builtin = ['core'];
const npm = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', comment: 'No import may lead back to where it started.', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', comment: 'Every import must lead somewhere.', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(rooms).map(lawOf),
    {
      name: 'every-room-has-a-law',
      severity: 'error',
      comment: 'A new room gets a line in `rooms` and one in docs/architecture.md.',
      from: {
        path: '^src/[^/]+/',
        pathNot: [
          '^src/webgpu/[^/]+\\.ts$',
          ...Object.keys(rooms)
            .filter((room) => room !== 'webgpu')
            .map(pathOf),
        ],
      },
      to: {},
    },
    {
      name: 'shaders-for-the-gpu',
      severity: 'error',
      comment: 'The text of the kernels is for those who lower to them and run them.',
      from: { pathNot: ['^src/webgpu/(lower|device|tune)/', generated] },
      to: { path: generated },
    },
    {
      name: 'engine-imports',
      severity: 'error',
      comment: 'src/engine.ts may import: graph, data.',
      from: { path: pathOf('engine.ts') },
      to: { path: '^src/', pathNot: ['graph', 'data'].map(pathOf) },
    },
    {
      name: 'errors-import-nothing',
      severity: 'error',
      comment: 'Every room may import src/errors.ts, so it imports none.',
      from: { path: pathOf('errors.ts') },
      to: {},
    },
    {
      name: 'node-behind-its-face',
      severity: 'error',
      comment: 'What needs Node is reached through src/node.ts or the command line only.',
      from: { pathNot: '^src/(node|sweep|cli)(/|\\.ts$)' },
      to: { path: '^src/(node|sweep|cli)(/|\\.ts$)' },
    },
    {
      name: 'builtins-in-node-only',
      severity: 'error',
      comment: 'Everything else must run in a browser.',
      from: { path: '^src/', pathNot: '^src/(node|sweep|cli)(/|\\.ts$)' },
      to: { dependencyTypes: builtin },
    },
    {
      name: 'no-packages-in-the-core',
      severity: 'error',
      comment: 'The core has no dependency.',
      from: { path: '^src/', pathNot: '^src/(node|sweep|cli|formats|text|report/client)(/|\\.ts$)' },
      to: { dependencyTypes: npm },
    },
    {
      name: 'index-reaches-no-package',
      severity: 'error',
      comment: 'The face for browsers reaches no package and nothing of Node, not even through others.',
      from: { path: '^src/index\\.ts$' },
      to: {
        path: ['node_modules', '^node:', '^src/(node|sweep|cli)(/|\\.ts$)', '^src/(formats/(csv|formats)|text/term-document)\\.ts$'],
        reachable: true,
      },
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
