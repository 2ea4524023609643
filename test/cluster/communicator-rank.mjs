/**
 * What one rank does in mpi-communicator.test.ts: `node communicator-rank.mjs '{"task": …}'`. Each rank writes
 * what it has found to `${out}.${rank}`, since mpirun mixes lines that are long.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connectMpi } from '../../dist/node/mpi.js';
import { broadcastOf, gatheredOf, numbersOf, textOf } from './rank-values.mjs';

const { task, ...given } = JSON.parse(process.argv[2]);
const hashOf = (values) => createHash('sha256').update(values).digest('hex');

const tasks = {
  /** Every sum and maximum several times, with the ranks out of step. */
  async reductions(mpi) {
    const hashes = [];
    for (const [number, { length, by }] of given.reductions.entries())
      for (let time = 0; time < given.times; time++) {
        await pause(given.pauses[(mpi.rank + 3 * time + 7 * number) % given.pauses.length]);
        const values = numbersOf(given.seed + number, mpi.rank, length);
        await mpi.allReduce(values, by);
        hashes.push(hashOf(values));
      }
    return { hashes, reducedBytes: mpi.reducedBytes };
  },
  /** Calls that nobody waits for in between keep their order. */
  async queued(mpi) {
    const sums = [1, 10, 100].map((value) => Float64Array.of(value * (mpi.rank + 1)));
    const first = given.broadcasts.map((length) => (mpi.rank === 0 ? broadcastOf(given.seed, length) : new Float32Array(length).fill(-1)));
    const own = gatheredOf(given.seed, mpi.rank);
    const before = hashOf(own);
    const [gathered, doubles, texts] = await Promise.all([
      mpi.allGather(own),
      mpi.allGather(numbersOf(given.seed, mpi.rank, 3 + mpi.rank)),
      mpi.texts(textOf(mpi.rank)),
      ...sums.map((values) => mpi.allReduce(values, 'sum')),
      ...first.map((values) => mpi.broadcast(values)),
    ]);
    const again = await connectMpi().catch(({ message }) => message);
    return {
      again,
      gathered: gathered.map(hashOf),
      doubles: doubles.map(hashOf),
      kept: before === hashOf(own),
      texts,
      sums: sums.map(([sum]) => sum),
      first: first.map(hashOf),
    };
  },
  /** Rank 0 waits for rank 1, which comes once rank 0 was seen to do other things meanwhile. */
  async meanwhile(mpi) {
    const values = Float64Array.of(1);
    if (mpi.rank === 0) setTimeout(() => writeFileSync(given.seen, ''), 1);
    else while (!existsSync(given.seen)) await pause(5);
    await mpi.allReduce(values, 'sum');
    return { sum: values[0] };
  },
  /** Rank 1 ends while the others wait for it. */
  async death(mpi) {
    process.once('SIGTERM', () => {
      writeFileSync(`${given.out}.${mpi.rank}`, JSON.stringify({ heard: 'SIGTERM', pid: process.pid }));
      process.exit(1);
    });
    writeFileSync(`${given.out}.${mpi.rank}`, JSON.stringify({ pid: process.pid }));
    const values = new Float64Array(given.length);
    await mpi.allReduce(values, 'sum');
    if (mpi.rank === 1 && given.how === 'throw') throw new Error('Rank 1 has found a fault.');
    if (mpi.rank === 1) process.kill(process.pid, 'SIGKILL');
    for (;;) await mpi.allReduce(values, 'sum');
  },
};

let mpi;
try {
  mpi = await connectMpi();
  const found = await tasks[task](mpi);
  writeFileSync(`${given.out}.${mpi.rank}`, JSON.stringify({ size: mpi.size, ...found }));
  mpi.finalize();
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  mpi?.abort(1);
  process.exitCode = 1;
}
