/** Names of temporary files and folders, which tell a later run whether anybody will still finish them. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fnv1a } from '../data/hash.js';

const machine = fnv1a(os.hostname()).toString(16);
const pattern = /^\.orthant-([0-9a-f]+)-(\d+)-[0-9a-f]{8}$/;

/** Nothing temporary is needed for so long, not even a download on a slow line. */
const longestMs = 86_400_000;

/** A new name for a temporary file or folder of this process: of the machine, the process and chance. */
export function temporaryName(): string {
  return `.orthant-${machine}-${process.pid}-${randomBytes(4).toString('hex')}`;
}

/**
 * Whether the process that `temporaryName` named has ended. `since` is the time of the last change, in milliseconds since 1970. Of processes
 * of other machines (containers that share a folder, say) nothing is known but that a day is too long.
 */
export function isAbandoned(name: string, since: number): boolean {
  const [, host, pid] = pattern.exec(name) ?? [];
  if (pid === undefined) return false;
  if (host !== machine) return Date.now() - since > longestMs;
  // In a container every run may have the same number; then this one is younger than what an earlier one left.
  if (Number(pid) === process.pid) return since < Date.now() - 1000 * process.uptime() - 1000;
  return hasEnded(Number(pid));
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 asks only whether it is there
    // One that was killed stays there, as a zombie, until its parent asks for its status.
    return /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // another error: no /proc, or a process of another user
  }
}

/** Removes temporary files and folders that ended runs left in `folder`. It does what it can, and never throws. */
export async function removeAbandoned(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => pattern.test(name));
  await Promise.all(
    names.map(async (name) => {
      const found = await stat(path.join(folder, name)).catch(() => undefined);
      if (found && isAbandoned(name, found.mtimeMs)) await rm(path.join(folder, name), { recursive: true, force: true }).catch(() => {});
    }),
  );
}
