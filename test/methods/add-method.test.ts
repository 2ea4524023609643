/** The method that CONTRIBUTING.md adds as its example, added as it says there: in how many places, and what follows from them. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { withLoader } from '../../scripts/load-typescript.mjs';
import { randomLowRank } from '../../src/data/generate.js';
import type { Matrix } from '../../src/data/matrix.js';
import type { Engine } from '../../src/engine.js';
import type { Program } from '../../src/graph/program.js';
import type { FitOptions, Model } from '../../src/methods/factorization.js';
import { lowRankCsv, workFolder } from '../support/cli.js';
import { lendDevice } from '../support/devices.js';
import { examplePieces, problemsIn, root } from '../support/examples.js';

const program = 'src/programs/mixed.ts';
const method = 'src/methods/mixed.ts';
const [list, face] = ['src/methods/methods.ts', 'src/index.ts'];
const pieces = await examplePieces('Add a method');
const { put } = workFolder();

/** The library as it is with the method. */
interface Library {
  mixedNmf(engine: Engine, X: Matrix, options: FitOptions & { steps?: number }): Promise<Model<'mixed', { steps: number }>>;
  programFor(name: 'mixed', shape: { rows: number; cols: number; ranks: number; steps?: number }): Program;
  transform(engine: Engine, model: Model, X: Matrix): Promise<Matrix[]>;
  modelFiles(model: Model): Record<string, Uint8Array | string>;
  modelFromFiles(read: (name: string) => Promise<Uint8Array>): Promise<Model>;
  createEngine(options: { device: GPUDevice }): Promise<Engine>;
  createReferenceEngine(): Engine;
}

/** The texts of all files that are new or changed. */
async function filesWithMethod(): Promise<Map<string, string>> {
  const [before, [imported, entry]] = [await readFile(path.join(root, list), 'utf8'), pieces.get(list)!.split('\n')];
  return new Map([
    [program, pieces.get(program)!],
    [method, pieces.get(method)!],
    [list, `${imported}\n${before.replace('export const methods = {\n', (head) => `${head}${entry}\n`)}`],
    [face, `${await readFile(path.join(root, face), 'utf8')}${pieces.get(face)}`],
  ]);
}

const X = randomLowRank(14, 11, 3, { seed: 2, noise: 0.05 });

test('it takes a program, a fit and two lines, beside its words', async () => {
  expect([...pieces.keys()]).toEqual([program, method, list, face]);
  expect(pieces.get(list)!.trimEnd().split('\n')).toHaveLength(2);
  expect(pieces.get(face)!.trimEnd().split('\n')).toHaveLength(1);
  const guide = await readFile(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const places = guide
    .split('## Add a method\n')[1]
    .split('\n## ')[0]
    .match(/^\d+\. /gm);
  expect(places!.length).toBeLessThanOrEqual(6);
  expect(problemsIn([program, method, list], await filesWithMethod())).toEqual([]);
});

test('then it fits on both executors, codes new samples, is saved, and has flags and help', async () => {
  const device = await lendDevice();
  const csv = put('data.csv', lowRankCsv(12, 9, 3));
  await withLoader(
    async (load) => {
      const library = (await load(face)) as Library;
      const reference = library.createReferenceEngine();
      using engine = await library.createEngine({ device });
      const options = { ranks: 3, steps: 2, maxIterations: 60, tolerance: 0, seed: 1 };
      const [ours, truth] = [await library.mixedNmf(engine, X, options), await library.mixedNmf(reference, X, options)];
      expect(Math.abs(ours.relativeError / truth.relativeError - 1)).toBeLessThan(1e-3);
      expect(truth.relativeError).toBeGreaterThanOrEqual(truth.svdBound!);
      truth.history.slice(1).forEach(({ relativeError }, i) => {
        expect(relativeError).toBeLessThanOrEqual(truth.history[i].relativeError * (1 + 1e-9));
      });
      expect(truth.settings.steps).toBe(2);
      await expect(library.mixedNmf(reference, X, { ...options, step: 2 } as object as FitOptions)).rejects.toThrow(
        "Did you mean 'steps'?",
      );
      await expect(library.mixedNmf(reference, X, { ...options, steps: 0 })).rejects.toThrow(/steps must be a positive integer/);

      const { sections } = library.programFor('mixed', { rows: 14, cols: 11, ranks: 3, steps: 5 });
      expect(sections.step.filter(({ kind }) => kind === 'multiplicativeUpdate')).toHaveLength(5);
      const [S] = await library.transform(reference, truth, X);
      expect([S.rows, S.cols]).toEqual([3, 11]);
      const files = library.modelFiles(truth);
      const bytes = (name: string) => (typeof files[name] === 'string' ? new TextEncoder().encode(files[name]) : files[name]);
      expect((await library.modelFromFiles(async (name) => bytes(name) as Uint8Array)).method).toBe('mixed');

      const { main } = (await load('src/cli/main.ts')) as typeof import('../../src/cli/main.js');
      const run = async (...argv: string[]) => {
        const said: string[] = [];
        const sink = () =>
          Object.assign(new Writable({ write: (chunk, _, done) => done(void said.push(String(chunk)) as never) }), { isTTY: false });
        const status = await main(argv, { stdout: sink(), stderr: sink(), env: {}, signal: new AbortController().signal });
        return { status, said: said.join('') };
      };
      expect((await run('fit', '--help')).said).toMatch(/--steps <n> +mixed: steps of A before each solve; default 1/);
      const fitted = await run('fit', csv, '--method', 'mixed', '--ranks', '3', '--steps', '2', '--device', 'cpu', '--json');
      expect(JSON.parse(fitted.said)).toMatchObject({ method: 'mixed', settings: { steps: 2 } });
      expect((await run('fit', csv, '--method', 'nmf', '--ranks', '3', '--steps', '2')).said).toMatch(
        /nmf has no option --steps; it belongs to mixed/,
      );
    },
    await filesWithMethod(),
  );
});
