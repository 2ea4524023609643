/** A sweep on this machine: its jobs in children, beside fits of this process. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../src/cli/run-fit.js';
import { random } from '../../src/data/random.js';
import { encodeNpy } from '../../src/formats/npy.js';
import { createEngine, loadModel, neuralNmf, nmf } from '../../src/node.js';
import { jobChild } from '../../src/sweep/child.js';
import { type Job, jobsOf, type SweepSpec, sweepOf } from '../../src/sweep/plan.js';
import { runHere, type SweepProgress } from '../../src/sweep/run-here.js';
import { sourceOf } from '../../src/sweep/source.js';
import { doneIn, failuresIn, fitFolder, openSweep } from '../../src/sweep/sweep-folder.js';
import { build } from '../support/build.js';

const entry = pathToFileURL(path.resolve('dist/cli/sweep-child.js'));
const folder = mkdtempSync(path.join(tmpdir(), 'orthant-sweep-'));
const at = (name: string) => path.join(folder, name);
beforeAll(build);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const draw = random(Date.now() % 2 ** 32);
const size = (from: number, to: number) => from + draw.integer(to - from + 1);

/** A matrix in a .npy, features × samples, of random odd size. */
function someMatrix(name: string) {
  const [rows, cols, seed] = [2 * size(4, 9) + 1, 2 * size(5, 12) + 1, size(0, 1e6)];
  const { uniform } = random(seed);
  const X = { rows, cols, data: Float32Array.from({ length: rows * cols }, () => uniform()) };
  writeFileSync(at(name), encodeNpy(X));
  return { X, path: at(name), told: `${rows}×${cols}, data ${seed}` };
}

type Given = Partial<Omit<SweepSpec, 'data'>> & { path: string };

async function specOf({ path, ...given }: Given): Promise<SweepSpec> {
  const data = { ...(await sourceOf(path)), samples: 'columns' as const, table: {} };
  const plain = { version, method: 'nmf' as const, options: {}, files: {}, ranks: [[2]], seed: 0, svdBound: true };
  return sweepOf({ ...plain, ...given, data });
}

const cpu = { device: 'cpu' as const };

describe('a sweep on this machine', () => {
  test.each(['cpu', 'software'] as const)('gives the bits of the fits of one process, on %s', async (device) => {
    const { X, path, told } = someMatrix(`bits-${device}.npy`);
    const seed = size(0, 1000);
    const options = { solver: 'hals', maxIterations: 30 };
    const flat = await specOf({ path, ranks: [[2], [3]], restarts: 2, seed, options });
    const layered = await specOf({ path, method: 'neural', ranks: [[4, 2]], restarts: 2, seed, options: { maxIterations: 20 } });
    const engine = await createEngine({ prefer: device });
    const kept = ({ A, S, relativeError }: { A: unknown; S: unknown; relativeError: number }) => ({ A, S, relativeError });
    // Pipelines of neural take a software adapter seconds to compile, in each process.
    for (const spec of device === 'cpu' ? [flat, layered] : [flat]) {
      const dir = at(`${spec.method}-${device}`);
      await openSweep(dir, spec);
      expect(await runHere(dir, jobsOf(spec), { children: [{ device }], entry })).toEqual({ ran: jobsOf(spec).length, failed: 0 });
      for (const { id, ranks, seed } of jobsOf(spec)) {
        const fit = { ranks, seed, restarts: 1, ...spec.options };
        const alone = spec === flat ? await nmf(engine, X, fit) : await neuralNmf(engine, X, fit);
        expect(kept(await loadModel(fitFolder(dir, id))), `${told}, seed ${seed}`).toEqual(kept(alone));
      }
    }
    engine.dispose();
  });

  test('does what is missing, and no more', async () => {
    const { path } = someMatrix('resume.npy');
    const spec = await specOf({ path, ranks: [[1], [2]], restarts: 3, options: { maxIterations: 5 } });
    const jobs = jobsOf(spec);
    const dir = at('resume');
    await openSweep(dir, spec);
    expect(await runHere(dir, jobs.slice(0, 2), { children: [cpu], entry })).toEqual({ ran: 2, failed: 0 });
    await openSweep(dir, spec);
    expect(await runHere(dir, jobs, { children: [cpu, cpu], entry })).toEqual({ ran: 4, failed: 0 });
    expect(await doneIn(dir)).toEqual(new Set(jobs.map(({ id }) => id)));
    expect(await runHere(dir, jobs, { children: [cpu], entry })).toEqual({ ran: 0, failed: 0 });
  });

  test('begins a job again whose process was killed, and leaves nothing half-written', async () => {
    const { path, X, told } = someMatrix('killed.npy');
    const options = { solver: 'mu', maxIterations: 20_000, tolerance: 0 };
    const [job] = jobsOf(await specOf({ path, restarts: 1, options })) as [Job];
    const child = jobChild(entry, cpu);
    const into = at('killed');
    let begun = () => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const first = child.run({ job, into }, begun);
    await running;
    process.kill(child.pid!, 'SIGKILL');
    expect(await first).toEqual({
      failure: {
        name: 'OrthantError',
        phase: 'death',
        message: 'The process of rank 2, seed 0 has ended before the fit: it was ended by SIGKILL.',
      },
    });
    expect(readdirSync(folder)).not.toContain('killed');

    const dir = at('killed-here');
    const spec = await specOf({ path, restarts: 2, options: { ...options, maxIterations: 1000 } });
    await openSweep(dir, spec);
    let killed = 0;
    const onProgress = ({ progress, pid }: SweepProgress) => {
      if (progress && pid !== undefined && killed++ === 0) process.kill(pid, 'SIGKILL');
    };
    expect(await runHere(dir, jobsOf(spec), { children: [cpu], entry, onProgress })).toEqual({ ran: 2, failed: 0 });
    expect(killed).toBeGreaterThan(1);
    await child.close();
    const engine = await createEngine({ prefer: 'cpu' });
    const alone = await nmf(engine, X, { ranks: 2, seed: 0, solver: 'mu', maxIterations: 1000, tolerance: 0 });
    expect((await loadModel(fitFolder(dir, jobsOf(spec)[0].id))).S, told).toEqual(alone.S);
    engine.dispose();
  });

  test('keeps why a job failed, and does the others', async () => {
    const { path } = someMatrix('failed.npy');
    const spec = await specOf({ path, ranks: [[2], [500]], restarts: 1, options: { maxIterations: 5 } });
    const dir = at('failed');
    await openSweep(dir, spec);
    expect(await runHere(dir, jobsOf(spec), { children: [cpu], entry })).toEqual({ ran: 2, failed: 1 });
    const failures = await failuresIn(dir, await doneIn(dir));
    expect(failures).toMatchObject([{ ranks: [500], seed: 0, name: 'InputError', phase: 'fit' }]);
  });

  test('refuses data that have changed, and jobs of another version', async () => {
    const { path } = someMatrix('changed.npy');
    const spec = await specOf({ path, restarts: 1 });
    writeFileSync(path, encodeNpy({ rows: 2, cols: 2, data: Float32Array.of(1, 2, 3, 4) }));
    mkdirSync(at('changed'));
    const run = (jobs: Job[]) => runHere(at('changed'), jobs, { children: [cpu], entry });
    await expect(run(jobsOf(spec))).rejects.toThrow(/'.*changed.npy' is not the data of this sweep: its SHA-256 begins with/);
    await expect(run(jobsOf({ ...spec, version: '0.0.7' }))).rejects.toThrow(
      `The job was planned by orthant 0.0.7, and this is orthant ${version}`,
    );
  });
});
