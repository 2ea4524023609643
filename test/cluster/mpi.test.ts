/** Fits on several processes, by a real mpirun on the loopback. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { transpose } from '../../src/data/matrix.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { build } from '../support/build.js';
import { workFolder } from '../support/cli.js';
import { findProgram } from './support.js';

const rankScript = fileURLToPath(new URL('./rank.mjs', import.meta.url));
const command = fileURLToPath(new URL('../../bin/orthant.mjs', import.meta.url));
const { at, put } = workFolder();
beforeAll(async () => {
  findProgram('mpirun');
  await build();
});

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A program on so many ranks; 0 is without mpirun. `act` sees the process as soon as it writes. */
async function onRanks(ranks: number, words: string[], act?: (said: string) => void): Promise<Ended> {
  const root = process.getuid?.() === 0 ? ['--allow-run-as-root'] : [];
  const argv = ranks === 0 ? words : [findProgram('mpirun'), ...root, '--oversubscribe', '-np', `${ranks}`, ...words];
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      ended[name] += text;
      act?.(ended.stdout + ended.stderr);
    });
  ended.status = await new Promise((resolve) => child.on('close', resolve));
  return ended;
}

let runs = 0;

async function task<T>(ranks: number, given: object): Promise<(T & { rank: number })[]> {
  const out = at(`run${runs++}`);
  mkdirSync(out, { recursive: true });
  const { status, stderr } = await onRanks(ranks, [process.execPath, rankScript, JSON.stringify({ ...given, out })]);
  expect(status, stderr).toBe(0);
  const said = readdirSync(out).map((name) => JSON.parse(readFileSync(`${out}/${name}`, 'utf8')) as T & { rank: number });
  return said.sort((a, b) => a.rank - b.rank);
}

interface Fit {
  errors: string[];
  hash: string;
  reducedBytes: number;
  iterations: number;
}

/** `ORTHANT_LARGE=1 npm run test:cluster -- mpi.test.ts`: the same on 500×40,000, which takes some minutes, with the figures printed. */
const large = process.env.ORTHANT_LARGE !== undefined;

describe('fits of generated columns', () => {
  const ranks = large ? [20, 6] : [8, 3];
  const iterations = large ? 6 : 4;
  const options = { ranks, restarts: large ? 1 : 2, startIterations: 2, maxIterations: iterations, tolerance: 0 };
  const fit = { task: 'fit', method: 'neural', options };
  test.each([false, true])('sparse: %s; the loss of every iteration is that of one process, bits follow from the ranks', async (sparse) => {
    const data = large ? { N: 500, M: 40_000, sparse, rank: 20 } : { N: 30, M: 1201, sparse, rank: 8 };
    const prefer = sparse && !large ? 'cpu' : 'auto';
    const [alone] = await task<Fit>(0, { ...fit, data, prefer });
    for (const size of large ? [2, 3, 4] : sparse ? [2, 3] : [2]) {
      const said = await task<Fit>(size, { ...fit, data, prefer });
      expect(said).toHaveLength(size);
      let worst = 0;
      for (const { errors, hash } of said) {
        expect(errors).toHaveLength(alone.errors.length);
        errors.forEach((error, i) => {
          const [own, one] = [error, alone.errors[i]].map((text) => Number(text.split(' ').at(-1)));
          worst = Math.max(worst, Math.abs(own / one - 1));
        });
        expect(hash).toBe(said[0].hash);
      }
      expect(worst).toBeLessThan(1e-5);
      if (large) console.log(`${sparse ? 'sparse' : 'dense'}, ${size} ranks: ${worst.toExponential(1)} at most from one process`);
      if (size === 3) expect((await task<Fit>(size, { ...fit, data, prefer }))[0].hash).toBe(said[0].hash);
    }
  });
});

