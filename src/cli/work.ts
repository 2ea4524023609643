/** The process that does the work of a command for launch.ts, with its standard error at descriptor 3. */
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import tty from 'node:tty';
import { visible } from './io.js';
import { endWith } from './launch.js';
import { explain, main } from './main.js';

const given = 3;
Object.defineProperty(process, 'stderr', { value: tty.isatty(given) ? new tty.WriteStream(given) : plain(given) });
process.on('uncaughtException', (error) => {
  process.stderr.write(visible(`orthant: ${explain(error, false)}\n`));
  process.exit(1);
});
// One Ctrl-C arrives twice, from the terminal and from launch.ts, which also sees to a second one. It must not meet the system's handler.
process.on('SIGINT', () => {});
// Without the process that was started, nobody waits for the result.
process.on('disconnect', () => process.exit(1));
process.channel?.unref();

endWith(await main(process.argv.slice(2)));

/** Writes at once, as Node's own standard error does: nothing is lost at `process.exit`. */
function plain(descriptor: number): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      try {
        for (let from = 0; from < chunk.length; ) from += writeOrWait(descriptor, chunk, from);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** How many bytes were written: none while a reader that is slow leaves no room. */
function writeOrWait(descriptor: number, chunk: Buffer, from: number): number {
  try {
    return writeSync(descriptor, chunk, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    return 0;
  }
}
