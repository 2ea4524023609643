import { interquartileRange, median, type Row } from './rows.js';

/** What the suites get from whoever runs them. */
export interface Settings {
  repeats: number;
  /** One line for people who wait. */
  progress(line: string): void;
}

/** One of the things that are timed against each other. */
export interface Subject {
  /** `orthant`, or the package name of a peer. */
  subject: string;
  case: string;
  /** Units of work (iterations) in one repeat; rows tell the time of one. */
  units: number;
  /** Puts the start back and waits until that is done: every repeat does the same work. Not timed. */
  reset(): Promise<void>;
  /** One repeat, over when the device is done. */
  run(): Promise<void>;
}

const warmUps = 2;

/**
 * Milliseconds a unit of each subject in each repeat. Subjects take turns within a repeat and swap order from one to the next, so that
 * whatever else the machine does hits all of them alike: ratios hold where times do not.
 */
export async function interleave(subjects: readonly Subject[], { repeats, progress }: Settings): Promise<number[][]> {
  const times = subjects.map((): number[] => []);
  for (let repeat = -warmUps; repeat < repeats; repeat++) {
    progress(repeat < 0 ? `warm-up ${repeat + warmUps + 1} of ${warmUps}` : `repeat ${repeat + 1} of ${repeats}`);
    const order = subjects.map((_, i) => (repeat % 2 === 0 ? i : subjects.length - 1 - i));
    for (const i of order) {
      await subjects[i].reset();
      const took = await milliseconds(subjects[i].run);
      if (repeat >= 0) times[i].push(took / subjects[i].units);
    }
  }
  return times;
}

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function rowOf(suite: string, subject: Subject, times: readonly number[], { checked, note }: Pick<Row, 'checked' | 'note'>): Row {
  return {
    suite,
    case: subject.case,
    subject: subject.subject,
    medianMs: rounded(median(times)),
    iqrMs: rounded(interquartileRange(times)),
    repeats: times.length,
    checked,
    note,
  };
}

/** What a clock can know, so that results files are readable. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

/** The time from nothing prepared to the first result: compiling, allocating, writing the data, one iteration. It happens only once. */
export function firstRunRow(suite: string, { subject, case: name }: Subject, ms: number): Row {
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

/** The median over repeats of the other's time by ours: above 1 where we are faster. Pairs ran next to each other. */
export function pairedRatio(ours: readonly number[], others: readonly number[]): number {
  return median(ours.map((time, i) => others[i] / time));
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
