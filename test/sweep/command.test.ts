/** `orthant sweep` and `orthant gather`, as the command line runs them. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { createEngine, loadModel, nmf, readMatrix } from '../../src/node.js';
import { consensus, largestComponents } from '../../src/ranks/consensus.js';
import type { SweepSummary } from '../../src/sweep/summary.js';
import { build } from '../support/build.js';
import { type CliResult, lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const matrix = put('m.csv', lowRankCsv(13, 11, 3));
let main: typeof import('../../src/cli/main.js').main;
beforeAll(async () => {
  await build();
  // From dist, whose children Node can start.
  ({ main } = await import(/* @vite-ignore */ pathToFileURL(path.resolve('dist/cli/main.js')).href));
});

const orthant = (argv: string[], settings: Parameters<typeof runCli>[1] = {}): Promise<CliResult> => runCli(argv, settings, main);
const quick = ['--method', 'nmf', '--solver', 'hals', '--device', 'cpu', '--max-iterations', '30'];
const sweep = (out: string, ...more: string[]) => ['sweep', matrix, ...quick, '--out', at(out), ...more];
const summaryIn = (dir: string) => JSON.parse(readFileSync(at(`${dir}/summary.json`), 'utf8')) as SweepSummary;

const readdirOf = (dir: string) =>
  readdirSync(at(dir))
    .filter((name) => !name.startsWith('.'))
    .sort();

async function until(met: () => boolean): Promise<void> {
  while (!met()) await pause(5);
}

describe('sweep', () => {
  test('prints errors by rank, names the best models, and does nothing twice', async () => {
    const argv = sweep('whole', '--ranks', '2..3', '--restarts', '3', '--seed', '7');
    const { status, stdout, stderr } = await orthant(argv);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^sweep +nmf, ranks 2 to 3, seeds 7 to 9: 6 fits$/m);
    expect(stdout).toMatch(/^fits +6 new, 0 were there$/m);
    expect(stdout).toMatch(/^rank +fits +best error +median +largest +deviation +SVD bound +cophenetic +dispersion +best seed$/m);

    // Every number again, from fits of this process.
    const engine = await createEngine({ prefer: 'cpu' });
    const { X } = await readMatrix(matrix);
    const { results, complete, failed, missing } = summaryIn('whole');
    expect({ complete, failed, missing }).toEqual({ complete: true, failed: [], missing: [] });
    for (const { ranks, best, median, largest, svdBound, cophenetic, dispersion } of results) {
      const fits = [];
      for (const seed of [7, 8, 9]) fits.push(await nmf(engine, X, { ranks, seed, solver: 'hals', maxIterations: 30 }));
      const errors = fits.map(({ relativeError }) => relativeError).sort((a, b) => a - b);
      expect([best!.relativeError, median, largest]).toEqual(errors);
      expect(svdBound).toBe(fits[0].svdBound);
      const kept = fits.find(({ seed }) => seed === best!.seed)!;
      expect((await loadModel(at(`whole/${best!.model}`))).A).toEqual(kept.A);
      expect(stdout).toContain(at(`whole/${best!.model}`));
      const samples = Array.from({ length: X.cols }, (_, m) => m);
      const agreement = consensus(fits.map(({ A, S }) => largestComponents(A[0], S[0], samples)));
      expect({ cophenetic, dispersion }).toEqual({ cophenetic: agreement.cophenetic, dispersion: agreement.dispersion });
    }
    engine.dispose();
    expect(readFileSync(at('whole/sweep.svg'), 'utf8')).not.toMatch(/NaN|Infinity|undefined/);

    const again = await orthant([...argv, '--json']);
    expect(again).toEqual({ status: 0, stderr: '', stdout: readFileSync(at('whole/summary.json'), 'utf8') });
    rmSync(at(`whole/${results[1].best!.model}`), { recursive: true });
    expect((await orthant(argv)).stdout).toMatch(/^fits +1 new, 5 were there$/m);
  });

  test('takes ranks of several layers, labels and weights as fit does', async () => {
    const labels = put('labels.txt', Array.from({ length: 13 }, (_, i) => ['a', 'b', ''][i % 3]).join('\n'));
    const options = ['--method', 'neural', '--labels', labels, '--device', 'cpu', '--max-iterations', '8'];
    const argv = ['sweep', matrix, ...options, '--ranks', '4,2', '--ranks', '3', '--restarts', '1', '--seed', '5', '--out', at('layers')];
    const { status, stdout, stderr } = await orthant(argv);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ranks +fits/m);
    const fit = ['fit', matrix, ...options, '--ranks', '4,2', '--restarts', '1', '--seed', '5', '--out', at('one')];
    expect((await orthant(fit)).status).toBe(0);
    const [{ best }] = summaryIn('layers').results;
    const [swept, fitted] = [await loadModel(at(`layers/${best!.model}`)), await loadModel(at('one'))];
    for (const field of ['A', 'S', 'supervision', 'features', 'relativeError'] as const) expect(swept[field]).toEqual(fitted[field]);
  });

  test('lists the fits that fail with their error, and makes the others', async () => {
    const known = put('known.csv', Array.from({ length: 11 }, (_, i) => `${1 + i},${(i * i) % 7},${i % 3}`).join('\n'));
    const { status, stdout, stderr } = await orthant(
      sweep('some', '--ranks', '2..3', '--restarts', '2', '--fixed-a', known, '--workers', '2'),
    );
    expect(status).toBe(1);
    expect(stderr).toBe(
      `orthant: 2 of 4 fits have failed; the others are in '${at('some')}'. The same command tries those that failed again.\n`,
    );
    expect(stdout).toMatch(/^fits +2 new, 0 were there, 2 failed$/m);
    expect(stdout.replaceAll('\n', ' ')).toContain('2 fits failed (rank 2 seed 0; rank 2 seed 1): fixedA has 3 columns for a rank of 2');
    expect(summaryIn('some')).toMatchObject({ complete: false, missing: [], results: [{ fits: 0, best: null }, { fits: 2 }] });
    expect(readFileSync(at('some/sweep.svg'), 'utf8')).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('Ctrl-C keeps what is done, and the same command goes on', async () => {
    const interrupted = new AbortController();
    const argv = sweep('stopped', '--ranks', '1..2', '--restarts', '2', '--tolerance', '0', '--max-iterations', '2000');
    const stopping = orthant(argv, { signal: interrupted.signal });
    await until(() => existsSync(at('stopped/fits')) && readdirOf('stopped/fits').length > 0);
    interrupted.abort();
    const { status, stderr, stdout } = await stopping;
    expect([status, stdout]).toEqual([130, '']);
    const [, kept] = /^orthant: Ctrl-C ended the sweep\. (\d) of 4 fits are in /.exec(stderr)!;
    expect(readdirOf('stopped/fits')).toHaveLength(Number(kept));
    expect((await orthant(argv)).stdout).toMatch(new RegExp(`^fits +${4 - Number(kept)} new, ${kept} were there$`, 'm'));
  });
});

