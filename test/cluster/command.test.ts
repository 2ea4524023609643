/** `orthant sweep --queue` and `orthant work` as processes. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectQueue } from '../../src/sweep/redis.js';
import { build } from '../support/build.js';
import { freePort, startRedis, type TestRedis } from './support.js';
import { keysLeft, orthant, someMatrix } from './sweeps.js';

const run = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'orthant-command-'));
const at = (...names: string[]) => path.join(folder, ...names);
let redis: TestRedis;
beforeAll(async () => {
  await build();
  redis = await startRedis();
  someMatrix(at('X.npy'), 13, 17, 5);
});
afterAll(async () => {
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const command = (argv: readonly string[]) =>
  run(process.execPath, [path.resolve('bin/orthant.mjs'), ...argv]).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ status: code as number, stdout: stdout as string, stderr: stderr as string }),
  );
const sweep = (out: string, ...more: string[]) => ['sweep', at('X.npy'), '--method', 'nmf', '--ranks', '2,3', '--out', at(out), ...more];

describe('orthant sweep --queue', () => {
  test('fills its folder by a worker, and prints what the sweep here prints', async () => {
    const worker = orthant(['work', '--queue', redis.url, '--device', 'cpu']);
    await worker.until('waits for fits');
    const options = ['--restarts', '3', '--max-iterations', '20', '--json'];
    const queued = await command(sweep('queued', ...options, '--queue', redis.url));
    const here = await command(sweep('here', ...options, '--device', 'cpu'));
    expect(queued).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(queued.stdout)).toEqual(JSON.parse(readFileSync(at('queued', 'summary.json'), 'utf8')));
    const bits = (text: string) => JSON.stringify(JSON.parse(text).results ?? JSON.parse(text).ranks);
    expect(bits(queued.stdout).length).toBeGreaterThan(100);
    expect(bits(queued.stdout)).toBe(bits(here.stdout));
    worker.process.kill('SIGINT');
    expect(await worker.ended).toBe(130);
    expect(worker.said().match(/done in/g)).toHaveLength(6);
  });

  test('ends at Ctrl-C, says what is kept, and leaves nothing at the queue', async () => {
    const worker = orthant(['work', '--queue', redis.url, '--device', 'cpu']);
    const long = ['--restarts', '2', '--max-iterations', '100000000', '--tolerance', '0', '--solver', 'mu'];
    const one = orthant(sweep('long', ...long, '--queue', redis.url));
    await worker.until('begun.');
    one.process.kill('SIGINT');
    expect(await one.ended).toBe(130);
    expect(one.said()).toContain(`Ctrl-C ended the sweep. 0 of 4 fits are in '${at('long')}'; the same command does the others.`);
    const server = await connectQueue(redis.url);
    expect(await keysLeft(server)).toEqual([]);
    await server.close();
    await worker.until('let go');
    worker.process.kill('SIGINT');
    expect(await worker.ended).toBe(130);
  });

  test('SIGTERM gives the job of a worker back at once; what kill -9 leaves on the disk goes with the next worker', async () => {
    const TMPDIR = at('tmp');
    mkdirSync(TMPDIR);
    const left = () => readdirSync(TMPDIR).filter((name) => name.startsWith('.orthant-'));
    // So long that only a job that was given back goes to another worker.
    const work = () => orthant(['work', '--queue', redis.url, '--device', 'cpu', '--lock', '3600'], { TMPDIR });
    const [killed, ended] = [work(), work()];
    await Promise.all([killed.until('waits for fits'), ended.until('waits for fits')]);
    expect(left()).toHaveLength(2);
    killed.process.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    const sweeping = command(sweep('terminated', '--restarts', '1', '--max-iterations', '20000', '--tolerance', '0', '--queue', redis.url));
    await ended.until('begun.');
    ended.process.kill('SIGTERM');
    expect(await ended.ended).toBe('SIGTERM');
    expect(left()).toHaveLength(1);
    const next = work();
    await next.until('waits for fits');
    expect(left()).toHaveLength(1);
    expect(await sweeping).toMatchObject({ status: 0, stderr: '' });
    next.process.kill('SIGINT');
    expect(await next.ended).toBe(130);
    expect(left()).toEqual([]);
  });

  test.each([
    [['--shared'], '--shared says where workers at a queue find the data; give --queue'],
    [['--queue', 'redis://h', '--shard', '1/2'], '--shard and --queue both share the fits out'],
    [['--queue', 'redis://h', '--device', 'cpu'], 'with --queue workers compute; give it to orthant work'],
    [['--queue', 'localhost:6379'], "The address of a queue is redis://host:port, and 'localhost:6379' begins with localhost://"],
  ])('refuses %s', async (argv, words) => {
    const { status, stderr } = await command(sweep('refused', ...argv));
    expect(stderr).toContain(words);
    expect(status).toBe(2);
  });
});

describe('orthant work', () => {
  test('says that no Redis answers, and that a folder is not there', async () => {
    const port = await freePort();
    const none = await command(['work', '--queue', `redis://127.0.0.1:${port}`]);
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining(`No Redis answers at redis://127.0.0.1:${port}`) });
    const folder = await command(['work', '--queue', redis.url, '--dir', at('nowhere')]);
    expect(folder).toMatchObject({
      status: 2,
      stderr: `orthant: There is no folder '${at('nowhere')}'; --dir names the one where the data lie on this machine.\n`,
    });
  });

  test('ends by itself when there is no job', async () => {
    const { status, stdout } = await command(['work', '--queue', redis.url, '--idle', '0.2']);
    expect(stdout).toContain('No job for 0.2 s: the worker ends. 0 fits done.');
    expect(status).toBe(0);
  });
});
