/** `orthant tune`: measures, once an adapter, which kernels are fastest on it. */
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import type { Problem, TuneProgress, Tuning, TuningEntry } from '../engine.js';
import { InputError } from '../errors.js';
import { type AdapterPreference, requestDawnAdapter } from '../node/dawn.js';
import { createEngine } from '../node/engine.js';
import { findTuning, forgetTuning, storeTuning } from '../node/tuning-store.js';
import { describeAdapter } from '../webgpu/device/device.js';
import { choiceText } from '../webgpu/tune/choices.js';
import { quickProblems } from '../webgpu/tune/problems.js';
import { mergeTunings } from '../webgpu/tune/tuning.js';
import { parseFraction, parseProblem } from './arguments.js';
import { alignColumns } from './columns.js';
import { type Io, untilAborted } from './io.js';
import { timeText } from './progress.js';
import { toJson } from './run-fit.js';

interface Options {
  device: AdapterPreference;
  quick?: boolean;
  problem?: Problem[];
  density?: number;
  forget?: boolean;
  json?: boolean;
}

export function addTuneCommand(program: Command, io: Io): void {
  program
    .command('tune')
    .summary('measure which kernels are fastest on this adapter')
    .description(
      'Times the kernels for products, exact solves, sweeps of hals and products with a sparse X on this adapter, by classes of shapes. The fastest of each that is right is kept for the other commands (in $ORTHANT_CACHE or the user’s cache). Without it they use choices that are good as a rule. It takes minutes on a software adapter, and needs a quiet machine there: other work at the same time changes the result. Sums may round differently afterwards.',
    )
    .addOption(new Option('--device <kind>', 'the kind of adapter').choices(['auto', 'gpu', 'software']).default('auto'))
    .option('--quick', 'three typical problems instead of 21')
    .option(
      '--problem <shape>',
      'instead, a problem of yours: rows × columns × rank [× restarts], such as 87x90x9x8; repeatable',
      parseProblem,
    )
    .option('--density <share>', 'with --problem: X is sparse, and stores this share of its entries, such as 0.01', parseFraction)
    .option('--forget', 'remove the choices kept for this adapter')
    .option('--json', 'print the tuning as JSON, and nothing else, on standard output')
    .addHelpText(
      'after',
      `
Examples:
  orthant tune --quick                      # the three problems alone
  orthant tune --problem 5000x800x20        # for the data at hand; what was measured before stays
  orthant tune --problem 5000x800x20 --density 0.01
  orthant devices --plan                    # what is used now, beside the default
  orthant tune --forget

In the table "registers", "private" and "buffer" are solves and sweeps of a column by one
invocation, named by where it keeps its numbers; "group" is by a group of invocations. "by 64"
are workgroups of 64. A product that ends in its sweep has tiles of 4 or 8 lines; "apart" is
two dispatches.`,
    )
    .action((options: Options) => (options.forget ? forget(io, options) : tune(io, options)));
}

async function tune(io: Io, options: Options): Promise<void> {
  const { stdout, env, signal } = io;
  if (options.quick && options.problem) throw new InputError('--quick and --problem each choose the problems to time; give one of them.');
  if (options.density !== undefined && !options.problem)
    throw new InputError('--density says how sparse the X of --problem is; give --problem, too.');
  const engine = await createEngine({ prefer: options.device });
  const bar = progressBar(io);
  try {
    const { density } = options;
    const own = density === undefined ? options.problem : options.problem?.map((problem) => ({ ...problem, density }));
    const problems = own ?? (options.quick ? quickProblems : undefined);
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
  const changed = entries.filter((entry) => changeOf(entry).before !== changeOf(entry).after).length;
  return [
    `${adapter}, by ${clock === 'timestamps' ? 'its own clock' : 'the wall clock'}`,
    '',
    ...tuningTable(entries),
    '',
    `${changed} of ${entries.length} classes have a faster kernel than the default; a class holds all sizes up to those shown.`,
    `Kept in ${path}; the other commands use it from now on. orthant tune --forget removes it.`,
  ];
}

/** The texts of the untuned choice and of the one in use. */
export function changeOf(entry: TuningEntry): { before: string; after: string } {
  return { before: choiceText(entry.kind, entry.default), after: choiceText(entry.kind, entry.chosen) };
}

/** One line a class: the untuned choice, the one that was measured to be faster, and by how much. */
export function tuningTable(entries: readonly TuningEntry[]): string[] {
  const rows = entries.map((entry) => {
    const { before, after } = changeOf(entry);
    const [work, sizes] = splitClass(entry.class);
    if (before === after) return [work, sizes, before, '–', ''];
    const { ms } = entry;
    const gain = ms[before] === undefined ? 'wrong before' : `${(ms[before] / ms[after]).toFixed(2)}×`;
    return [work, sizes, before, after, gain];
  });
  return alignColumns([['work', 'sizes up to', 'default', 'tuned', 'gain'], ...rows], ['left', 'left', 'left', 'left', 'right']);
}

/** "AᵀB 16×256×16" → the work and its sizes. */
export function splitClass(name: string): [work: string, sizes: string] {
  const at = name.search(/ \d/);
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
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
    format: 'timing {bar} {value} of {total}{left}: {class}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  let running = true;
  bar.start(1, 0, { class: 'compiling', left: '' });
  const from = performance.now();
  return {
    update({ done, of, entry }) {
      bar.setTotal(of);
      bar.update(done, { class: entry.class, left: `, ${timeText(((performance.now() - from) / 1000 / done) * (of - done))} left` });
    },
    stop() {
      if (running) bar.stop();
      running = false;
    },
  };
}
