/** `orthant tune`: measures, once an adapter, which kernels multiply fastest on it. */
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import type { Problem, TuneProgress, Tuning, TuningEntry } from '../engine.js';
import { InputError } from '../errors.js';
import { type AdapterPreference, requestDawnAdapter } from '../node/dawn.js';
import { createEngine } from '../node/engine.js';
import { findTuning, forgetTuning, storeTuning } from '../node/tuning-store.js';
import { describeAdapter } from '../webgpu/device/device.js';
import { choiceText, quickProblems } from '../webgpu/plan/product-shape.js';
import { mergeTunings } from '../webgpu/tune/tuning.js';
import { parseProblem } from './arguments.js';
import { alignColumns } from './columns.js';
import { type Io, untilAborted } from './io.js';
import { toJson } from './run-fit.js';

interface Options {
  device: AdapterPreference;
  quick?: boolean;
  problem?: Problem[];
  forget?: boolean;
  json?: boolean;
}

export function addTuneCommand(program: Command, io: Io): void {
  program
    .command('tune')
    .summary('measure which kernels are fastest on this adapter')
    .description(
      'Times the kernels that can multiply on this adapter, by classes of shapes, and keeps the fastest of each for the other commands (in $ORTHANT_CACHE or the user’s cache). Without it they use choices that are good as a rule. It takes minutes on a software adapter, and needs a quiet machine there: other work at the same time changes the result. Sums may round differently afterwards.',
    )
    .addOption(new Option('--device <kind>', 'the kind of adapter').choices(['auto', 'gpu', 'software']).default('auto'))
    .option('--quick', 'two typical problems instead of eighteen')
    .option(
      '--problem <shape>',
      'instead, a problem of yours: rows × columns × rank [× restarts], such as 87x90x9x8; repeatable',
      parseProblem,
    )
    .option('--forget', 'remove the choices kept for this adapter')
    .option('--json', 'print the tuning as JSON, and nothing else, on standard output')
    .addHelpText(
      'after',
      `
Examples:
  orthant tune --quick                      # the two problems alone
  orthant tune --problem 5000x800x20        # for the data at hand; what was measured before stays
  orthant devices --plan                    # what is used now, beside the default
  orthant tune --forget`,
    )
    .action((options: Options) => (options.forget ? forget(io, options) : tune(io, options)));
}

async function tune(io: Io, options: Options): Promise<void> {
  const { stdout, env, signal } = io;
  if (options.quick && options.problem) throw new InputError('--quick and --problem each choose the problems to time; give one of them.');
  const engine = await createEngine({ prefer: options.device });
  const bar = progressBar(io);
  try {
    const problems = options.problem ?? (options.quick ? quickProblems : undefined);
    const repeats = options.quick ? 3 : 5;
    const measured = await untilAborted(engine.tune({ problems, repeats, signal, onProgress: bar.update }), signal);
    const before = (await findTuning(engine.description, env))?.tuning;
    const path = await storeTuning(mergeTunings(before, measured), env);
    bar.stop();
    if (options.json) stdout.write(toJson({ path, tuning: measured }));
    else stdout.print(report(measured, path));
  } finally {
    bar.stop();
    if (!signal.aborted) engine.dispose();
  }
}

function report({ adapter, clock, entries }: Tuning, path: string): string[] {
  const changed = entries.filter(({ chosen, default: untuned }) => choiceText(chosen) !== choiceText(untuned)).length;
  return [
    `${adapter}, by ${clock === 'timestamps' ? 'its own clock' : 'the wall clock'}`,
    '',
    ...tuningTable(entries),
    '',
    `${changed} of ${entries.length} classes have a faster kernel than the default; a class holds all sizes up to those shown.`,
    `Kept in ${path}; the other commands use it from now on. orthant tune --forget removes it.`,
  ];
}

/** One line a class: the untuned choice, the one that was measured to be faster, and by how much. */
export function tuningTable(entries: readonly TuningEntry[]): string[] {
  const rows = entries.map(({ class: name, chosen, default: untuned, ms }) => {
    const [product, sizes] = splitClass(name);
    const [before, after] = [choiceText(untuned), choiceText(chosen)];
    if (before === after) return [product, sizes, before, '–', ''];
    const gain = ms[before] === undefined ? 'wrong before' : `${(ms[before] / ms[after]).toFixed(2)}×`;
    return [product, sizes, before, after, gain];
  });
  return alignColumns([['product', 'sizes up to', 'default', 'tuned', 'gain'], ...rows], ['left', 'left', 'left', 'left', 'right']);
}

/** "AᵀB 16×256×16 ×8" → the product and its sizes. */
export function splitClass(name: string): [product: string, sizes: string] {
  const at = name.indexOf(' ');
  return [name.slice(0, at), name.slice(at + 1)];
}

async function forget({ stdout, env }: Io, { device, json }: Options): Promise<void> {
  const dawn = await requestDawnAdapter({ prefer: device });
  const adapter = describeAdapter(dawn.adapter.info);
  dawn.release();
  const removed = await forgetTuning(adapter, env);
  if (json) stdout.write(toJson({ adapter, removed }));
  else stdout.print([removed.length > 0 ? `Removed ${removed.join(', ')}.` : `Nothing was kept for ${adapter}.`]);
}

function progressBar({ stderr }: Io): { update(progress: TuneProgress): void; stop(): void } {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar({
    stream: stderr.stream,
    format: 'timing {bar} {value} of {total}: {class}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  let running = true;
  bar.start(1, 0, { class: 'compiling' });
  return {
    update({ done, of, entry }) {
      bar.setTotal(of);
      bar.update(done, { class: entry.class });
    },
    stop() {
      if (running) bar.stop();
      running = false;
    },
  };
}
