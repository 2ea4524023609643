/** A Redis that a queue can use, and those that it cannot; files on their way through it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { InputError } from '../../src/errors.js';
import { connectQueue, parseQueue, type QueueServer } from '../../src/sweep/redis.js';
import { fetchedPath, fetchStored, store } from '../../src/sweep/upload.js';
import { freePort, startRedis, type TestRedis } from './support.js';

const folder = mkdtempSync(path.join(tmpdir(), 'orthant-queue-'));
const at = (...names: string[]) => path.join(folder, ...names);
const draw = random(Date.now() % 2 ** 32);
let redis: TestRedis;
let server: QueueServer;

beforeAll(async () => {
  redis = await startRedis();
  server = await connectQueue(redis.url);
});
afterAll(async () => {
  await server?.close();
  await redis?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bytesOf = (length: number) => Buffer.from(Uint8Array.from({ length }, () => draw.integer(256)));

describe('the address of a queue', () => {
  test('has a host, and may have a port, a user and a database', () => {
    expect(parseQueue('redis://10.0.0.7')).toMatchObject({
      connection: { host: '10.0.0.7', port: 6379, db: 0 },
      shown: 'redis://10.0.0.7:6379',
    });
    const { connection, shown } = parseQueue('rediss://me:p%40ss@[::1]:6380/3');
    expect(connection).toEqual({ host: '::1', port: 6380, username: 'me', password: 'p@ss', db: 3, tls: { servername: '::1' } });
    expect(shown).toBe('rediss://[::1]:6380/3');
  });

  test.each([
    ['localhost', "'localhost' is no address"],
    ['http://localhost:6379', 'begins with http://; give redis:// or rediss://'],
    ['redis://localhost/jobs', "has '/jobs' where the number of a database may stand"],
    ['redis://localhost?x=1', "ends in '?x=1'"],
  ])('is refused as %s', (address, words) => {
    expect(() => parseQueue(address)).toThrow(InputError);
    expect(() => parseQueue(address)).toThrow(words);
  });

  test('is told without its password', () => {
    expect(() => parseQueue('ftp://me:secret@host')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }));
  });
});

describe('a Redis', () => {
  test('that is not there is named', async () => {
    const port = await freePort();
    await expect(connectQueue(`redis://127.0.0.1:${port}`)).rejects.toThrow(
      `No Redis answers at redis://127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port}); start redis-server there`,
    );
  });

  test('that wants a password says so', async () => {
    const guarded = await startRedis(['--requirepass', 'secret']);
    try {
      await expect(connectQueue(guarded.url)).rejects.toThrow(/lets nobody in like that \(NOAUTH .*give user and password/);
      await expect(connectQueue(`redis://:wrong@127.0.0.1:${guarded.port}`)).rejects.toThrow(/lets nobody in like that \(WRONGPASS/);
      await (await connectQueue(`redis://:secret@127.0.0.1:${guarded.port}`)).close();
    } finally {
      await guarded.stop();
    }
  });

  test('that may drop keys is refused', async () => {
    const forgetful = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
    try {
      await expect(connectQueue(forgetful.url)).rejects.toThrow('may drop jobs to save memory: its maxmemory-policy is allkeys-lru');
    } finally {
      await forgetful.stop();
    }
  });

  test('that is too old is refused, and so is a server that is none', async () => {
    const info = '# Server\r\nredis_version:6.0.16\r\nloading:0\r\nmaxmemory_policy:noeviction\r\n';
    const old = createServer((socket) => {
      socket.on('data', (asked) => {
        for (const _ of String(asked).matchAll(/\r\ninfo\r\n/gi)) socket.write(`$${info.length}\r\n${info}\r\n`);
        for (const [, name] of String(asked).matchAll(/\r\n(client|hello|select)\r\n/gi))
          socket.write(`-ERR unknown command \`${name}\`\r\n`);
      });
    });
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const [oldPort, otherPort] = [await freePort(), await freePort()];
    await Promise.all([
      new Promise<void>((resolve) => old.listen(oldPort, '127.0.0.1', resolve)),
      new Promise<void>((resolve) => other.listen(otherPort, '127.0.0.1', resolve)),
    ]);
    try {
      await expect(connectQueue(`redis://127.0.0.1:${oldPort}`)).rejects.toThrow('is Redis 6.0.16, and a queue needs 6.2 or newer');
      await expect(connectQueue(`redis://127.0.0.1:${otherPort}`)).rejects.toThrow(/No Redis answers at .*start redis-server there/);
    } finally {
      old.close();
      other.close();
    }
  });
});

describe('files in a Redis', () => {
  test('come back bit for bit, alone and in a folder', async () => {
    const sizes = { 'a.npy': 2 * (1 << 20) + 17, 'b.csv': 0, 'c.mtx': draw.integer(1000) };
    mkdirSync(at('some'));
    for (const [name, size] of Object.entries(sizes)) writeFileSync(at('some', name), bytesOf(size));
    const whole = await store(server.redis, 'orthant:test:folder', at('some'));
    const one = await store(server.redis, 'orthant:test:file', at('some', 'a.npy'));
    await fetchStored(server.redis, JSON.parse(JSON.stringify(whole)), at('back'));
    await fetchStored(server.redis, one, at('alone'));
    expect(fetchedPath(whole, at('back'))).toBe(at('back', 'some'));
    expect(readdirSync(at('back', 'some')).sort()).toEqual(Object.keys(sizes));
    for (const name of Object.keys(sizes))
      expect(
        readFileSync(at('back', 'some', name)).equals(readFileSync(at('some', name))),
        `${name}, ${sizes[name as 'a.npy']} bytes`,
      ).toBe(true);
    expect(fetchedPath(one, at('alone'))).toBe(at('alone', 'a.npy'));
    expect(readFileSync(at('alone', 'a.npy')).equals(readFileSync(at('some', 'a.npy')))).toBe(true);
  });

  test('that have changed there, or are gone, are refused', async () => {
    writeFileSync(at('x.npy'), bytesOf(999));
    const stored = await store(server.redis, 'orthant:test:changed', at('x.npy'));
    await server.redis.hset(stored.key, '0.0', bytesOf(999));
    await expect(fetchStored(server.redis, stored, at('changed'))).rejects.toThrow('other bytes for x.npy than were put there (999 of 999');
    await server.redis.del(stored.key);
    await expect(fetchStored(server.redis, stored, at('gone'))).rejects.toThrow('(0 of 999 bytes came)');
    const outside = { ...stored, files: [{ ...stored.files[0], name: '../x.npy' }] };
    await expect(fetchStored(server.redis, outside, at('outside'))).rejects.toThrow("a file named '../x.npy'");
  });

  test('that a Redis has no room for are refused in words', async () => {
    const small = await startRedis(['--maxmemory', '3mb']);
    const there = await connectQueue(small.url);
    try {
      writeFileSync(at('large.npy'), bytesOf(4 << 20));
      await expect(store(there.redis, 'orthant:test:large', at('large.npy'))).rejects.toThrow('The Redis has no room for the data');
    } finally {
      await there.close();
      await small.stop();
    }
  });
});
