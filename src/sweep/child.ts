/**
 * A process that runs jobs one after the other, seen from the one that starts it. Its device, and data that jobs have in common, are there
 * from the first job on. It can be killed at any moment: a model is written whole or not at all.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { JobProgress } from './job.js';
import type { ChildSettings, FromChild, JobResult, Task, ToChild } from './messages.js';
import { nameOf } from './plan.js';

export interface JobChild {
  /** The number of the process; undefined while there is none. */
  readonly pid: number | undefined;
  /**
   * Runs a job, in a new process where the last one has ended. Its failure is a result, also the death of the process. One job at a time.
   * `onProgress` is called a few times a second.
   */
  run(task: Task, onProgress?: (progress: JobProgress) => void): Promise<JobResult>;
  /** Ends the process on the spot, and the job with it. */
  kill(): Promise<void>;
  /** Ends the process, which has no job. */
  close(): Promise<void>;
}

/** Milliseconds that a process may take to end when it is told to. */
const longestEndMs = 5000;

/** How much of the last words of native code is kept. */
const longestWords = 1000;

/**
 * A child that has not started yet: its first job starts it. `entry` is a module that calls `serveJobs` (src/cli/sweep-child.ts).
 */
export function jobChild(entry: URL, settings: ChildSettings): JobChild {
  let current: Started | undefined;
  const started = () => {
    if (current === undefined || current.ended()) current = start(entry, settings);
    return current;
  };
  const end = async (how: (child: ChildProcess) => void) => {
    const ending = current;
    current = undefined;
    if (ending === undefined || ending.ended()) return;
    how(ending.process);
    await ending.end;
  };
  return {
    get pid() {
      return current?.ended() === false ? current.process.pid : undefined;
    },
    run: (task, onProgress) => runOn(started(), task, onProgress),
    kill: () => end((child) => child.kill('SIGKILL')),
    close: () =>
      end((child) => {
        // Not by disconnect(): after that Node does not tell when the pipes are closed.
        child.send({ type: 'end' } satisfies ToChild, () => {});
        const late = setTimeout(() => child.kill('SIGKILL'), longestEndMs);
        child.once('exit', () => clearTimeout(late));
      }),
  };
}

interface Started {
  process: ChildProcess;
  /** Resolves with why it has ended, in words. */
  end: Promise<string>;
  ended(): boolean;
}

function start(entry: URL, settings: ChildSettings): Started {
  // Native code writes to standard error past Node: it is heard only where it was the last word.
  const child = fork(fileURLToPath(entry), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-longestWords);
  });
  let over = false;
  const end = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => {
      over = true;
      resolve(`it could not be started (${message})`);
    });
    child.once('close', (status, signal) => {
      over = true;
      const words = said.trim().replaceAll(/\s+/g, ' ');
      resolve(`${signal ? `it was ended by ${signal}` : `it ended with the status ${status}`}${words ? `, and last said: ${words}` : ''}`);
    });
    // Between the end of a process and the closing of its pipes nothing can be sent to it either.
    child.once('exit', () => {
      over = true;
    });
  });
  return { process: child, end, ended: () => over };
}

function runOn({ process: child, end }: Started, task: Task, onProgress?: (progress: JobProgress) => void): Promise<JobResult> {
  return new Promise((resolve) => {
    const done = (result: JobResult) => {
      child.off('message', hear);
      resolve(result);
    };
    const hear = (message: FromChild) => {
      if (message.type === 'progress') onProgress?.(message.progress);
      else done(message.result);
    };
    child.on('message', hear);
    void end.then((why) => {
      const message = `The process of ${nameOf(task.job)} has ended before the fit: ${why}.`;
      done({ failure: { name: 'OrthantError', message, phase: 'death' } });
    });
    // A process that cannot be told has ended, or is about to: `end` says so.
    child.send({ type: 'run', task } satisfies ToChild, () => {});
  });
}
