/** The bounds of this adapter that every kernel is held against: how fast it copies, and how fast it multiplies and adds. */
import { type Bench, interleave, rowOf, type Subject } from '../measure.js';
import { median, type Row } from '../rows.js';

const workgroup = 64;

/** Copies 16 bytes an invocation and step, neighbours side by side. */
const copyCode = `
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let width = groups.x * ${workgroup}u;
  let count = arrayLength(&output);
  for (var i = id.x; i < count; i += width) { output[i] = input[i]; }
}`;

const chains = 8;
const unrolled = 8;
const rounds = 64;

/** x ← x a + b in eight chains of vec4 that do not wait for each other. a and b come from memory, so that nothing can be folded. */
const fmaCode = `
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = input[0];
  let b = input[1];
${each((i) => `  var x${i} = vec4f(f32(id.x & 7u) + ${i}.0);`)}
  for (var round = 0u; round < ${rounds}u; round++) {
${Array.from({ length: unrolled }, () => each((i) => `    x${i} = fma(x${i}, a, b);`)).join('\n')}
  }
  output[id.x] = ${Array.from({ length: chains }, (_, i) => `x${i}`).join(' + ')};
}`;

function each(line: (i: number) => string): string {
  return Array.from({ length: chains }, (_, i) => line(i)).join('\n');
}

interface Micro {
  name: string;
  code: string;
  bytes: number;
  groups: number;
  /** Work of one dispatch. */
  flops: number;
  moved: number;
  input: Float32Array<ArrayBuffer>;
  /** Whether an entry of the output is right. */
  right(entry: number, at: number): boolean;
}

function micros(quick: boolean): { copy: Micro; fma: Micro } {
  const bytes = (quick ? 32 : 128) << 20;
  const invocations = 16_384;
  const ramp = Float32Array.from({ length: bytes / 4 }, (_, i) => i % 1021);
  return {
    copy: {
      name: `copy of ${bytes >> 20} MiB`,
      code: copyCode,
      bytes,
      groups: 1024,
      flops: 0,
      moved: 2 * bytes,
      input: ramp,
      right: (entry, at) => entry === at % 1021,
    },
    fma: {
      name: 'fused multiply-adds in registers',
      code: fmaCode,
      bytes: invocations * 16,
      groups: invocations / workgroup,
      flops: invocations * chains * unrolled * rounds * 4 * 2,
      moved: 0,
      // x/2 + 1 tends to 2 from wherever it starts.
      input: Float32Array.from({ length: invocations * 4 }, (_, i) => (i < 4 ? 0.5 : 1)),
      right: (entry) => Math.abs(entry - 2 * chains) < 1e-3,
    },
  };
}

export interface Roof {
  bytesPerSecond: number;
  flopsPerSecond: number;
}

const measured = new WeakMap<GPUDevice, { roof: Roof; rows: Row[] }>();

/** Measured once a device. */
export async function roofOf(bench: Bench): Promise<Roof> {
  return (await measure(bench)).roof;
}

export async function rooflineSuite(bench: Bench): Promise<Row[]> {
  return (await measure(bench)).rows;
}

async function measure(bench: Bench) {
  const known = measured.get(bench.device);
  if (known) return known;
  const { copy, fma } = micros(bench.quick);
  const loaded = await Promise.all([copy, fma].map((micro) => load(bench.device, micro)));
  try {
    const times = await interleave(
      loaded.map(({ subject }) => subject),
      bench,
    );
    const best = times.map((own) => median(own) / 1000);
    const roof = { bytesPerSecond: copy.moved / best[0], flopsPerSecond: fma.flops / best[1] };
    const checked = await Promise.all(loaded.map(({ check }) => check()));
    const [gigabytesPerSecond, gigaflops] = [roof.bytesPerSecond / 1e9, roof.flopsPerSecond / 1e9];
    const rows = [
      rowOf('roofline', loaded[0].subject, times[0], {
        checked: checked[0],
        note: `${gigabytesPerSecond.toFixed(1)} GB/s, reads and writes counted`,
        figures: { gigabytesPerSecond, bytes: copy.moved },
      }),
      rowOf('roofline', loaded[1].subject, times[1], {
        checked: checked[1],
        note: `${gigaflops.toFixed(1)} GFLOP/s, a multiply-add is two`,
        figures: { gigaflops, flops: fma.flops },
      }),
    ];
    const made = { roof, rows };
    measured.set(bench.device, made);
    return made;
  } finally {
    for (const { dispose } of loaded) dispose();
  }
}

/** Dispatches of a repeat. */
const units = 4;

async function load(device: GPUDevice, micro: Micro) {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const [from, to] = [0, 1].map(() => device.createBuffer({ label: micro.name, size: micro.bytes, usage }));
  const staging = device.createBuffer({ size: 4096, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  device.queue.writeBuffer(from, 0, micro.input);
  const module = device.createShaderModule({ label: micro.name, code: micro.code });
  const pipeline = await device.createComputePipelineAsync({ label: micro.name, layout: 'auto', compute: { module } });
  const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const tail = async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(to, micro.bytes - 4096, staging, 0, 4096);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const entries = new Float32Array(staging.getMappedRange()).slice();
    staging.unmap();
    return entries;
  };
  const subject: Subject = {
    subject: 'orthant',
    case: micro.name,
    units,
    reset: async () => void (await tail()),
    async run() {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass({ label: micro.name });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      for (let i = 0; i < units; i++) pass.dispatchWorkgroups(micro.groups);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await tail();
    },
  };
  return {
    subject,
    check: async () => (await tail()).every((entry, i) => micro.right(entry, micro.bytes / 4 - 1024 + i)),
    dispose: () => {
      for (const buffer of [from, to, staging]) buffer.destroy();
    },
  };
}
