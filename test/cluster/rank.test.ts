/** `orthant rank --queue`: the survey of one process, bit for bit. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectQueue } from '../../src/sweep/redis.js';
import { build } from '../support/build.js';
import { startRedis, type TestRedis } from './support.js';
import { keysLeft, orthant, type Started, someMatrix } from './sweeps.js';

const folder = mkdtempSync(path.join(tmpdir(), 'orthant-rank-'));
const at = (...names: string[]) => path.join(folder, ...names);
let redis: TestRedis;
let worker: Started;
beforeAll(async () => {
  await build();
  redis = await startRedis();
  someMatrix(at('X.npy'), 19, 23, Date.now() % 1e6);
  worker = orthant(['work', '--queue', redis.url, '--device', 'cpu']);
  await worker.until('waits for fits');
});
afterAll(async () => {
  worker?.process.kill('SIGKILL');
  await worker?.ended;
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const rank = (...more: string[]) => orthant(['rank', at('X.npy'), '--ranks', '2..4', '--device', 'cpu', ...more]);

async function left(): Promise<string[]> {
  const server = await connectQueue(redis.url);
  try {
    return await keysLeft(server);
  } finally {
    await server.close();
  }
}

describe('orthant rank --queue', () => {
  test('has the results, the consensus and the factors of the survey here', async () => {
    const options = ['--restarts', '7', '--masks', '3', '--max-iterations', '30'];
    const queued = rank(...options, '--queue', redis.url, '--out', at('queued'));
    expect(await queued.ended, queued.said()).toBe(0);
    const here = rank(...options, '--out', at('here'));
    expect(await here.ended, here.said()).toBe(0);
    const results = (name: string) =>
      JSON.parse(readFileSync(at(name, 'ranks.json'), 'utf8')).layers.map(({ elapsedMs: _, ...rest }: { elapsedMs: number }) => rest);
    expect(results('queued')).toEqual(results('here'));
    for (const name of ['consensus.svg', 'A.npy', 'S.npy'])
      expect(readFileSync(at('queued', name)).equals(readFileSync(at('here', name))), name).toBe(true);
    // 3 ranks; 7 restarts, 3 masks with 3 starts and 7 perturbed fits, five restarts a job.
    expect(worker.said().match(/done in/g)).toHaveLength(3 * 6);
    expect(await left()).toEqual([]);
  });

  test('ends at Ctrl-C, and leaves nothing at the queue', async () => {
    const before = worker.said().length;
    const one = rank('--max-iterations', '100000000', '--tolerance', '0', '--queue', redis.url);
    await worker.until((text) => text.slice(before).includes('begun.'));
    one.process.kill('SIGINT');
    expect(await one.ended).toBe(130);
    expect(await left()).toEqual([]);
  });
});
