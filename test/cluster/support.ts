/** Programs of the system that the tests of this folder run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const install = 'apt-get install redis-server openmpi-bin libopenmpi3';

/** The path of a program. Throws, with the line that installs it, where it is missing. */
export function findProgram(name: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // another folder may have it
    }
  }
  throw new Error(`npm run test:cluster needs ${name}: ${install}`);
}

/** A port of the loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export interface TestRedis {
  port: number;
  url: string;
  /** Ends the server on the spot. */
  kill(): Promise<void>;
  /** Starts a new one at the same port, which holds nothing. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis of its own on the loopback, which keeps nothing on the disk. */
export async function startRedis(options: readonly string[] = []): Promise<TestRedis> {
  const program = findProgram('redis-server');
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'orthant-redis-'));
  let server: ChildProcess;
  const start = () =>
    new Promise<void>((resolve, reject) => {
      const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
      server = spawn(program, [...own, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
      let said = '';
      server.once('error', reject);
      server.once('exit', (status) => reject(new Error(`redis-server ended with ${status}: ${said}`)));
      server.stdout!.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Ready to accept connections')) resolve();
      });
    });
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: start,
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
