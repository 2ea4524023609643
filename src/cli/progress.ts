import { SingleBar } from 'cli-progress';
import type { Progress } from '../methods/factorization.js';
import type { OnlineProgress } from '../methods/online.js';
import type { RankProgress } from '../ranks/survey.js';
import type { Io } from './io.js';
import { columnsOf } from './text-width.js';

export interface ProgressLine {
  update(progress: Progress): void;
  /** Takes the line away. */
  stop(): void;
}

/** A line on standard error that shows how the fit is going; nothing where standard error is not a terminal. */
export function progressLine({ stderr }: Io, limits: { maxSeconds?: number } = {}): ProgressLine {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  let latest: Reached | undefined;
  let first: Reached | undefined;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const bar = new SingleBar({
    stream: stderr.stream,
    // A function, for the seconds to go on between two checks.
    format: () => printProgress({ first, latest, seconds: seconds(), ...limits }, stderr.columns ?? 80),
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  bar.start(1, 0);
  return {
    update(progress) {
      const { stage, iteration, maxIterations, relativeError } = progress;
      const reached = { stage, iteration, maxIterations, relativeError, seconds: seconds() };
      // A stage that was resumed, or goes on after a lost device, starts anywhere.
      if (latest?.stage !== stage || iteration < latest.iteration) {
        bar.setTotal(maxIterations);
        first = reached;
      }
      latest = reached;
      bar.update(iteration);
    },
    stop: () => bar.stop(),
  };
}

/** A line on standard error that counts the fits of a study and names the next one; nothing where standard error is not a terminal. */
export function fitsLine<Next>(
  { stderr }: Io,
  wordsFor: (next: Next) => string,
): { update(done: number, total: number, next?: Next): void; stop(): void } {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  let latest = 'starting';
  const bar = new SingleBar({
    stream: stderr.stream,
    format: (_options, { startTime, value, total }) => {
      const seconds = (Date.now() - startTime) / 1000;
      const left = value > 0 ? `, ${timeText((seconds / value) * (total - value))} left` : '';
      return `${latest}, ${seconds.toFixed(0)} s${left}`;
    },
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  bar.start(1, 0);
  return {
    update(done, total, next) {
      if (done === 0) bar.setTotal(total);
      const width = 20;
      const filled = Math.round((width * done) / total);
      const count = `${done} of ${total} fits`;
      const line = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${count}`;
      const columns = stderr.columns ?? 80;
      latest = columns > 100 ? `${line}${next ? `, ${wordsFor(next)}` : ''}` : columns > 60 ? line : count;
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}

/** A line on standard error that shows how far an online fit has come; nothing where standard error is not a terminal. */
export function columnsLine(
  { stderr }: Io,
  { passes, cols }: { passes: number; cols?: number },
): { update(progress: OnlineProgress): void; stop(): void } {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  let latest: OnlineProgress | undefined;
  const started = performance.now();
  const bar = new SingleBar({
    stream: stderr.stream,
    format: () => printColumns({ latest, passes, cols, seconds: (performance.now() - started) / 1000 }, stderr.columns ?? 80),
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  bar.start(1, 0);
  return {
    update(progress) {
      latest = progress;
      bar.update(0);
    },
    stop: () => bar.stop(),
  };
}

interface ColumnsProgress {
  latest?: OnlineProgress;
  passes: number;
  /** Columns of a pass, where their number is known. */
  cols?: number;
  seconds: number;
}

/** The line of an online fit, in as much detail as so many columns of a terminal hold. The time left is that of all passes. */
export function printColumns({ latest, passes, cols, seconds }: ColumnsProgress, width: number): string {
  const time = `${seconds.toFixed(0)} s`;
  if (latest === undefined) return `starting, ${time}`;
  const { pass, batch, columns, relativeError, elapsedMs } = latest;
  const done = cols === undefined ? 0 : (pass - 1) * cols + columns;
  const rest =
    cols === undefined || done === 0 ? '' : `, ${timeText(((elapsedMs / 1000) * Math.max(0, passes * cols - done)) / done)} left`;
  const which = passes === 1 ? '' : `pass ${pass} of ${passes}: `;
  const count = `${columns}${cols === undefined ? '' : ` of ${cols}`} samples`;
  const error = `error ${relativeError.toFixed(5)}`;
  const lines = [
    `${which}${count}, batch ${batch}, ${error}, ${time}${rest}`,
    `${which}${count}, ${error}${rest}`,
    `${which}${count}${rest}`,
  ];
  return lines.find((line) => columnsOf(line) < width) ?? `${pass}: ${columns}`;
}

/** A line on standard error that counts the batches of a survey of ranks; nothing where standard error is not a terminal. */
export function batchesLine({ stderr }: Io): { update(progress: RankProgress): void; stop(): void } {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  const bar = new SingleBar({
    stream: stderr.stream,
    format: '{bar} {value} of {total} batches{left}: rank {rank}',
    barsize: 20,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  const from = performance.now();
  bar.start(1, 0, { rank: 'of the first batch', left: '' });
  return {
    update({ done, of, rank }) {
      bar.setTotal(of);
      bar.update(done, { rank, left: `, ${timeText(((performance.now() - from) / 1000 / done) * (of - done))} left` });
    },
    stop: () => bar.stop(),
  };
}

/** A check of a fit, and when it came. */
export interface Reached extends Pick<Progress, 'stage' | 'iteration' | 'maxIterations' | 'relativeError'> {
  /** Since the start. */
  seconds: number;
}

export interface FitProgress {
  /** The first check of this stage. */
  first?: Reached;
  latest?: Reached;
  /** Since the start. */
  seconds: number;
  /** The most that the fit may take. */
  maxSeconds?: number;
}

/**
 * The line of a fit, in as much detail as so many columns hold. The rate is that of the stage so far; the time left is up to the most
 * iterations of the stage, or the most seconds of the fit: the tolerance may end it before.
 */
export function printProgress({ first, latest, seconds, maxSeconds = Number.POSITIVE_INFINITY }: FitProgress, columns: number): string {
  const time = `${seconds.toFixed(0)} s`;
  if (first === undefined || latest === undefined) return `starting, ${time}`;
  const { stage, iteration, maxIterations, relativeError } = latest;
  const rate = (iteration - first.iteration) / (latest.seconds - first.seconds);
  const known = rate > 0 && rate < Number.POSITIVE_INFINITY;
  const left = Math.max(0, Math.min(latest.seconds + (maxIterations - iteration) / rate, maxSeconds) - seconds);
  const speed = known ? `, ${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)} it/s` : '';
  const rest = known ? `, ${timeText(left)} left` : '';
  const width = 20;
  const done = Math.round((width * iteration) / maxIterations);
  const bar = '█'.repeat(done) + '░'.repeat(width - done);
  const error = `error ${relativeError.toFixed(5)}`;
  const lines = [
    `${stage} ${bar} iteration ${iteration} of ${maxIterations}, ${error}, ${time}${speed}${rest}`,
    `${stage} ${bar} ${iteration} of ${maxIterations}, ${error}${speed}${rest}`,
    `${stage}: ${iteration} of ${maxIterations}, ${error}${speed}${rest}`,
    `${iteration} of ${maxIterations}, ${error}${rest}`,
    `${iteration} of ${maxIterations}${rest}`,
  ];
  return lines.find((line) => columnsOf(line) < columns) ?? `${iteration}/${maxIterations}`;
}

/** "about 40 s", "about 3 min", "about 5 h". */
export function timeText(seconds: number): string {
  if (seconds < 100) return `about ${Math.ceil(seconds)} s`;
  if (seconds < 6000) return `about ${Math.round(seconds / 60)} min`;
  return `about ${Math.round(seconds / 3600)} h`;
}
