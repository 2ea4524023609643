/** The real command in a process of its own: what only shows there. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { build } from '../support/build.js';
import { type CliResult, lowRankCsv, workFolder } from '../support/cli.js';

const command = fileURLToPath(new URL('../../bin/orthant.mjs', import.meta.url));
const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
const { at, put } = workFolder();
const matrixFile = put('m.csv', lowRankCsv(10, 5, 2));

/** In a group of its own, to which a signal goes as from a terminal. A status of -1 is an end by a signal. */
async function orthant(argv: string[], act?: (child: ChildProcess) => void, env: Record<string, string> = {}): Promise<CliResult> {
  await build();
  const child = spawn(process.execPath, [command, ...argv], { env: { ...process.env, ...env }, detached: true });
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
    expect(readdirSync(at('out')).sort()).toEqual(['A0.npy', 'S0.npy', 'factors.safetensors', 'model.json']);
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
    const argv = ['fit', matrixFile, '--ranks', '2'];
    const { status, stdout, stderr } = await orthant(argv, undefined, { VK_DRIVER_FILES: at('none.json') });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^orthant: No WebGPU adapter was found: .*VK_DRIVER_FILES.*\n$/);
    // The loader and Dawn say it too, in lines of their own.
    const debug = await orthant(argv, undefined, { VK_DRIVER_FILES: at('none.json'), ORTHANT_DEBUG: '1' });
    expect(debug.stderr).toContain(at('none.json'));
    expect(debug.stderr.split('\northant: ')[0]).toMatch(/^Warning: /m);
  });

  test('a closed standard output is no failure', async () => {
    const { status, stderr } = await orthant(['fit', matrixFile, '--ranks', '2', '--device', 'cpu'], (child) => child.stdout?.destroy());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  const onLinux = process.platform === 'linux' ? test : () => {}; // elsewhere there is no /dev/full and perhaps no mkfifo

  onLinux('a full standard output is one sentence and 1, in one process and in two', async () => {
    await build();
    const full = openSync('/dev/full', 'w');
    for (const argv of [['--help'], ['fit', matrixFile, '--ranks', '2', '--max-iterations', '3']]) {
      const { status, stderr } = spawnSync(process.execPath, [command, ...argv], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: 'orthant: Standard output cannot be written: the disk is full; free some space there.\n',
      });
    }
    // With nobody left to be told, the status still tells.
    const missing = ['fit', at('none.csv'), '--ranks', '2'];
    expect(spawnSync(process.execPath, [command, ...missing], { stdio: ['ignore', full, full] }).status).toBe(2);
    closeSync(full);
  });

  onLinux('a FIFO is refused, not waited for', async () => {
    mkdirSync(at('corpus'));
    for (const name of ['fifo.csv', 'corpus/fifo.txt']) expect(spawnSync('mkfifo', [at(name)]).status).toBe(0);
    for (const argv of [
      ['topics', at('corpus'), '--ranks', '1'],
      ['fit', at('fifo.csv'), '--ranks', '1'],
      ['fit', matrixFile, '--ranks', '1', '--out', at('fifo.csv')],
      ['predict', at('fifo.csv'), matrixFile],
    ]) {
      const { status, stdout, stderr } = await orthant([...argv, '--device', 'cpu']);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/^orthant: .* is a FIFO.*\n$/);
    }
  });

  describe('signals', () => {
    const endless = ['topics', 'sotu', '--ranks', '20,8,3', '--max-iterations', '100000', '--tolerance', '0', '--out', at('stopped')];

    /** Runs a fit of hours; `act` comes once its first line is there, or a while after that. */
    async function endlessFit(act: (pid: number) => void, env: Record<string, string> = {}, afterMs = 0): Promise<CliResult> {
      const start = (child: ChildProcess) => child.stdout?.once('data', () => setTimeout(() => act(child.pid!), afterMs));
      const result = await orthant(endless, start, env);
      expect(result.stdout).toMatch(/^sotu: 233 documents/);
      return result;
    }

    test.each([
      ['to the command', 0, (pid: number) => process.kill(pid, 'SIGINT')],
      ['from a terminal, to all its processes', 0, (pid: number) => process.kill(-pid, 'SIGINT')],
      ['in the middle of a fit', 1500, (pid: number) => process.kill(-pid, 'SIGINT')],
    ])('Ctrl-C %s: 130, with what there is', async (_, afterMs, act) => {
      const { status, stderr } = await endlessFit(act, {}, afterMs);
      expect(status).toBe(130);
      expect(stderr).toMatch(/^orthant: Ctrl-C ended the fit after \d+ iterations\. .*stopped holds what it had reached\.\n$/);
      expect(existsSync(at('stopped/model.json'))).toBe(true);
      rmSync(at('stopped'), { recursive: true });
    });

    test.each(['SIGTERM', 'SIGKILL'] as const)('%s ends all of it, without a word', async (signal) => {
      // Its end is seen when nobody holds its standard output any more.
      expect(await endlessFit((pid) => process.kill(pid, signal))).toMatchObject({ status: -1, stderr: '' });
      expect(existsSync(at('stopped'))).toBe(false);
    });
  });

  test('what breaks down in native code says so, with the last lines of that code', async () => {
    const breaks = put(
      'breaks.mjs',
      "import { writeSync } from 'node:fs';\nwriteSync(2, 'driver: oh no\\n');\nif (process.send) process.kill(process.pid, 'SIGSEGV');\n",
    );
    const { status, stdout, stderr } = await orthant(['fit', matrixFile, '--ranks', '2'], undefined, {
      NODE_OPTIONS: `--import=${breaks}`,
    });
    // The launching process loads it too, and its lines are its own.
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe('driver: oh no\northant: The process was ended by SIGSEGV. Native code said last:\ndriver: oh no\n');
  });
});
