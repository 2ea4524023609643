/** In a process of its own, for what is tested is that it does not crash. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a process survives engines that are disposed in the middle of a fit, whatever is collected meanwhile', async () => {
  const script = fileURLToPath(new URL('collected.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  expect(stdout).toBe('eight engines\n');
});
