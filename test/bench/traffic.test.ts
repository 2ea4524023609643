/** Kernels that count their traffic compute what the plain ones do, and count what a person counts. */
import { expect, test } from 'vitest';
import { countedRun } from '../../bench/counted-run.js';
import { random } from '../../src/data/random.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { adapterFacts } from '../../src/webgpu/device/device.js';
import { instrumented } from '../../src/webgpu/device/instrument.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { lendDevice } from '../support/devices.js';

const gpu = { software: false, llvmpipe: false, subgroups: false };
const lent = lendDevice();
lent.catch(() => {});

async function counted(write: (p: ProgramBuilder) => Tensor) {
  const device = await lent;
  const p = programBuilder('counted');
  let out!: Tensor;
  p.section('all', () => {
    out = write(p);
  });
  const program = p.build();
  using run = countedRun(device, program, adapterFacts(device, {}, { facts: gpu }));
  for (const tensor of program.tensors) {
    const source = random(tensor.id + 1);
    if (tensor.role === 'input')
      run.write(
        tensor,
        Float32Array.from({ length: tensor.rows * tensor.cols }, () => source.uniform()),
      );
  }
  const dispatches = await run.execute('all');
  return { dispatches, out: await run.read(out) };
}

test('2X + 3Y: every vec4 of X and Y loaded once, of the result stored once, every line full', async () => {
  const [rows, cols] = [37, 64]; // 592 vec4: 9 workgroups of 64 and 16 more
  const { dispatches } = await counted((p) =>
    p.combine(2, p.input('X', rows, cols), 3, p.input('Y', rows, cols), { into: p.state('out', rows, cols) }),
  );
  const bytes = 4 * rows * cols;
  expect(dispatches.map(({ dispatch }) => dispatch.kernel)).toEqual(['elementwise/combine']);
  const [X, Y, out] = dispatches[0].bound.map(({ traffic }) => traffic);
  for (const input of [X, Y]) {
    expect(input).toMatchObject({ loaded: bytes, stored: 0 });
    expect(input.sample.lines).toBe(input.sample.ideal);
    expect(input.sample.distinct).toBe(input.sample.bytes);
  }
  expect(out).toMatchObject({ loaded: 0, stored: bytes });
});

test('a row of 8: the transpose loads rows of two vec4, four apart, so 32 neighbours touch four times the lines', async () => {
  // An invocation turns 4×4; X has 2 tiles a row, so 32 neighbours load 16 rows, every fourth: 32 of every 128 bytes.
  const { dispatches, out } = await counted((p) => p.transpose(p.input('X', 512, 8), { into: p.state('out', 8, 512) }));
  const [X, stored] = dispatches[0].bound.map(({ traffic }) => traffic);
  expect(X).toMatchObject({ loaded: 4 * 512 * 8, stored: 0 });
  expect(X.sample.lines).toBe(4 * X.sample.ideal);
  expect(stored).toMatchObject({ loaded: 0, stored: 4 * 512 * 8 });
  expect(out.length).toBe(8 * 512);
});

test('neighbours that load the same element: counted by invocation and once a group', async () => {
  // shift adds y[0] to every entry; a workgroup of 64 loads one word 64 times.
  const { dispatches } = await counted((p) => p.shift(p.input('X', 8, 64), p.input('y', 1, 1), 1, { into: p.state('out', 8, 64) }));
  const y = dispatches[0].bound[1].traffic;
  expect(y.loaded).toBe(4 * 8 * 64);
  expect(y.sample.bytes).toBe(32 * y.sample.distinct);
  expect(y.sample.lines).toBe(y.sample.ideal);
});

test.each(['mu', 'hals', 'anls'] as const)('%s: the factors are those of the plain kernels, bit by bit', async (solver) => {
  const device = await lent;
  // On hardware the rows of X are padded to 160 entries.
  const [N, M, k] = [61, 133, 5];
  const t = nmfProgram(N, M, k, { restarts: 2, solver, weighted: false });
  const source = random(7);
  const uniform = (length: number) => Float32Array.from({ length }, () => source.uniform());
  const inputs = new Map([
    [t.X, uniform(N * M)],
    [t.A, uniform(2 * N * k)],
    [t.S, uniform(2 * k * M)],
  ]);
  using engine = await createWebGpuEngine({ device, forced: { facts: gpu } });
  using plain = await engine.prepare(t.program);
  using own = countedRun(device, t.program, adapterFacts(device, {}, { facts: gpu }));
  for (const [tensor, entries] of inputs) {
    plain.write(tensor, entries);
    own.write(tensor, entries);
  }
  for (const section of [t.sections.start, t.sections.step, t.sections.step]) {
    if (!(section in t.program.sections)) continue;
    plain.execute(section);
    await own.execute(section);
  }
  for (const tensor of [t.A, t.S]) expect(await own.read(tensor)).toEqual(await plain.read(tensor));
});

test('rows of X that fill no line: an iteration touches at most 1.3 × the lines that it needs', async () => {
  const device = await lent;
  for (const [N, M] of [
    [501, 1003],
    [260, 501],
    [301, 133],
  ]) {
    const t = nmfProgram(N, M, 8, { restarts: 1, solver: 'mu', weighted: false });
    using run = countedRun(device, t.program, adapterFacts(device, {}, { facts: gpu }));
    const source = random(N);
    for (const tensor of [t.X, t.A, t.S]) {
      const size = tensor.rows * tensor.cols;
      run.write(
        tensor,
        Float32Array.from({ length: size }, () => source.uniform()),
      );
    }
    const ofX = (await run.execute(t.sections.step))
      .flatMap(({ bound }) => bound)
      .filter(({ tensor, traffic }) => tensor?.data && traffic.loaded > 0);
    expect(ofX.length).toBe(2);
    for (const { traffic } of ofX) expect(traffic.sample.lines / traffic.sample.ideal, `${N}×${M}`).toBeLessThanOrEqual(1.3);
    const requested = ofX.reduce((sum, { traffic }) => sum + traffic.loaded, 0);
    // The last tile of 64 rows reads all of them.
    if (N > 500) expect(requested / (4 * N * M), `${N}×${M}`).toBeLessThanOrEqual(2.1);
  }
});

test('the rewriting sees nested, compound and component accesses', () => {
  const code = `@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  out[order[id.x]] += X[id.x].y;
  if (out[id.x] == 0.0) { X[id.x][2] = at.X[1]; }
}`;
  const bindings = [
    { name: 'X', access: 'read', width: 4 },
    { name: 'out', access: 'read_write', width: 1 },
    { name: 'order', access: 'read', width: 1 },
  ] as const;
  const { sites } = instrumented(code, bindings);
  expect(sites).toEqual([
    { binding: 1, loads: true, stores: true, bytes: 4 },
    { binding: 2, loads: true, stores: false, bytes: 4 },
    { binding: 0, loads: true, stores: false, bytes: 4 },
    { binding: 1, loads: true, stores: false, bytes: 4 },
    { binding: 0, loads: false, stores: true, bytes: 4 },
  ]);
  expect(() => instrumented(code.replace('out[id.x] ==', 'sum(&out) =='), bindings)).toThrow(/address &out/);
});
