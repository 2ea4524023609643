// `npm run bench:columns`: see bench/README.md.
//
// A fit of a .npy by panels in a process held to 1 GiB of memory, against the same panels in memory. Both fits run in turn, each in a process
// of its own. Linux with a memory cgroup that this user may write to (root, or a delegated one) is needed.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeNpy } from '../../dist/formats.js';

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '4' },
    features: { type: 'string', default: '4000' },
    ranks: { type: 'string', default: '20,6' },
    iterations: { type: 'string', default: '5' },
    repeats: { type: 'string', default: '1' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const N = Number(values.features);
const M = Math.round((Number(values.gib) * 2 ** 30) / (4 * N));
const limit = 2 ** 30;
const share = 0.7;
const results = new URL('../results/columns.json', import.meta.url);
const child = fileURLToPath(new URL('fit.mjs', import.meta.url));

/** X = |AS + noise| in blocks of samples, which are the rows of the file. */
function writeData(file) {
  const out = openSync(file, 'w');
  const header = encodeNpy({ rows: M, cols: 1, data: new Float32Array(M) }).slice(0, 128);
  const text = Buffer.from(header).toString('latin1').replace(`(${M}, 1)`, `(${M}, ${N})`).replace(/ *\n$/, '');
  writeSync(out, Buffer.from(`${text.padEnd(127).slice(0, 127)}\n`, 'latin1'));
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const rank = 20;
  const A = Float32Array.from({ length: N * rank }, () => (uniform() < 0.8 ? 0 : uniform()));
  const lines = 4096;
  for (let from = 0; from < M; from += lines) {
    const count = Math.min(lines, M - from);
    const block = new Float32Array(count * N);
    for (let i = 0; i < count; i++) {
      const at = i * N;
      for (let j = 0; j < N; j++) block[at + j] = 0.1 * uniform();
      for (let r = 0; r < rank; r++) {
        const s = uniform() < 0.7 ? 0 : uniform();
        if (s > 0) for (let j = 0; j < N; j++) block[at + j] += A[j * rank + r] * s;
      }
    }
    writeSync(out, new Uint8Array(block.buffer));
  }
  closeSync(out);
}

/** A memory cgroup of this name, of version 2 or 1. Throws where none can be made. */
function memoryGroup(name) {
  const second = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const dir = path.join('/sys/fs/cgroup', second ? '' : 'memory', name);
  const at = (file) => path.join(dir, file);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(at(second ? 'memory.max' : 'memory.limit_in_bytes'), String(limit));
  } catch (cause) {
    throw new Error(`A process is held to 1 GiB by a memory cgroup, and ${dir} cannot be written to; run this as root.`, { cause });
  }
  return {
    processes: at('cgroup.procs'),
    peak: () => Number(readFileSync(at(second ? 'memory.peak' : 'memory.max_usage_in_bytes'), 'utf8')),
    remove: () => rmdirSync(dir),
  };
}

/** The fit in a process of its own: seconds of each iteration, the peak of its memory. */
function fitted(file, source, group) {
  const args = [child, file, source, values.ranks, values.iterations];
  // It enters the group itself, before it allocates anything.
  const enter = group ? `echo $$ > ${group.processes} && ` : '';
  const process_ = spawn('sh', ['-c', `${enter}exec "$0" "$@"`, process.execPath, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  process_.stdout.on('data', (bytes) => {
    text += bytes;
  });
  return new Promise((resolve, reject) =>
    process_.once('exit', (code, signal) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`The fit from ${source} ended with ${signal ?? code}.`)),
    ),
  );
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const round = (x) => Number(x.toFixed(3));

const file = path.join(values.folder, 'orthant-columns.npy');
console.log(`writing ${file}: ${M} samples × ${N} features, ${((M * N * 4) / 2 ** 30).toFixed(2)} GiB`);
try {
  writeData(file);
  // Written pages would be read from memory, and be charged to nobody.
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch {
    console.log('the cache of the disk could not be dropped, so the first reads may come from it');
  }
  const runs = { file: [], memory: [] };
  const peaks = [];
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    const group = memoryGroup('orthant-bench-columns');
    try {
      runs.file.push(await fitted(file, 'file', group));
      peaks.push(group.peak());
    } finally {
      group.remove();
    }
    runs.memory.push(await fitted(file, 'memory'));
    for (const source of ['file', 'memory']) {
      const { iterationSeconds, peakBytes, scanSeconds } = runs[source].at(-1);
      console.log(
        `${source}: ${iterationSeconds.map((s) => s.toFixed(1)).join(', ')} s an iteration, ${scanSeconds.toFixed(1)} s for the look through; peak ${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
      );
    }
  }
  const all = (source) => runs[source].flatMap(({ iterationSeconds }) => iterationSeconds);
  const ratio = median(all('memory')) / median(all('file'));
  const result = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} × ${cpus()[0].model.trim()}`,
    device: runs.file[0].device,
    loadOfAMinute: round(loadavg()[0]),
    samples: M,
    features: N,
    bytes: M * N * 4,
    ranks: values.ranks.split(',').map(Number),
    panels: runs.file[0].panels,
    limitBytes: limit,
    // Resident memory of the process, and all that the group was charged for, with the cache of the disk.
    peakBytes: Math.max(...runs.file.map(({ peakBytes }) => peakBytes)),
    peakGroupBytes: Math.max(...peaks),
    peakBytesInMemory: Math.max(...runs.memory.map(({ peakBytes }) => peakBytes)),
    secondsAnIterationFile: all('file').map(round),
    secondsAnIterationMemory: all('memory').map(round),
    sameErrors: runs.file.every(({ errors }) => JSON.stringify(errors) === JSON.stringify(runs.memory[0].errors)),
    errors: runs.file[0].errors,
    speedOfMemory: round(ratio),
    limitOfSpeed: share,
  };
  if (Number(values.gib) === 4) writeFileSync(results, `${JSON.stringify(result, null, 2)}\n`);
  console.log(
    `${(100 * ratio).toFixed(1)} % of the speed in memory (at least ${100 * share} %), peak ${(result.peakBytes / 2 ** 20).toFixed(0)} MiB of 1024, errors ${result.sameErrors ? 'the same' : 'DIFFERENT'}. ${result.device}, ${result.machine}.`,
  );
  if (ratio < share || !result.sameErrors) process.exitCode = 1;
} finally {
  rmSync(file, { force: true });
}
