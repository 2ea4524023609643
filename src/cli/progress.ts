import { SingleBar } from 'cli-progress';
import type { Progress } from '../methods/factorization.js';
import type { Io } from './io.js';

export interface ProgressLine {
  update(progress: Progress): void;
  /** Takes the line away. */
  stop(): void;
}

/** A line on standard error that shows how the fit is going; nothing where standard error is not a terminal. */
export function progressLine({ stderr }: Io): ProgressLine {
  if (!stderr.isTTY) return { update() {}, stop() {} };
  let latest: Progress | undefined;
  const bar = new SingleBar({
    stream: stderr.stream,
    // A function, for the seconds to go on between two checks.
    format: (_options, { startTime }) => printProgress(latest, Date.now() - startTime),
    clearOnComplete: true,
    gracefulExit: false, // Ctrl-C is ours
  });
  bar.start(1, 0);
  return {
    update(progress) {
      if (latest?.stage !== progress.stage) bar.setTotal(progress.maxIterations);
      latest = progress;
      bar.update(progress.iteration);
    },
    stop: () => bar.stop(),
  };
}

function printProgress(progress: Progress | undefined, elapsedMs: number): string {
  const time = `${(elapsedMs / 1000).toFixed(0)} s`;
  if (progress === undefined) return `starting, ${time}`;
  const { stage, iteration, maxIterations, relativeError } = progress;
  const width = 20;
  const done = Math.round((width * iteration) / maxIterations);
  const bar = '█'.repeat(done) + '░'.repeat(width - done);
  return `${stage} ${bar} iteration ${iteration} of ${maxIterations}, error ${relativeError.toFixed(5)}, ${time}`;
}
