/** `orthant work`: fits of sweeps that others have filed at a queue. */
import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../errors.js';
import { kindAt } from '../node/files.js';
import { connectQueue } from '../sweep/redis.js';
import { type WorkerEvent, workAt } from '../sweep/worker.js';
import { type DeviceChoice, deviceOption, parsePositive } from './arguments.js';
import type { Io } from './io.js';
import { version } from './run-fit.js';

/** The module of the process that runs fits. */
export const sweepChild = new URL('./sweep-child.js', import.meta.url);

interface WorkOptions {
  queue: string;
  dir?: string;
  lock: number;
  idle?: number;
  device: DeviceChoice;
}

const notes = `
Start as many as you like, on any number of machines; each runs one fit at a time. A worker takes jobs
of its own version of orthant alone. It verifies the data of a job by their hash; data that it cannot
find, or that are others, send the job back to the queue and end the worker.

Ctrl-C and SIGTERM give the job back. After a worker that was killed its job goes to another one, and the result
has the same bits. The queue needs: npm install bullmq ioredis, and Redis 6.2 or newer.

Examples:
  orthant work --queue redis://10.0.0.7:6379
  orthant work --queue redis://10.0.0.7:6379 --dir /mnt/data      data of sweeps with --shared
  orthant work --queue redis://10.0.0.7:6379 --idle 60            for a job of a cluster, which should end
`;

export function addWorkCommand(program: Command, io: Io): void {
  program
    .command('work')
    .summary('fits of sweeps that wait at a queue')
    .description('Takes fits of sweeps from a queue (orthant sweep --queue), one after the other, until Ctrl-C.')
    .requiredOption('--queue <url>', 'the Redis of the queue: redis://[user:password@]host[:port][/database]; rediss:// is encrypted')
    .option('--dir <dir>', 'the folder where the data of sweeps with --shared lie on this machine (default: the paths of the sweep)')
    .option('--lock <seconds>', 'a job of a worker that is gone waits so long for another one', parseLock, 30)
    .option('--idle <seconds>', 'end when there was no job for so long (default: never)', parsePositive)
    .addOption(deviceOption())
    .addHelpText('after', notes)
    .action((options: WorkOptions) => work(io, options));
}

function parseLock(text: string): number {
  const seconds = parsePositive(text);
  if (seconds < 1 || seconds > 3600) throw new InvalidArgumentError('It must be from 1 to 3600 seconds.');
  return seconds;
}

async function work(io: Io, { queue, dir, lock, idle, device }: WorkOptions): Promise<void> {
  if (dir !== undefined && (await kindAt(dir)) !== 'a directory')
    throw new InputError(`There is no folder '${dir}'; --dir names the one where the data lie on this machine.`, { option: 'dir' });
  const server = await connectQueue(queue);
  const { stdout, stderr, signal } = io;
  const onEvent = (event: WorkerEvent) => {
    if (event.type === 'note') stderr.print([`orthant: ${event.message}`]);
    else stdout.print([lineOf(event, server.shown)]);
  };
  const idleMs = idle === undefined ? undefined : 1000 * idle;
  const ending = new AbortController();
  const end = () => ending.abort();
  signal?.addEventListener('abort', end, { once: true });
  // So do clusters end their jobs, with some seconds to go.
  let terminated = false;
  const terminate = () => {
    terminated = true;
    end();
  };
  process.once('SIGTERM', terminate);
  try {
    const settings = { device };
    const lockMs = 1000 * lock;
    const { done, failed } = await workAt(server, {
      ...{ version, settings, entry: sweepChild, dir, lockMs, idleMs, onEvent },
      signal: ending.signal,
    });
    stdout.print([`No job for ${idle} s: the worker ends. ${done} fits done${failed > 0 ? `, ${failed} failed` : ''}.`]);
  } finally {
    signal?.removeEventListener('abort', end);
    process.off('SIGTERM', terminate);
    await server.close();
    if (terminated) {
      stderr.write('orthant: The worker was terminated; its job, if it had one, is back at the queue.\n');
      process.kill(process.pid, 'SIGTERM');
    }
  }
}

function lineOf(event: Exclude<WorkerEvent, { type: 'note' }>, shown: string): string {
  if (event.type === 'ready') return `A worker of orthant ${version} waits for fits at ${shown}; Ctrl-C ends it.`;
  if (event.type === 'failed') return `${event.name}: failed. ${event.message}`;
  if (event.type === 'let go') return `${event.name}: let go, its sweep is over or another worker has it.`;
  return event.type === 'begun' ? `${event.name}: begun.` : `${event.name}: done in ${((event.elapsedMs ?? 0) / 1000).toFixed(2)} s.`;
}
