import type { Engine } from '../src/engine.js';
import { interquartileRange, median, pairedRatios, type Row } from './rows.js';

/** How a suite measures, and who hears of it. */
export interface Settings {
  repeats: number;
  /** Fewer cases, shorter repeats. */
  quick: boolean;
  /** One line for people who wait. */
  progress(line: string): void;
}

/** The interface of the suites to their runner, in the page or in Node. */
export interface Bench extends Settings {
  engine: Engine;
  /** The device of `engine`, for kernels of the benchmark's own. */
  device: GPUDevice;
  /** Another device of the same adapter, with nothing on it; the caller destroys it. */
  freshDevice(): Promise<GPUDevice>;
  browser: boolean;
  /** A line that stays: the cases that were left out, and why. */
  warn(line: string): void;
}

/** One of the things that are timed against each other. */
export interface Subject {
  /** `orthant`, or the package name of a peer. */
  subject: string;
  case: string;
  /** Units of work (iterations) in one repeat; rows tell the time of one. */
  units: number;
  /** Takes part in the first repeats only, when one takes long. */
  repeats?: number;
  /** Puts the start back and waits until that is done: every repeat does the same work. Not timed. */
  reset(): Promise<void>;
  /** One repeat, over when the device is done. */
  run(): Promise<void>;
}

/** Enough for a median with quartiles; a subject that takes long gets no more. */
export const fewestRepeats = 7;

/**
 * Milliseconds a unit of each subject in each repeat. Subjects take turns within a repeat and swap order from one to the next, so that
 * whatever else the machine does hits all of them alike: ratios hold where times do not.
 */
export async function interleave(subjects: readonly Subject[], { repeats, quick, progress }: Settings): Promise<number[][]> {
  const times = subjects.map((): number[] => []);
  const warmUps = quick ? 1 : 2;
  for (let repeat = -warmUps; repeat < repeats; repeat++) {
    progress(repeat < 0 ? `warm-up ${repeat + warmUps + 1} of ${warmUps}` : `repeat ${repeat + 1} of ${repeats}`);
    const order = subjects.map((_, i) => (repeat % 2 === 0 ? i : subjects.length - 1 - i));
    for (const i of order) {
      const one = subjects[i];
      if (repeat < 0 ? one.repeats !== undefined : repeat >= (one.repeats ?? repeats)) continue;
      await one.reset();
      const took = await milliseconds(one.run);
      if (repeat >= 0) times[i].push(took / one.units);
    }
  }
  return times;
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * How many units make a repeat long enough for the clock, about 60 ms in quick runs, 250 ms else, and long enough for the wait at its
 * end to be a small part: in Node an answer of the device may take ten milliseconds. `run` has run before.
 */
export async function unitsFor(run: (units: number) => Promise<unknown>, { quick }: Settings, most = 100): Promise<number> {
  const wait = Math.min(await milliseconds(() => run(0)), await milliseconds(() => run(0)));
  const target = Math.max(quick ? 60 : 250, 8 * wait);
  let units = 1;
  for (;;) {
    const took = Math.max(0, (await milliseconds(() => run(units))) - wait);
    if (took >= target / 4 || units >= most) return Math.max(1, Math.min(most, Math.round((units * target) / Math.max(took, 1e-3))));
    units = Math.min(most, units * 4);
  }
}

export function rowOf(suite: string, subject: Subject, times: readonly number[], verdict: Pick<Row, 'checked' | 'note' | 'figures'>): Row {
  return {
    suite,
    case: subject.case,
    subject: subject.subject,
    medianMs: rounded(median(times)),
    iqrMs: rounded(interquartileRange(times)),
    repeats: times.length,
    ...verdict,
  };
}

/** Rounds to the digits that a clock can know, so that results files are readable. */
export function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

/** The time from nothing prepared to the first result: compiling, allocating, writing the data, one iteration. It happens only once. */
export function firstRunRow(suite: string, { subject, case: name }: Pick<Subject, 'subject' | 'case'>, ms: number): Row {
  return {
    suite,
    case: `${name}, first run`,
    subject,
    medianMs: rounded(ms),
    iqrMs: 0,
    repeats: 1,
    checked: false,
    note: 'compile, allocate, write, 1 iteration',
  };
}

/** The median over repeats of the other's time by ours: above 1 where we are faster. */
export function pairedRatio(ours: readonly number[], others: readonly number[]): number {
  return pairedRatios(ours, others)[1];
}

/** A row's ratio to orthant, in words and as figures. */
export function ratioTo(ours: readonly number[], others: readonly number[]): { words: string; ratio: [number, number, number] } {
  const ratio = pairedRatios(ours, others).map(rounded) as [number, number, number];
  const [low, middle, high] = ratio.map((value) => value.toPrecision(3));
  return { words: `${middle} × the time of orthant (${low}–${high})`, ratio };
}

/** Largest difference between entries, relative to the largest expected magnitude; NaN counts as infinitely far. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst === 0 ? 0 : worst / largest;
}

export function checkNote(differences: readonly number[], tolerance: number, after: string): Pick<Row, 'checked' | 'note'> {
  const worst = Math.max(...differences);
  return { checked: worst <= tolerance, note: `off the f64 reference by ${worst.toExponential(1)} ${after} (tolerance ${tolerance})` };
}
