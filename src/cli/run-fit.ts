/** The common part of `fit` and `topics`: engine, progress, Ctrl-C and the summary. */
import { createRequire } from 'node:module';
import type { Engine, Tuning } from '../engine.js';
import type { FitOptions } from '../methods/factorization.js';
import type { Factorization } from '../methods/methods.js';
import { modelFiles } from '../models/files.js';
import { createEngine } from '../node/engine.js';
import { findTuning } from '../node/tuning-store.js';
import type { CommonOptions, DeviceChoice } from './arguments.js';
import { type Io, untilAborted } from './io.js';
import { progressLine } from './progress.js';

export const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

export interface Device {
  kind: Engine['kind'];
  description: string;
  /** It computes on the CPU. */
  software: boolean;
  /** Whether it uses choices that `orthant tune` measured. */
  tuned: boolean;
}

/** `work` on an engine of its own, with an end at Ctrl-C. */
export async function onDevice<T>(
  io: Io,
  { device: prefer, half }: { device: DeviceChoice; half?: boolean },
  work: (engine: Engine, device: Device) => Promise<T>,
): Promise<T> {
  const { signal } = io;
  const engine = await createEngine({ prefer, halfInputs: half, tuning: (adapter) => keptTuning(io, adapter) });
  try {
    const { kind, description, software } = engine;
    return await untilAborted(work(engine, { kind, description, software, tuned: engine.tuning !== undefined }), signal);
  } finally {
    // Disposal waits for work in flight, for seconds on a software adapter; after Ctrl-C the end of the process does it at once.
    if (!signal.aborted) engine.dispose();
  }
}

/** The tuning that `orthant tune` kept for the adapter. A file that cannot be used is named on standard error, and does no harm. */
async function keptTuning({ env, stderr }: Io, adapter: string): Promise<Tuning | undefined> {
  const found = await findTuning(adapter, env);
  if (found?.problem) stderr.print([`orthant: The tuning in ${found.path} is not used. ${found.problem} See orthant tune --help.`]);
  return found?.tuning;
}

/** `factorize` on a device, with the options that came from the command line and a progress line. */
export function fitOnDevice(
  io: Io,
  options: CommonOptions & { half?: boolean },
  factorize: (engine: Engine, fitOptions: Omit<FitOptions, 'ranks'>) => Promise<Factorization>,
  announce: (device: Device) => void = () => {},
): Promise<{ model: Factorization; device: Device }> {
  const { seed, restarts, maxIterations, tolerance, svdBound } = options;
  const { signal } = io;
  return onDevice(io, options, async (engine, device) => {
    announce(device);
    const line = progressLine(io);
    try {
      const onProgress = line.update;
      const work = factorize(engine, { seed, restarts, maxIterations, tolerance, svdBound, signal, onProgress });
      return { model: await untilAborted(work, signal), device };
    } finally {
      line.stop();
    }
  });
}

/** One line that names the device, and says so where no GPU was found although one was welcome. */
export function describeDevice({ kind, description, software, tuned }: Device, asked: DeviceChoice): string {
  const what = tuned ? `${description}, tuned` : description;
  return kind === 'webgpu' && software && asked === 'auto' ? `${what}; no GPU was found` : what;
}

/** The fields of model.json and --json beside the model. */
export function provenance(device: Device, options: object): Record<string, unknown> {
  return { orthant: version, options, device };
}

/** Prints the content of model.json, written or not. */
export function printModel({ stdout }: Io, model: Factorization, extra: Record<string, unknown>): void {
  stdout.write(modelFiles(model, extra)['model.json']);
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
