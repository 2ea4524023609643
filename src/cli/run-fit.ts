/** The common part of `fit` and `topics`: engine, progress, Ctrl-C and the summary. */
import { createRequire } from 'node:module';
import type { Engine, Tuning } from '../engine.js';
import { CancelledError, InputError } from '../errors.js';
import type { FitOptions, Progress } from '../methods/factorization.js';
import type { Factorization } from '../methods/methods.js';
import type { OnlineState } from '../methods/online-state.js';
import type { FactorForm } from '../models/factor-files.js';
import { modelFiles, type SavedModel } from '../models/files.js';
import { checkpointPath, readCheckpoint, removeCheckpoint, writeCheckpoint } from '../node/checkpoint-file.js';
import { createEngine } from '../node/engine.js';
import { copiesOf, saveModel } from '../node/model-folder.js';
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

/** `work` on an engine of its own. Ctrl-C ends it at once, unless it `stops` by itself. */
export async function onDevice<T>(
  io: Io,
  { device: prefer, half, stops = false }: { device: DeviceChoice; half?: boolean; stops?: boolean },
  work: (engine: Engine, device: Device) => Promise<T>,
): Promise<T> {
  const { signal } = io;
  const engine = await createEngine({ prefer, halfInputs: half, tuning: (adapter) => keptTuning(io, adapter) });
  try {
    const { kind, description, software } = engine;
    const working = work(engine, { kind, description, software, tuned: engine.tuning !== undefined });
    return await (stops ? working : untilAborted(working, signal));
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

type FittingOptions = Pick<
  CommonOptions,
  'seed' | 'restarts' | 'maxIterations' | 'tolerance' | 'svdBound' | 'maxSeconds' | 'checkpoint' | 'out' | 'device'
>;

/**
 * `factorize` on a device, with the options that came from the command line, a progress line, and checkpoints in the folder for the model.
 * At Ctrl-C the fit ends with its next check, and gives what it has.
 */
export async function fitOnDevice<M>(
  io: Io,
  options: FittingOptions & { half?: boolean; keeps?: boolean },
  factorize: (engine: Engine, fitOptions: Omit<FitOptions, 'ranks'>) => Promise<M>,
  announce: (device: Device) => void = () => {},
): Promise<{ model: M; device: Device }> {
  const { seed, restarts, maxIterations, tolerance, svdBound, maxSeconds } = options;
  const { signal } = io;
  const { goesOn, ...checkpoints } = await checkpointsIn(options);
  // Said when the fit has taken the checkpoint, which may be of another fit.
  let unsaid = goesOn;
  const sayThatItGoesOn = () => {
    if (unsaid) io.stderr.print([unsaid]);
    unsaid = undefined;
  };
  return onDevice(io, { ...options, stops: true }, async (engine, device) => {
    if (signal.aborted) throw new CancelledError('Interrupted.');
    announce(device);
    const line = progressLine(io, { maxSeconds });
    const onProgress = (progress: Progress) => {
      sayThatItGoesOn();
      line.update(progress);
      return !signal.aborted;
    };
    try {
      const common = { seed, restarts, maxIterations, tolerance, svdBound, maxSeconds, onProgress, ...checkpoints };
      const model = await factorize(engine, common);
      sayThatItGoesOn();
      return { model, device };
    } catch (error) {
      throw error instanceof InputError && error.option === 'resume'
        ? ofAnotherFit(options.out!, error, options.keeps !== undefined)
        : error;
    } finally {
      line.stop();
    }
  });
}

/** The options of a fit that keeps checkpoints, and goes on from the one that is there. */
async function checkpointsIn({
  checkpoint: seconds,
  out,
  keeps = true,
}: FittingOptions & { keeps?: boolean }): Promise<Pick<FitOptions, 'checkpoint' | 'resume'> & { goesOn?: string }> {
  if (seconds === undefined) return {};
  if (out === undefined) throw new InputError('--checkpoint needs --out, the folder in which checkpoints are kept; give both.');
  const resume = await readCheckpoint(out);
  return {
    checkpoint: { seconds, save: async (checkpoint) => (keeps ? writeCheckpoint(out, checkpoint) : undefined) },
    resume,
    goesOn:
      resume && `orthant: The fit goes on from '${checkpointPath(out)}', ${resume.stage.name}, iteration ${resume.stage.loop.iteration}.`,
  };
}

function ofAnotherFit(out: string, cause: InputError, distributed: boolean): InputError {
  const path = checkpointPath(out);
  const ranks = distributed ? ', or the number of ranks that mpirun starts' : '';
  return new InputError(
    `'${path}' is the checkpoint of another fit: data or options differ${ranks}. Remove it, or choose another folder for --out.`,
    {
      cause,
    },
  );
}

/** Whether a fit ended before it was done, so that its checkpoint is still of use. */
export const isUnfinished = ({ stopReason }: Pick<Factorization, 'stopReason'>): boolean =>
  stopReason === 'stopped' || stopReason === 'maxSeconds';

/** Writes the model. Its checkpoint goes, unless there is more to do. Returns the names of the files. */
export async function writeModel(
  { out, format, online }: { out: string; format: FactorForm; online?: OnlineState },
  model: SavedModel,
  extra: Record<string, unknown>,
): Promise<string[]> {
  const written = await saveModel(out, model, extra, { format, online });
  if (!isUnfinished(model)) await removeCheckpoint(out);
  return written;
}

/** The end of a command whose fit Ctrl-C may have stopped: then all is printed that there is, and the exit status says so. */
export async function endOfFit(
  { signal, stdout, stderr }: Io,
  model: Pick<Factorization, 'iterations'>,
  { out, report }: Pick<CommonOptions, 'out' | 'report'>,
): Promise<void> {
  if (!signal.aborted) return;
  const places = [out, report].filter((place) => place !== undefined);
  const kept =
    places.length === 0
      ? 'Nothing was written: there is no --out.'
      : `${places.join(' and ')} ${places.length === 1 ? 'holds' : 'hold'} what it had reached.`;
  stderr.write(`orthant: Ctrl-C ended the fit after ${model.iterations} iterations. ${inOneLine(kept)}\n`);
  await stdout.end();
  await stderr.end();
  throw new CancelledError('Interrupted.');
}

/** A line break in a path is no line break. */
const inOneLine = (text: string) => text.replaceAll('\n', '\\u000a');

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
export async function printModel(
  { stdout }: Io,
  { format, online }: { format: FactorForm; online?: OnlineState },
  model: SavedModel,
  extra: Record<string, unknown>,
): Promise<void> {
  stdout.write(modelFiles(model, extra, await copiesOf(model, { format, online }))['model.json']);
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
