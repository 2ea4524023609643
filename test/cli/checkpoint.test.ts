/** `--checkpoint`: a fit that was killed, stopped or ran out of time goes on to the bits of the fit that was not. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadModel } from '../../src/node/model-folder.js';
import { build } from '../support/build.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const command = fileURLToPath(new URL('../../bin/orthant.mjs', import.meta.url));
const { at, put } = workFolder();
const matrixFile = put('matrix.csv', lowRankCsv(30, 20, 4));
const orthant = (out: string, ...more: string[]) => [
  ...['fit', matrixFile, '--ranks', '4,2', '--device', 'cpu', '--tolerance', '0', '--max-iterations', '1500'],
  ...['--no-svd-bound', '--out', at(out), ...more],
];
const factors = (out: string) => ['A0', 'A1', 'S0', 'S1'].map((name) => readFileSync(at(`${out}/${name}.npy`)).toString('base64'));

test('after kill -9, Ctrl-C and --max-seconds', async () => {
  await build();
  expect((await runCli(orthant('whole'))).status).toBe(0);

  const killed = spawn(process.execPath, [command, ...orthant('parts', '--checkpoint', '0.05')], { stdio: 'ignore' });
  const ended = new Promise((resolve) => killed.once('close', resolve));
  while (!existsSync(at('parts/checkpoint')) && killed.exitCode === null) await pause(20);
  killed.kill('SIGKILL');
  await ended;
  expect(existsSync(at('parts/model.json'))).toBe(false);

  const interrupted = new AbortController();
  setTimeout(() => interrupted.abort(), 300);
  const stopped = await runCli(orthant('parts', '--checkpoint', '0.05'), { signal: interrupted.signal });
  expect(stopped.stderr).toMatch(/^orthant: The fit goes on from '.*checkpoint', .+, iteration \d+\.\n/);
  expect(stopped.status).toBe(130);

  const short = await runCli(orthant('parts', '--checkpoint', '0.05', '--max-seconds', '0.2'));
  expect(short.stdout).toMatch(/the time that --max-seconds allows/);
  expect(short.status).toBe(0);

  expect((await runCli(orthant('parts', '--checkpoint', '0.05'))).status).toBe(0);
  expect(factors('parts')).toEqual(factors('whole'));
  const [one, other] = [await loadModel(at('parts')), await loadModel(at('whole'))];
  expect(one.history).toEqual(other.history);
  expect(existsSync(at('parts/checkpoint'))).toBe(false);
});

test('a checkpoint of another fit, a damaged one, and one without a folder are refused', async () => {
  const first = orthant('other', '--checkpoint', '0.001', '--max-seconds', '0.3');
  expect((await runCli(first)).status).toBe(0);
  const another = await runCli([...orthant('other', '--checkpoint', '1'), '--seed', '5']);
  expect(another).toMatchObject({ status: 2, stdout: '' });
  expect(another.stderr).not.toMatch(/goes on/);
  expect(another.stderr).toMatch(/checkpoint' is the checkpoint of another fit: data or options differ\. Remove it/);
  const bytes = readFileSync(at('other/checkpoint'));
  bytes[bytes.length - 9] ^= 1;
  writeFileSync(at('other/checkpoint'), bytes);
  const damaged = await runCli(first);
  expect(damaged).toMatchObject({ status: 2, stdout: '' });
  expect(damaged.stderr).toMatch(/is damaged/);
  const nowhere = await runCli(['fit', matrixFile, '--ranks', '2', '--device', 'cpu', '--checkpoint', '1']);
  expect(nowhere).toMatchObject({ status: 2, stdout: '' });
  expect(nowhere.stderr).toMatch(/--checkpoint needs --out/);
});