describe('shards', () => {
  const argv = (out: string, ...more: string[]) => sweep(out, '--ranks', '2..3', '--restarts', '3', ...more);

  test('are the whole, in folders of their own or in one', async () => {
    const env = { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_MIN: '4', SLURM_ARRAY_TASK_COUNT: '3' };
    expect((await orthant(argv('part1', '--shard', '1/3'))).stdout).toMatch(/^shard +1 of 3: 2 of 2 fits are in /m);
    expect((await orthant(argv('part2', '--shard', 'slurm'), { env })).stdout).toMatch(/^shard +2 of 3: 2 of 2 fits are in /m);
    const some = await orthant(['gather', at('part1'), at('part2'), '--out', at('parts')]);
    expect(some.status).toBe(1);
    expect(some.stderr).toContain(`2 of 6 fits are missing or failed in '${at('parts')}': shard 3/3.`);
    expect(some.stdout).toContain('Shard 3/3 has not been here.');
    expect(some.stdout).toContain('2 fits are missing (rank 2 seed 2; rank 3 seed 2).');

    // The last part works in the folder of all.
    await orthant(argv('parts', '--shard', 'kubernetes/3'), { env: { JOB_COMPLETION_INDEX: '2' } });
    const all = await orthant(['gather', at('parts'), '--json']);
    expect({ status: all.status, stderr: all.stderr }).toEqual({ status: 0, stderr: '' });
    await orthant(argv('undivided'));
    expect(summaryIn('parts')).toEqual(summaryIn('undivided'));
    for (const id of readdirOf('undivided/fits')) {
      const [one, other] = ['parts', 'undivided'].map((dir) => readFileSync(at(`${dir}/fits/${id}/factors.safetensors`)));
      expect(one.equals(other)).toBe(true);
    }
    expect(readdirOf('part1/fits')).toHaveLength(2);
  });

  test.each<[string, () => string[], string | RegExp]>([
    ['out of range', () => argv('none', '--shard', '4/3'), "--shard is '4/3', which is part 4 of 3"],
    ['no part', () => argv('none', '--shard', '1of3'), "--shard is '1of3'; it must be a part such as 3/10"],
    ['no variable', () => argv('none', '--shard', 'slurm'), 'The variable SLURM_ARRAY_TASK_ID is not set'],
    ['another seed', () => argv('undivided', '--seed', '3'), /'.*undivided' holds another sweep: its seed is 0, and of this sweep 3\./],
    ['other options', () => argv('undivided', '--tolerance', '0.1'), /holds another sweep: its options are \{.*\}, and of this sweep \{/],
    [
      'different sweeps',
      () => ['gather', at('parts'), at('whole'), '--out', at('none')],
      /'.*whole' holds another sweep: its seed is 7, and of the sweep in '.*parts' 0\./,
    ],
    ['no sweep', () => ['gather', at('.')], 'is no folder of a sweep: it has no sweep.json'],
    ['several, and no place', () => ['gather', at('part1'), at('part2')], '--out names the folder that they are copied into'],
    ['standard input', () => ['sweep', '-', '--ranks', '2', '--out', at('none')], 'standard input (-) can be read once'],
    ['a rank too many', () => sweep('none', '--ranks', '2,40'), /Rank 40 is more than/],
    ['a rank twice', () => sweep('none', '--ranks', '2..3', '--ranks', '3'), '--ranks has 3 twice; give it once.'],
    ['a start of factors', () => sweep('none', '--ranks', '2', '--start', at('part1')), '--start of a sweep must be random or nndsvd'],
    ['a start that is one', () => sweep('none', '--ranks', '2', '--start', 'nndsvd', '--restarts', '2'), '--restarts is 2, but every one'],
    ['an option of others', () => sweep('none', '--ranks', '2', '--pooling', 'max'), '--method nmf has no option --pooling'],
    ['seeds without end', () => sweep('none', '--ranks', '2', '--seed', '4294967290'), 'have seeds up to 4294967309, but the largest is'],
  ])('%s is refused in one sentence', async (_, argv, said) => {
    const { status, stdout, stderr } = await orthant(argv());
    expect([status, stdout]).toEqual([2, '']);
    if (typeof said === 'string') expect(stderr).toContain(said);
    else expect(stderr).toMatch(said);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync(at('none'))).toBe(false);
  });

  test('other data, another version, a damaged file are told apart, and nothing is lost', async () => {
    const before = readdirOf('undivided/fits');
    const spec = readFileSync(at('undivided/sweep.json'), 'utf8');
    put('m.csv', lowRankCsv(13, 11, 2));
    expect((await orthant(argv('undivided'))).stderr).toMatch(/^orthant: The sweep in '.*' is of other data: the SHA-256 of .* began with/);
    put('m.csv', lowRankCsv(13, 11, 3));
    writeFileSync(at('undivided/sweep.json'), spec.replace(/"version": ".*"/, '"version": "0.0.3"'));
    expect((await orthant(argv('undivided'))).stderr).toContain('was begun by orthant 0.0.3, and this sweep is of orthant');
    writeFileSync(at('undivided/sweep.json'), '{');
    expect((await orthant(argv('undivided'))).stderr).toMatch(/sweep\.json' is damaged/);
    writeFileSync(at('undivided/sweep.json'), spec);
    const factors = at(`undivided/fits/${before[0]}/factors.safetensors`);
    const whole = readFileSync(factors);
    writeFileSync(factors, 'cut');
    expect((await orthant(argv('undivided'))).stderr).toMatch(/The fit in '.*fits\/.*' is damaged\. .* Remove that folder/);
    writeFileSync(factors, whole);
    writeFileSync(at(`undivided/fits/${before[0]}/model.json`), '{');
    expect((await orthant(argv('undivided'))).stderr).toMatch(/model\.json' is damaged .* Remove the folder/);
    expect(readdirOf('undivided/fits')).toEqual(before);
  });
});
