/** Fits one after another, each with pause, resume and stop. */
import { CancelledError, type Engine, type FitOptions, type Matrix, type Progress } from 'orthant';
import { openEngine } from './device.js';

/** A check, as the page shows it. */
export interface Check {
  stage: string;
  /** Of the stage, and of all stages. */
  iteration: number;
  maxIterations: number;
  totalIterations: number;
  relativeError: number;
  /** Without the time in which the fit was paused. */
  elapsedMs: number;
  /** Iterations a second, over the last two seconds. */
  perSecond: number | null;
  /** Devices that were lost on the way; after each the fit goes on from its last checkpoint. */
  lostDevices: number;
}

export type FitEvent =
  | { kind: 'waiting' }
  | { kind: 'started' }
  | { kind: 'check'; check: Check }
  | { kind: 'done'; part: number; text: string };

export interface Factors {
  A: Matrix[];
  S: Matrix[];
}

/** What a fit shows on its way. */
export interface Watching {
  /** Names the fit, for `pause`, `resume` and `stop`. */
  id: number;
  hear: (event: FitEvent) => void;
  /** Called with the factors of the best restart, no more often than every 200 ms. */
  draw?: (factors: Factors, check: Check) => void | Promise<void>;
}

const drawingEveryMs = 200;
const checksEveryMs = 50;

/** The fit at work. */
interface Running {
  id: number;
  stopped: boolean;
  /** For what ends by a signal alone, such as a survey. */
  ending: AbortController;
  pausedMs: number;
}

let running: Running | undefined;
/** The end of the last fit that was filed. */
let last: Promise<unknown> = Promise.resolve();

/** Fits that were stopped before they began. */
const withdrawn = new Set<number>();

/** What those that wait do when they are withdrawn. */
const waiting = new Map<number, () => void>();

/** Where paused fits wait, whether they run yet or not, and between the fits of a table, which have one number. */
const gates = new Map<number, { opened: Promise<void>; open: () => void }>();

/** Holds a fit at its next check. */
export function pause(id: number): void {
  if (gates.has(id)) return;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  gates.set(id, { opened, open });
}

export function resume(id: number): void {
  gates.get(id)?.open();
  gates.delete(id);
}

/** Ends a fit at its next check: its promise resolves with the factors that it has then. One that waits is withdrawn at once. */
export function stop(id: number): void {
  if (running?.id === id) {
    running.stopped = true;
    running.ending.abort();
  } else {
    withdrawn.add(id);
    waiting.get(id)?.();
  }
  resume(id);
}

/**
 * Runs a fit when those before it have ended. `learn` gets the engine, the options that belong to every fit here, and a signal of `stop` for
 * what returns nothing before its end. The device is one batch ahead of a check, so a paused fit rests after that batch.
 */
export function runFit<T>(learn: (engine: Engine, hooks: FitOptions, stopped: AbortSignal) => Promise<T>, watching: Watching): Promise<T> {
  const { id, hear } = watching;
  const cancelled = () => new CancelledError('The fit was withdrawn before it began.');
  if (running) hear({ kind: 'waiting' });
  const withdrawal = new Promise<never>((_, reject) => {
    waiting.set(id, () => reject(cancelled()));
  });
  const mine = last
    .catch(() => {}) // its own caller hears of it
    .then(async () => {
      waiting.delete(id);
      if (withdrawn.delete(id)) throw cancelled();
      const state: Running = { id, stopped: false, ending: new AbortController(), pausedMs: 0 };
      running = state;
      hear({ kind: 'started' });
      const { onProgress, tellLast } = watcher(state, watching);
      try {
        const learned = await learn(await openEngine(), { onProgress }, state.ending.signal);
        tellLast((learned as { iterations?: number } | undefined)?.iterations);
        return learned;
      } finally {
        running = undefined;
      }
    });
  last = mine;
  return Promise.race([mine, withdrawal]);
}

/** Tells the page of checks, at the end of the iterations that the result has, and draws when the last drawing has been made and is old enough. */
function watcher(
  state: Running,
  { hear, draw }: Watching,
): { onProgress: (progress: Progress) => Promise<boolean>; tellLast: (iterations?: number) => void } {
  const recent: { totalIterations: number; elapsedMs: number }[] = [];
  let toldAt = Number.NEGATIVE_INFINITY;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawing = false;
  let last: Check | undefined;
  const onProgress = async (progress: Progress) => {
    const { stage, iteration, maxIterations, totalIterations, relativeError, lostDevices } = progress;
    const elapsedMs = progress.elapsedMs - state.pausedMs;
    recent.push({ totalIterations, elapsedMs });
    while (recent.length > 2 && elapsedMs - recent[0].elapsedMs > 2000) recent.shift();
    const [since] = recent;
    const perSecond =
      elapsedMs > since.elapsedMs ? (1000 * (totalIterations - since.totalIterations)) / (elapsedMs - since.elapsedMs) : null;
    const check = { stage, iteration, maxIterations, totalIterations, relativeError, elapsedMs, perSecond, lostDevices };
    const now = performance.now();
    const gate = gates.get(state.id);
    last = check;
    if (now - toldAt >= checksEveryMs || gate) {
      toldAt = now;
      hear({ kind: 'check', check });
    }
    if (draw && !drawing && now - drawnAt >= drawingEveryMs) {
      drawing = true;
      drawnAt = now;
      void progress
        .factors()
        .then((factors) => draw(factors, check))
        .catch(() => {}) // the fit ended meanwhile, or failed and says so itself
        .finally(() => {
          drawing = false;
        });
    }
    if (gate) {
      const from = performance.now();
      await gate.opened;
      state.pausedMs += performance.now() - from;
    }
    return !state.stopped;
  };
  const tellLast = (iterations?: number) =>
    last && hear({ kind: 'check', check: { ...last, totalIterations: iterations ?? last.totalIterations } });
  return { onProgress, tellLast };
}
