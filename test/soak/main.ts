/**
 * `npm run soak -- --minutes N` (default 10): a mixed load on one engine for a long time, and on engines that come and go beside it. Nothing
 * may grow: no buffer or byte is left after a round, no pipeline is compiled once every size was there, and the heap and the memory of the
 * process rise by no more than they vary. No promise may be rejected unheard. It prints a line a minute and a verdict, and exits with 1
 * where something grew or failed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Engine } from '../../src/engine.js';
import { createEngine } from '../../src/node.js';
import { loads, losses, variety } from './loads.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Sample {
  minutes: number;
  rounds: number;
  heap: number;
  rss: number;
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export async function main(argv: readonly string[]): Promise<number> {
  const minutes = minutesOf(argv);
  if (minutes === undefined) {
    process.stderr.write('usage: npm run soak -- [--minutes N]\n');
    return 2;
  }
  const unheard: unknown[] = [];
  process.on('unhandledRejection', (reason) => unheard.push(reason));
  const engine = await createEngine();
  process.stdout.write(`${minutes} minutes on ${engine.description}\n`);
  const complaints: string[] = [];
  const samples: Sample[] = [];
  const began = performance.now();
  const since = () => (performance.now() - began) / 60_000;
  let rounds = 0;
  let known = 0;
  let told = 0;
  // Once round all sizes everything is compiled: the tile of a product may depend on its size.
  for (; rounds <= variety || since() < minutes; rounds++) {
    complaints.push(...(await round(engine, rounds)));
    if (rounds < variety) known = engine.compiledPipelines;
    if (rounds >= variety && engine.compiledPipelines !== known)
      complaints.push(`round ${rounds}: ${engine.compiledPipelines} pipelines where there were ${known}`);
    if (rounds + 1 < variety) continue;
    collectGarbage();
    const { heapUsed, rss } = process.memoryUsage();
    samples.push({ minutes: since(), rounds: rounds + 1, heap: heapUsed, rss });
    if (since() >= told + 1) {
      told = Math.floor(since());
      process.stdout.write(
        `minute ${told}: ${rounds + 1} rounds, heap ${mib(heapUsed)}, process ${mib(rss)}, ${known} pipelines, ${complaints.length} complaints, ${unheard.length} unheard rejections\n`,
      );
    }
  }
  engine.dispose();
  if (losses.survived !== losses.lost) complaints.push(`${losses.lost} devices were lost in fits, and ${losses.survived} of these went on`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const reason of unheard) complaints.push(`a rejection that nobody heard: ${reason}`);
  complaints.push(...growth('heap', samples, ({ heap }) => heap, 2 ** 20), ...growth('process', samples, ({ rss }) => rss, 16 * 2 ** 20));
  const total = rounds * loads.length;
  process.stdout.write(
    `${complaints.length === 0 ? 'sound' : 'NOT SOUND'}: ${rounds} rounds, ${total} loads in ${since().toFixed(1)} minutes, ${known} pipelines; ${losses.survived} of ${losses.lost} lost devices survived\n`,
  );
  for (const complaint of complaints.slice(0, 20)) process.stdout.write(`  ${complaint}\n`);
  return complaints.length === 0 ? 0 : 1;
}

function minutesOf(argv: readonly string[]): number | undefined {
  if (argv.length === 0) return 10;
  const minutes = Number(argv[1]);
  return argv.length === 2 && argv[0] === '--minutes' && minutes > 0 ? minutes : undefined;
}

/** All loads at once, in an order of the round's own, and what was wrong with them. */
async function round(engine: Engine, number: number): Promise<string[]> {
  const order = loads.map((_, i) => loads[(i + number) % loads.length]);
  const results = await Promise.allSettled(order.map(({ run }) => run(engine, number)));
  const complaints = results.flatMap((result, i) =>
    result.status === 'rejected' ? [`round ${number}, ${order[i].name}: ${result.reason?.message ?? result.reason}`] : [],
  );
  if (engine.liveBuffers !== 0 || engine.liveBytes !== 0)
    complaints.push(`round ${number}: ${engine.liveBuffers} buffers and ${engine.liveBytes} bytes are left`);
  return complaints;
}

/**
 * Growth beyond noise: the median of the last third of the samples against that of the middle third (the first third is for caches to fill).
 * Noise is three times the middle third's own spread about its median, and no less than `least`.
 */
function growth(what: string, samples: readonly Sample[], of: (sample: Sample) => number, least: number): string[] {
  const third = Math.floor(samples.length / 3);
  if (third < 2) return [];
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)].map((part) => part.map(of));
  const before = median(middle);
  const grown = median(last) - before;
  const noise = Math.max(least, 3 * median(middle.map((value) => Math.abs(value - before))));
  process.stdout.write(`${what}: ${mib(before)}, later ${grown < 0 ? '−' : '+'}${mib(Math.abs(grown))}; noise ${mib(noise)}\n`);
  return grown > noise ? [`${what} grew by ${mib(grown)}, beyond ${mib(noise)}`] : [];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
