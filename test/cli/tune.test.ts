/** `orthant tune` and `orthant devices --plan`, with a cache of their own, on the adapter that both choose, whichever it is. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Tuning } from '../../src/engine.js';
import { findTuning, forgetTuning, storeTuning } from '../../src/node/tuning-store.js';
import { kernelsTimed, tuningVersion } from '../../src/webgpu/tune/tuning.js';
import { lowRankCsv, runCli, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const env = { ORTHANT_CACHE: at('cache') };
const matrixFile = put('m.csv', lowRankCsv(10, 5, 2));
const fit = ['fit', matrixFile, '--ranks', '2', '--method', 'nmf', '--max-iterations', '3'];

/** One small tuning, which the tests below look at from all sides. */
let tuned: ReturnType<typeof tuneOnce> | undefined;
async function tuneOnce() {
  const result = await runCli(['tune', '--problem', '12x10x2'], { env });
  const [file] = readdirSync(at('cache')).filter((name) => name.startsWith('tuning-'));
  return { ...result, file: at(`cache/${file}`), text: readFileSync(at(`cache/${file}`), 'utf8') };
}
const once = () => (tuned ??= tuneOnce());

test('measures, shows what is faster than the default, and says where it is kept', async () => {
  const { status, stdout, stderr, file } = await once();
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\S.* clock\n\nwork +sizes up to +default +tuned +gain\nAᵀB +4×16×16 +\S+ \d+×\d+/);
  for (const work of ['solve', 'masked solve', 'sweep of rows', 'sweep of columns', 'AᵀB then sweep'])
    expect(stdout).toMatch(new RegExp(`^${work} +\\d+×\\d+`, 'm'));
  expect(stdout).not.toContain('sparse');
  expect(stdout).toContain(`Kept in ${file}; the other commands use it from now on.`);
  expect(readdirSync(at('cache'))).toHaveLength(1); // no temporary file
});

test('the other commands use it and say so; devices --plan shows both choices', async () => {
  const { file } = await once();
  const { stdout, stderr } = await runCli(fit, { env });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^device +\S.*, tuned/m);
  expect((await runCli(fit, { env: { ORTHANT_CACHE: at('elsewhere') } })).stdout).not.toContain('tuned');
  const plan = await runCli(['devices', '--plan'], { env });
  expect(plan.stdout).toMatch(/default +tuned +gain/);
  expect(plan.stdout).toContain(`Tuned: ${file}.`);
  expect(plan.stdout).toMatch(/neural, 87×90, ranks 9,4,2 +\d+\n/);
  const { plan: json } = JSON.parse((await runCli(['devices', '--plan', '--json'], { env })).stdout);
  expect(json).toMatchObject({
    tuning: { path: file },
    choices: expect.arrayContaining([
      expect.objectContaining({ kind: 'product', class: 'AᵀB 4×16×16' }),
      expect.objectContaining({ kind: 'solve', class: 'solve 4×16' }),
    ]),
  });
});

test('another problem, a sparse one, is added to what was measured before', async () => {
  const { file } = await once();
  const before = JSON.parse(readFileSync(file, 'utf8')) as Tuning;
  const { stdout } = await runCli(['tune', '--problem', '20x18x3', '--density', '0.2', '--json'], { env });
  const { path, tuning } = JSON.parse(stdout) as { path: string; tuning: Tuning };
  expect(path).toBe(file);
  const classes = (JSON.parse(readFileSync(file, 'utf8')) as Tuning).entries.map((entry) => `${entry.kind} ${entry.class}`);
  expect(new Set(classes).size).toBe(classes.length);
  for (const entry of [...before.entries, ...tuning.entries]) expect(classes).toContain(`${entry.kind} ${entry.class}`);
  expect(tuning.entries.filter(({ kind }) => kind === 'sparse')).toHaveLength(2);
});

describe('what cannot be used is named and does no harm', () => {
  test.each([
    ['another version', (text: string) => text.replace(/"version": \d+/, '"version": 99'), /another version of orthant/],
    ['another adapter', (text: string) => text.replace('"adapter": "', '"adapter": "not '), /measured on not /],
    ['half a file', (text: string) => text.slice(0, 200), /damaged/],
  ])('%s', async (name, change, says) => {
    const { file, text } = await once();
    const folder = name.replaceAll(' ', '-');
    await runCli(['devices'], { env });
    const elsewhere = { ORTHANT_CACHE: at(folder) };
    await storeTuning(JSON.parse(text), elsewhere);
    writeFileSync(file.replace('/cache/', `/${folder}/`), change(text));
    const { status, stdout, stderr } = await runCli(fit, { env: elsewhere });
    expect(status).toBe(0);
    expect(stdout).not.toContain('tuned');
    expect(stderr).toMatch(/^orthant: The tuning in .* is not used\. .*\n$/);
    expect(stderr).toMatch(says);
    const plan = await runCli(['devices', '--plan'], { env: elsewhere });
    expect(plan.stdout).toMatch(/^Not tuned: .* is not used\./m);
  });
});

test('--forget removes it, and says when there is nothing', async () => {
  const { file, text } = await once();
  const removed = await runCli(['tune', '--forget'], { env });
  expect(removed).toMatchObject({ status: 0, stdout: `Removed ${file}.\n` });
  expect(existsSync(file)).toBe(false);
  expect((await runCli(['tune', '--forget'], { env })).stdout).toMatch(/^Nothing was kept for \S/);
  expect((await runCli(['devices', '--plan'], { env })).stdout).toMatch(/^Not tuned: the default is used\. orthant tune/m);
  writeFileSync(file, text);
});

test.each([
  [['--problem', '12x10'], /rows × columns × rank/],
  [['--problem', '12x10x11'], /Rank 11 is more than a 12×10 matrix/],
  [['--problem', '12x10x2x0'], /rows × columns × rank/],
  [['--problem', '12x10x2', '--quick'], /give one of them/],
  [['--quick', '--density', '0.1'], /give --problem, too/],
  [['--problem', '12x10x2', '--density', '0'], /above 0 and at most 1/],
  [['--device', 'cpu'], /auto, gpu, software/],
])('bad input: %s', async (options, says) => {
  const { status, stdout, stderr } = await runCli(['tune', ...options], { env });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

test('adapters do not share a file, and a folder that cannot be written to is an error', async () => {
  const store = { ORTHANT_CACHE: at('store') };
  const tuning = (adapter: string): Tuning => ({
    version: tuningVersion,
    kernels: kernelsTimed,
    adapter,
    clock: 'wall clock',
    entries: [],
  });
  const names = ['A/B (GPU)', 'A B (GPU)', '../../A B (GPU)'];
  for (const name of names) await storeTuning(tuning(name), store);
  expect(readdirSync(at('store'))).toHaveLength(3);
  for (const name of names) expect((await findTuning(name, store))?.tuning?.adapter).toBe(name);
  expect(await forgetTuning(names[0], store)).toHaveLength(1);
  expect(await findTuning(names[0], store)).toBeUndefined();
  await expect(storeTuning(tuning('x'), { ORTHANT_CACHE: matrixFile })).rejects.toThrow(/could not be kept .*ORTHANT_CACHE/);
});
