/** A program on a device: its buffers, pipelines and bind groups, made once; executing a section only encodes them. */
import { disposeKey, type Run } from '../../engine.js';
import { DisposedError, InputError, LimitError, ShapeError } from '../../errors.js';
import { planBuffers } from '../../graph/lifetimes.js';
import type { Program } from '../../graph/program.js';
import type { Tensor } from '../../graph/tensor.js';
import { columnNorms } from '../layout/column-norms.js';
import { byteLength, deviceForm, placeOf } from '../layout/layout.js';
import type { Dispatch, Scratch } from '../lower/dispatch.js';
import { dispatchesOf, lowerProgram } from '../lower/lower-program.js';
import { padPanel, readTensors } from '../panels/panel-io.js';
import { mebibytes, type Panelled } from '../panels/panels.js';
import { buffersOf } from '../panels/split-program.js';
import { stepText } from '../steps/step.js';
import type { DeviceContext } from './context.js';
import { createGuard } from './guard.js';
import { createReadback } from './readback.js';
import { sizeBytes } from './specialise.js';

interface Recorded {
  label: string;
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: readonly [number, number, number];
}

/** Dispatches per submit: enough to hide the cost of a submit, few enough to keep a display responsive. */
const dispatchesPerSubmit = 2048;

/** Compiles every pipeline of the program, all at once; no tensor gets memory. The pipelines serve every later run of the engine. */
export async function compileProgram(context: DeviceContext, program: Program): Promise<void> {
  const dispatches = dispatchesOf(lowerProgram(program, context.facts, context.forced).sections);
  await Promise.all(dispatches.map(({ kernel, constants }) => context.pipelines.get(kernel, constants)));
  context.check();
}

export async function prepareRun(context: DeviceContext, original: Program, onDispose: (run: Run) => void): Promise<Run> {
  const { device, memory } = context;
  const { program, inputs, panelled, norms, split, sections: lowered } = lowerProgram(original, context.facts, context.forced);
  const buffers = new Map<Tensor, GPUBuffer>();
  const owned: GPUBuffer[] = [];
  const guard = createGuard(device);
  const readback = createReadback(context, guard, program.name);
  let disposed = false;
  const release = () => {
    disposed = true;
    readback.dispose();
    for (const buffer of owned) memory.destroy(buffer);
  };

  try {
    const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const create = (label: string, bytes: number) => {
      const buffer = memory.create(`${program.name}/${label}`, bytes, storage);
      owned.push(buffer);
      return buffer;
    };
    const whole = [...program.tensors, ...norms.values()];
    const stored = whole.flatMap((tensor): readonly Tensor[] => panelled.get(tensor)?.panels ?? [tensor]);
    const all = dispatchesOf(lowered);
    let scratch: GPUBuffer[] = [];
    const allocate = () => {
      for (const tensor of stored) if (tensor.role !== 'transient') buffers.set(tensor, create(tensor.name, byteLength(tensor)));
      const plan = planBuffers(buffersOf(split), byteLength, { apart: context.inspect !== undefined });
      const slots = plan.slots.map((bytes, slot) => create(`transient ${slot}`, bytes));
      for (const [tensor, slot] of plan.slotOf) buffers.set(tensor, slots[slot]);
      scratch = scratchSizes(all).map((bytes, i) => create(`scratch ${i}`, bytes));
      context.inspect?.(buffers);
    };
    const allocated = guard.around(() => withinMemory(device, allocate));
    // Bind groups of missing buffers would be errors of the device.
    if (!(await allocated)) throw outOfMemory(program.name, owned);
    const sizes = guard.around(() => writeSizes(context, `${program.name}/sizes`, all));
    owned.push(sizes.buffer);

    const sections = new Map<string, Recorded[]>();
    await Promise.all(
      [...lowered].map(async ([section, steps]) => {
        const labelled = steps.flatMap(({ step, dispatches }) => dispatches.map((dispatch) => ({ label: stepText(step), dispatch })));
        const recorded = labelled.map(async ({ label, dispatch }): Promise<Recorded> => {
          const pipeline = await context.pipelines.get(dispatch.kernel, dispatch.constants);
          const entries = dispatch.bindings.map((bound, binding) => {
            if ('scratch' in bound) return { binding, resource: { buffer: scratch[bound.scratch] } };
            const { holder, offset, size } = placeOf(bound);
            return { binding, resource: { buffer: buffers.get(holder)!, offset, size } };
          });
          const own = { binding: entries.length, resource: { buffer: sizes.buffer, ...sizes.placeOf(dispatch) } };
          const bindGroup = guard.around(() =>
            device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries: [...entries, own] }),
          );
          return { label, pipeline, bindGroup, workgroups: dispatch.workgroups };
        });
        sections.set(section, await Promise.all(recorded));
      }),
    );
    await guard.settled();
    context.check();

    const live = () => {
      if (disposed) throw new DisposedError(`This run of ${program.name} was disposed; prepare the program again.`);
      context.check();
      guard.check();
    };
    const storedAs = (tensor: Tensor): Tensor => inputs.get(tensor) ?? tensor;
    const bufferOf = (tensor: Tensor) => {
      const buffer = buffers.get(tensor);
      if (buffer === undefined) throw new ShapeError(`${tensor.name} is not a tensor of program ${program.name}.`);
      return buffer;
    };
    const sectionOf = (section: string) => {
      const recorded = sections.get(section);
      if (recorded !== undefined) return recorded;
      throw new InputError(`Program ${program.name} has no section ${section}; it has ${[...sections.keys()].join(', ')}.`);
    };
    const sample = async (tensors: readonly Tensor[]) => {
      live();
      const source = (tensor: Tensor) => ({ buffer: bufferOf(tensor), bytes: byteLength(tensor) });
      return readTensors(tensors.map(storedAs), panelled, (wanted) => readback.read(wanted.map(source)));
    };
    const dispose = () => {
      if (disposed) return;
      release();
      onDispose(run);
    };
    const run: Run = {
      program: original,
      write(tensor, entries) {
        live();
        guard.around(() => {
          for (const [own, form] of formsOf(storedAs(tensor), entries, panelled, norms)) device.queue.writeBuffer(bufferOf(own), 0, form);
        });
      },
      execute(section, times = 1) {
        live();
        const recorded = sectionOf(section);
        const perSubmit = Math.max(1, Math.floor(dispatchesPerSubmit / Math.max(1, recorded.length)));
        for (let done = 0; done < times; done += perSubmit)
          guard.around(() => submit(context, `${program.name}/${section}`, recorded, Math.min(perSubmit, times - done)));
      },
      dispatches(section) {
        return sectionOf(section).length;
      },
      read: async (tensor) => (await sample([tensor]))[0],
      sample,
      dispose,
      [disposeKey]: dispose,
    };
    return run;
  } catch (error) {
    release();
    throw error;
  }
}

