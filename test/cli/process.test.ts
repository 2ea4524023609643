/** The real command in a process of its own: what only shows there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { build } from '../support/build.js';
import { type CliResult, lowRankCsv, workFolder } from '../support/cli.js';

const command = fileURLToPath(new URL('../../bin/orthant.mjs', import.meta.url));
const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
const { at, put } = workFolder();
const matrixFile = put('m.csv', lowRankCsv(10, 5, 2));

async function orthant(argv: string[], act?: (child: ChildProcess) => void, env: Record<string, string> = {}): Promise<CliResult> {
  await build();
  const child = spawn(process.execPath, [command, ...argv], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  act?.(child);
  const status = await new Promise<number>((resolve) => child.on('close', (code, signal) => resolve(code ?? (signal ? -1 : -2))));
  return { status, stdout, stderr };
}

describe('bin/orthant.mjs', () => {
  test('--version and --help', async () => {
    expect(await orthant(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    const { status, stdout } = await orthant(['fit', '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: orthant fit.*Examples:/s);
  });

  test('fits on the adapter of this machine and ends by itself', async () => {
    const { status, stdout, stderr } = await orthant(['fit', matrixFile, '--ranks', '2', '--json', '--out', at('out')]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ method: 'neural', device: { kind: 'webgpu' } });
    expect(readdirSync(at('out')).sort()).toEqual(['A0.npy', 'S0.npy', 'model.json']);
  });

  test('devices lists adapters and marks the one that is used', async () => {
    const { status, stdout, stderr } = await orthant(['devices', '--json']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { adapters } = JSON.parse(stdout) as { adapters: { used: boolean; software: boolean; description: string; limits: object }[] };
    expect(adapters.filter(({ used }) => used)).toHaveLength(1);
    const lines = (await orthant(['devices'])).stdout;
    expect(lines).toMatch(/^→ .*\n/m);
    // Where there is nothing but SwiftShader, how to get an adapter that is faster.
    const slow = process.platform === 'linux' && adapters.every(({ description }) => description.includes('SwiftShader'));
    expect(/^Mesa’s .*apt install mesa-vulkan-drivers/m.test(lines)).toBe(slow);
  });

  test('no adapter is a failure: 1, and says what to do', async () => {
    const { status, stdout, stderr } = await orthant(['fit', matrixFile, '--ranks', '2'], undefined, { VK_DRIVER_FILES: at('none.json') });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^orthant: No WebGPU adapter was found: .*VK_DRIVER_FILES/m);
  });

  test('a closed standard output is no failure', async () => {
    const { status, stderr } = await orthant(['fit', matrixFile, '--ranks', '2', '--device', 'cpu'], (child) => child.stdout?.destroy());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('Ctrl-C: 130 at once, without a word and without files', async () => {
    const argv = ['topics', 'sotu', '--ranks', '20,8,3', '--max-iterations', '100000', '--tolerance', '0', '--out', at('stopped')];
    let pressed = 0;
    const { status, stdout, stderr } = await orthant(argv, (child) => {
      child.stdout?.once('data', () =>
        setTimeout(() => {
          pressed = performance.now();
          child.kill('SIGINT');
        }, 1500),
      );
    });
    expect(performance.now() - pressed).toBeLessThan(5000);
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    expect(stdout).toMatch(/^sotu: 233 documents/);
    expect(existsSync(at('stopped'))).toBe(false);
  });
});
