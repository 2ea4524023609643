// Runs with the driver of a GPU that is not there, and with null-layer.c: compiles every pipeline of the programs, one after another. The
// driver's statistics go to stderr, each after a line `@@ pipeline`. The first line of stdout is the driver's name.
import { writeSync } from 'node:fs';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const gpu = create(['backend=vulkan']);
globalThis.gpu = gpu; // a Dawn that is collected crashes
const adapter = await gpu.requestAdapter();
if (!adapter) {
  writeSync(1, '\n');
  process.exit(3);
}
const { description, device } = adapter.info;
writeSync(1, `${description}\n`);
if (Number(/Mesa (\d+)/.exec(description)?.[1] ?? 0) < 24 || !/radv/i.test(`${description} ${device}`)) process.exit(4);

const { createEngine, programFor, tensorProgramFor } = await import('./engine.js');
// Nothing is allocated, recorded or read. The engine's look at long loops gets the answer that it expects.
const answer = () => {
  let state = 1;
  for (let round = 0; round < 270 * 250; round++) state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Uint32Array.of(state).buffer;
};
const nothing = new Proxy(() => nothing, {
  get: (_, name) => (name === 'then' ? undefined : name === 'getMappedRange' ? answer : nothing),
});
for (const name of ['createBuffer', 'createBindGroup', 'createCommandEncoder']) GPUDevice.prototype[name] = () => nothing;
GPUQueue.prototype.submit = () => {};
GPUQueue.prototype.writeBuffer = () => {};
let turn = Promise.resolve();
const compile = GPUDevice.prototype.createComputePipelineAsync;
GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
  const own = turn.then(() => {
    writeSync(2, `@@ ${descriptor.label}\n`);
    return compile.call(this, descriptor);
  });
  turn = own.catch(() => {});
  return own;
};

const engine = await createEngine({ adapter });
const nmf = (solver, k, more) => programFor('nmf', { rows: 4096, cols: 4096, ranks: [k], solver, ...more });
const nonZeros = 500_000;
const neural = (ranks, rows, cols, more) => programFor('neural', { rows, cols, ranks, ...more });
const programs = [
  ...[4, 10, 16, 32, 50, 64, 128].flatMap((k) => ['mu', 'hals', 'anls'].map((solver) => nmf(solver, k))),
  neural([9, 4, 2], 87, 90, { restarts: 16 }),
  neural([20, 8, 3], 1500, 233, { restarts: 4, nonZeros: 100000 }),
  neural([100, 32, 8], 20000, 10000, { nonZeros: 1000000 }),
  neural([128, 64, 16], 4096, 4096),
  // Losses, what is missing, S on the simplex, penalties, labels, tensors.
  ...['kullback-leibler', 'itakura-saito', 1.5].map((loss) => nmf('mu', 16, { loss })),
  ...['kullback-leibler', 1.5].map((loss) => nmf('mu', 16, { loss, nonZeros })),
  ...[9, 16, 50].flatMap((k) =>
    ['mu', 'hals', 'anls'].flatMap((solver) => [nmf(solver, k, { weighted: true }), nmf(solver, k, { nonZeros, absent: 'missing' })]),
  ),
  ...[4, 8, 9, 16, 32, 50, 128].map((k) => nmf('anls', k, { simplex: true })),
  ...[8, 9, 50].map((k) => nmf('hals', k, { simplex: true, minVolume: 0.1 })),
  ...['mu', 'hals', 'anls'].map((solver) => nmf(solver, 16, { orthogonalA: 0.1, l1S: 0.1, l2A: 0.1 })),
  ...[1, 2, 3, 4, 5, 6].map((model) => programFor('ssnmf', { rows: 4096, cols: 4096, ranks: 16, model, ...(model > 2 && { classes: 9 }) })),
  programFor('deep', { rows: 4096, cols: 4096, ranks: [32, 8], pooling: 'max' }),
  programFor('deep-semi', { rows: 4096, cols: 4096, ranks: [32, 8], nonlinearity: 'sigmoid' }),
  programFor('unfolded', { rows: 4096, cols: 4096, ranks: 16, layers: 4, untied: 2 }),
  programFor('sparse-coding', { rows: 4096, cols: 4096, ranks: [32, 8], classes: 9 }),
  ...[undefined, nonZeros].map((cooEntries) => tensorProgramFor('ncp', { shape: [300, 200, 100], rank: 20, cooEntries })),
  tensorProgramFor('neural-ncp', { shape: [300, 200, 100], rank: 20, ranks: [8, 4] }),
];
for (const program of programs) await engine.warmup(program);
process.exit(0);