/** What is written for a tensor, one after another: its panels or itself, and the norms of its columns where the program has them. */
function* formsOf(
  tensor: Tensor,
  entries: Parameters<Run['write']>[1],
  panelled: ReadonlyMap<Tensor, Panelled>,
  norms: ReadonlyMap<Tensor, Tensor>,
): Generator<[Tensor, ReturnType<typeof deviceForm>]> {
  const panels = panelled.get(tensor)?.panels;
  if (panels) {
    for (const panel of panels) yield [panel, padPanel(panel, entries)];
    return;
  }
  const form = deviceForm(tensor, entries);
  yield [tensor, form];
  const own = norms.get(tensor);
  if (own) yield [own, columnNorms(tensor, form)];
}

/** Records `times` repetitions of a section in one compute pass and submits them together. */
function submit({ device, timestamps }: DeviceContext, label: string, recorded: readonly Recorded[], times: number): void {
  const encoder = device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label, timestampWrites: timestamps });
  for (let i = 0; i < times; i++) {
    for (const { pipeline, bindGroup, workgroups } of recorded) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    }
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
}

/** Makes buffers and says whether the device had the memory for them. Of a device that is lost the engine knows from elsewhere. */
function withinMemory(device: GPUDevice, make: () => void): Promise<boolean> {
  device.pushErrorScope('out-of-memory');
  let refused: Promise<boolean> | undefined;
  try {
    make();
  } finally {
    refused = device.popErrorScope().then(
      (error) => error === null,
      () => true,
    );
  }
  return refused;
}

function outOfMemory(program: string, buffers: readonly GPUBuffer[]): LimitError {
  const bytes = buffers.reduce((sum, { size }) => sum + size, 0);
  return new LimitError(
    `Program ${program} takes ${mebibytes(bytes)} in ${buffers.length} buffers, which is more memory than the device has left. Use fewer restarts, or a smaller or sparser matrix.`,
  );
}

/** The size of each scratch buffer: that of the most demanding dispatch. */
function scratchSizes(dispatches: readonly Dispatch[]): number[] {
  const sizes: number[] = [];
  const isScratch = (bound: Tensor | Scratch): bound is Scratch => 'scratch' in bound;
  for (const { scratch, bytes } of dispatches.flatMap(({ bindings }) => bindings.filter(isScratch))) {
    for (let i = sizes.length; i <= scratch; i++) sizes.push(16);
    sizes[scratch] = Math.max(sizes[scratch], bytes);
  }
  return sizes;
}

/** One uniform buffer with the sizes of every dispatch, each at an offset that the device can bind. */
function writeSizes(
  { device, memory }: DeviceContext,
  label: string,
  dispatches: readonly Dispatch[],
): { buffer: GPUBuffer; placeOf(dispatch: Dispatch): { offset: number; size: number } } {
  const alignment = device.limits.minUniformBufferOffsetAlignment;
  const places = new Map<Dispatch, { offset: number; size: number }>();
  const blocks = dispatches.map((dispatch) => sizeBytes(dispatch.kernel, dispatch.constants));
  let end = 0;
  blocks.forEach((block, i) => {
    places.set(dispatches[i], { offset: end, size: block.byteLength });
    end = Math.ceil((end + block.byteLength) / alignment) * alignment;
  });
  const bytes = new Uint8Array(Math.max(end, 16));
  blocks.forEach((block, i) => {
    bytes.set(new Uint8Array(block), places.get(dispatches[i])!.offset);
  });
  const buffer = memory.create(label, bytes.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  device.queue.writeBuffer(buffer, 0, bytes);
  return { buffer, placeOf: (dispatch) => places.get(dispatch)! };
}
