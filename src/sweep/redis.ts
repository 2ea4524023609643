/** The Redis behind a queue: its address, the packages that speak to it, and the names of what lies there. */
import type { RedisOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { InputError, OrthantError } from '../errors.js';

/** All keys of orthant in a Redis begin with this, those of BullMQ too. */
export const prefix = 'orthant';

/** Older ones lack commands that BullMQ asks for. */
const leastVersion = [6, 2];

/** How long a Redis may take to answer for the first time. */
const longestConnectMs = 10_000;

type BullMq = typeof import('bullmq');

/** A Redis that has answered. */
export interface QueueServer {
  /** For commands of our own. */
  redis: Redis;
  bullmq: BullMq;
  /** Options for the classes of BullMQ, which make connections of their own. */
  options: { connection: RedisOptions; prefix: string };
  /** The address without a password, for messages. */
  shown: string;
  close(): Promise<void>;
}

/** An address as ioredis takes it, and without its password. */
export interface QueueAddress {
  connection: RedisOptions;
  shown: string;
}

/**
 * The parts of redis://[user:password@]host[:port][/database]; rediss:// is encrypted.
 *
 * @throws InputError for another address.
 */
export function parseQueue(address: string): QueueAddress {
  const refuse = (why: string) =>
    new InputError(`The address of a queue is redis://host:port, and '${withoutPassword(address)}' ${why}.`, { option: 'queue' });
  let url: URL;
  try {
    url = new URL(address);
  } catch (cause) {
    throw Object.assign(refuse('is no address'), { cause });
  }
  const { protocol, hostname, port, username, password, pathname, search, hash } = url;
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw refuse(`begins with ${protocol}//; give redis:// or rediss://`);
  if (hostname === '') throw refuse('names no host');
  if (search !== '' || hash !== '') throw refuse(`ends in '${search || hash}'; leave that out`);
  if (!/^\/?\d{0,5}$/.test(pathname)) throw refuse(`has '${pathname}' where the number of a database may stand, such as /0`);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    connection: {
      host,
      port: port === '' ? 6379 : Number(port),
      username: username === '' ? undefined : decodeURIComponent(username),
      password: password === '' ? undefined : decodeURIComponent(password),
      db: Number(pathname.slice(1) || 0),
      ...(protocol === 'rediss:' ? { tls: { servername: host } } : {}),
    },
    shown: `${protocol}//${hostname}:${port === '' ? 6379 : port}${pathname.length > 1 ? pathname : ''}`,
  };
}

const withoutPassword = (address: string) => address.replace(/\/\/[^@/]*@/, '//…@');

async function loadPackages(): Promise<{ bullmq: BullMq; Redis: typeof Redis }> {
  try {
    const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis: ioredis.Redis };
  } catch (cause) {
    throw new OrthantError('A queue needs the packages bullmq and ioredis: npm install bullmq ioredis', { cause });
  }
}

/**
 * The Redis at an address, once it has answered. Later it may go away and come back: commands wait for it.
 *
 * @throws InputError where none answers, it wants a password, is too old, or may drop keys to save memory; OrthantError where packages are
 * missing.
 */
export async function connectQueue(address: string): Promise<QueueServer> {
  const { connection, shown } = parseQueue(address);
  const { bullmq, Redis } = await loadPackages();
  let began = false;
  let last: Error | undefined;
  const redis = new Redis({
    ...connection,
    lazyConnect: true,
    connectTimeout: longestConnectMs,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (began ? Math.min(200 * times, 2000) : null),
  });
  redis.on('error', (error: Error) => {
    last = error;
  });
  const refuse = (why: string, cause?: unknown) => new InputError(`${shown} ${why}`, { option: 'queue', cause });
  const late = setTimeout(() => redis.disconnect(), longestConnectMs);
  try {
    await redis.connect().catch((error: Error) => {
      throw unanswered(shown, last ?? error);
    });
    const info = await redis.info().catch((error: Error) => {
      throw unanswered(shown, last ?? error);
    });
    const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
    const version = field('redis_version') ?? '0';
    if (isOlder(version))
      throw refuse(`is Redis ${version}, and a queue needs ${leastVersion.join('.')} or newer; start a newer one, or name another.`);
    const policy = field('maxmemory_policy');
    if (policy !== undefined && policy !== 'noeviction')
      throw refuse(
        `may drop jobs to save memory: its maxmemory-policy is ${policy}. Set it to noeviction (redis-cli config set maxmemory-policy noeviction).`,
      );
  } catch (error) {
    redis.disconnect();
    throw error;
  } finally {
    clearTimeout(late);
  }
  began = true;
  return {
    redis,
    bullmq,
    options: { connection: { ...connection, maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(200 * times, 2000) }, prefix },
    shown,
    close: async () => redis.disconnect(),
  };
}

function unanswered(shown: string, error: Error): InputError {
  const { message } = error;
  const words = /NOAUTH|WRONGPASS|NOPERM/.test(message)
    ? `${shown} lets nobody in like that (${message}); give user and password, as in redis://user:password@host:port.`
    : `No Redis answers at ${shown} (${message || 'no connection'}); start redis-server there, or give the address of one that runs.`;
  return new InputError(words, { option: 'queue', cause: error });
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < leastVersion[0] || (major === leastVersion[0] && minor < leastVersion[1]);
}

/** The queue of the fits that workers of a version take. Workers of another one do not see it. */
export const fitsQueue = (version: string) => `fits-${version.replaceAll(':', '_')}`;

/** The queue of the one job of a sweep that its fits are children of. */
export const sweepQueue = (sweep: string) => `sweep-${sweep}`;

/** The id of that job. */
export const collecting = 'collect';

/** The id of a fit's job in the queue. */
export const queueId = (sweep: string, id: string) => `${sweep}-${id}`;

/** A hash of all sweeps that wait: id → JSON of Announced. */
export const sweepsKey = `${prefix}:sweeps`;

/** What anybody at the queue can know of a sweep. */
export interface Announced {
  version: string;
  /** Who has filed it: 'host, process 1234'. */
  by: string;
}

/** The keys of a sweep beside those of BullMQ. */
export function keysOf(sweep: string) {
  const key = (name: string) => `${prefix}:of:${sweep}:${name}`;
  return {
    /** A set of the keys that hold data and results. */
    contents: key('contents'),
    /** A set of the ids that its jobs have in the queue. */
    jobs: key('jobs'),
    /** JSON of the places of its data: see upload.ts. */
    sources: key('sources'),
    /** Who collects it. It expires with its process. */
    owner: key('owner'),
    /** It is there once the sweep has ended, for a day: workers let its jobs go. */
    over: key('over'),
    /** A hash: id of a job → how many workers gave it back, as none of theirs. */
    returned: key('returned'),
    /** A list of sentences of workers that gave jobs back. */
    refusals: key('refusals'),
    data: (hash: string) => key(`data:${hash}`),
    result: (id: string, attempt: string) => key(`result:${id}:${attempt}`),
  };
}

/** The versions of orthant whose workers are connected, one for each worker. */
export async function workersAt(redis: Redis): Promise<string[]> {
  const list = (await redis.client('LIST')) as string;
  return list.split('\n').flatMap((line) => {
    // BullMQ names the blocking connection of a worker prefix:base64(queue):w:name.
    const [, encoded] = new RegExp(` name=${prefix}:([^: ]+):w:`).exec(line) ?? [];
    const queue = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString();
    return queue.startsWith('fits-') ? [queue.slice('fits-'.length)] : [];
  });
}
