/** Every class of kernels on its own, as the part of the adapter's bound that it reaches. */
import { random } from '../../src/data/random.js';
import type { Run } from '../../src/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Bench, checkNote, interleave, milliseconds, relativeDifference, rounded, rowOf, type Subject, unitsFor } from '../measure.js';
import { median, type Row } from '../rows.js';
import { watchPasses } from '../timestamps.js';
import { type KernelCase, kernelCases } from './kernel-cases.js';
import { type Roof, roofOf } from './roofline.js';

export async function kernelSuite(bench: Bench): Promise<Row[]> {
  const roof = await roofOf(bench);
  const rows: Row[] = [];
  for (const one of kernelCases(bench.quick)) {
    rows.push(await measureKernel({ ...bench, progress: (line) => bench.progress(`${one.name}: ${line}`) }, one, roof));
  }
  return rows;
}

async function measureKernel(bench: Bench, one: KernelCase, roof: Roof): Promise<Row> {
  using run = await bench.engine.prepare(one.program);
  write(run, one);
  const verdict = await check(bench, run, one);
  // One entry is read from a tensor that takes no time to read, so that a repeat is over when the device is.
  const smallest = [...one.program.tensors].filter(({ role }) => role !== 'transient').sort((a, b) => a.entries - b.entries)[0];
  const execute = async (units: number) => {
    run.execute('all', units);
    await run.sample([smallest]);
  };
  const units = await unitsFor(execute, bench, 2000);
  const subject: Subject = {
    subject: 'orthant',
    case: one.name,
    units,
    reset: async () => void (await run.sample([smallest])),
    run: () => execute(units),
  };
  const [times] = await interleave([subject], bench);
  const { bytes, flops } = await one.work(run);
  const seconds = median(times) / 1000;
  const bounds = { bandwidth: bytes / roof.bytesPerSecond, arithmetic: flops / roof.flopsPerSecond };
  const binding = bounds.bandwidth > bounds.arithmetic ? 'bandwidth' : 'arithmetic';
  const ofBound = bounds[binding] / seconds;
  const [gigabytesPerSecond, gigaflops] = [bytes / seconds / 1e9, flops / seconds / 1e9].map(rounded);
  const reached = `${(100 * ofBound).toPrecision(2)} % of ${binding}: ${gigabytesPerSecond.toPrecision(3)} GB/s, ${gigaflops.toPrecision(3)} GFLOP/s`;
  const onDevice = await deviceTime(bench, execute, units);
  return rowOf('kernels', subject, times, {
    checked: verdict.checked,
    note: [`${reached}${one.estimated ? ' (estimated work)' : ''}`, onDevice, verdict.note].filter(Boolean).join('; '),
    figures: { bytes, flops, ofBound: rounded(ofBound), gigabytesPerSecond, gigaflops },
  });
}

/** The time of one repeat by the device's own clock, beside the host's. */
async function deviceTime({ device }: Bench, execute: (units: number) => Promise<void>, units: number): Promise<string> {
  const watch = watchPasses(device);
  if (!watch) return '';
  try {
    watch.start();
    const host = await milliseconds(() => execute(units));
    const own = await watch.milliseconds();
    if (own === undefined) return '';
    return `by timestamps ${(own / units).toPrecision(3)} ms, ${((100 * own) / host).toFixed(0)} % of the host's time`;
  } finally {
    watch.stop();
  }
}

/** The entries of the case, else uniform on (0, 1], the same for every executor. */
function write(run: Run, { program, data }: KernelCase): void {
  for (const tensor of program.tensors) {
    if (tensor.role === 'transient') continue;
    const source = random(tensor.id + 1);
    run.write(tensor, data.get(tensor) ?? Float32Array.from({ length: tensor.rows * tensor.cols }, () => 1 - source.uniform()));
  }
}

/** One execution, on both executors. */
async function check({ progress }: Bench, run: Run, one: KernelCase) {
  progress('check');
  run.execute('all');
  if (one.verify) return one.verify(run);
  using reference = createReferenceEngine();
  using expected = await reference.prepare(one.program);
  write(expected, one);
  expected.execute('all');
  const [actual, wanted] = await Promise.all([run.read(one.out), expected.read(one.out)]);
  return checkNote([relativeDifference(actual, wanted)], one.tolerance, 'once');
}
