import { CancelledError } from '../errors.js';

/** A stream to print on: `process.stdout`, or what a test put in its place. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** All that a command touches of the process. */
export interface Io {
  stdout: Output;
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    // The reader may leave early (`orthant … | head -1`): that is no failure of ours.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const interrupted = new AbortController();
  // Once: a second Ctrl-C meets the system's own handler, which ends the process on the spot.
  process.once('SIGINT', () => interrupted.abort());
  return { stdout: process.stdout, stderr: process.stderr, env: process.env, signal: interrupted.signal };
}

/** The result of `work`, or CancelledError as soon as the signal is aborted, without waiting for what is still running. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let cancel = () => {};
  const aborted = new Promise<never>((_, reject) => {
    cancel = () => reject(new CancelledError('Interrupted.'));
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