describe('orthant fit --distributed mpi', () => {
  const X = randomLowRank(20, 301, 4, { noise: 0.1, seed: 2 });
  const file = put('X.npy', encodeNpy(transpose(X)));
  const words = (...more: string[]) => [process.execPath, command, 'fit', file, '--distributed', 'mpi', '--device', 'cpu', ...more];
  const long = ['--ranks', '5,2', '--restarts', '2', '--tolerance', '0', '--max-iterations', '200'];

  test('the first rank writes the model and prints what was joined; with labels', async () => {
    const labels = put('labels.txt', Array.from({ length: 301 }, (_, j) => `${j % 3 === 0 ? '' : 'ab'[j % 2]}\n`).join(''));
    const more = ['--ranks', '4,2', '--max-iterations', '20', '--labels', labels, '--out', at('model')];
    const { status, stdout, stderr } = await onRanks(2, words(...more));
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/data +.*20 features × 301 samples, one panel a rank/);
    expect(stdout).toMatch(/joined +\d+ bytes a rank over the whole fit, \d+ an iteration/);
    expect(stdout.match(/method/g)).toHaveLength(1);
    const model = JSON.parse(readFileSync(at('model/model.json'), 'utf8')) as { ranksOfProcesses: number };
    expect(model.ranksOfProcesses).toBe(2);
    expect(existsSync(at('model/S1.npy'))).toBe(true);
  });

  test('a rank dies: the others end with one sentence, and --checkpoint goes on to the same bits', async () => {
    const whole = await onRanks(2, words(...long, '--out', at('whole')));
    expect(whole.status, whole.stderr).toBe(0);
    let killed = false;
    const kill = () => {
      if (killed || !existsSync(at('cut/checkpoint'))) return;
      killed = true;
      const own = readProcesses().filter(({ env, words: argv }) => env.includes('OMPI_COMM_WORLD_RANK=1') && argv.includes(at('cut')));
      for (const { pid } of own) process.kill(pid, 'SIGKILL');
    };
    const looking = setInterval(kill, 50);
    const cut = await onRanks(2, words(...long, '--out', at('cut'), '--checkpoint', '0.05'));
    clearInterval(looking);
    expect(killed).toBe(true);
    expect(cut.status).not.toBe(0);
    expect(cut.stderr).toMatch(/^orthant: Rank 0 of 2 was ended by mpirun, .* The same command with --checkpoint/m);
    const again = await onRanks(2, words(...long, '--out', at('cut'), '--checkpoint', '60'));
    expect(again.status, again.stderr).toBe(0);
    for (const name of ['A0.npy', 'A1.npy', 'S0.npy', 'S1.npy'])
      expect(readFileSync(at(`cut/${name}`)).equals(readFileSync(at(`whole/${name}`))), name).toBe(true);
  });

  test('bad input: one sentence', async () => {
    const alone = await onRanks(0, words('--ranks', '2'));
    expect(alone.status).toBe(2);
    expect(alone.stderr).toMatch(/^orthant: mpirun of Open MPI did not start this process; start it as mpirun -np 4 .*\n$/);
    const few = put('few.npy', encodeNpy(transpose(randomLowRank(5, 2, 1, { seed: 1 }))));
    const ended = await onRanks(3, [process.execPath, command, 'fit', few, '--distributed', 'mpi', '--device', 'cpu', '--ranks', '1']);
    expect(ended.status).not.toBe(0);
    expect(ended.stderr.match(/^orthant/gm)).toHaveLength(1);
    expect(ended.stderr).toMatch(/X has 2 columns for 3 ranks, and every rank needs one; start at most 2 ranks\./);
    // What every rank finds out in the fit is said once, too.
    const large = await onRanks(2, words('--ranks', '40'));
    expect(large.stderr.match(/orthant:/g), large.stderr).toHaveLength(1);
    expect(large.stderr).toMatch(/^orthant: --ranks: Rank 40 is more than/m);
    expect(large.status).toBe(2);
    const negative = { rows: 301, cols: 20, data: Float32Array.from({ length: 6020 }, (_, at) => (at === 103 ? -1 : 1)) };
    const bad = [process.execPath, command, 'fit', put('bad.npy', encodeNpy(negative)), '--distributed', 'mpi', '--device', 'cpu'];
    const refused = await onRanks(2, [...bad, '--ranks', '2']);
    expect(refused.stderr).toMatch(/bad\.npy: row 6, column 4 .*is -1/);
    expect(refused.stderr.match(/^orthant:/gm)).toHaveLength(1);
  });
});

/** The processes of this machine. */
function readProcesses(): { pid: number; env: string; words: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const of = (what: string) => readFileSync(`/proc/${name}/${what}`, 'utf8');
        return [{ pid: Number(name), env: of('environ'), words: of('cmdline') }];
      } catch {
        return []; // it has ended
      }
    });
}
