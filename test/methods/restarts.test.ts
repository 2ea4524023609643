/** Restart r of a seed has the same bits beside any number of other restarts. */
import { afterAll, expect, test } from 'vitest';
import { randomLowRank } from '../../src/data/generate.js';
import { random } from '../../src/data/random.js';
import { type DataMatrix, isSparse, sparseFromDense } from '../../src/data/sparse.js';
import type { Engine, Run } from '../../src/engine.js';
import type { FitOptions } from '../../src/methods/factorization.js';
import { type Method, methodOf, methods, methodsWith } from '../../src/methods/methods.js';
import { createEngine } from '../../src/node/engine.js';

const engine = createEngine();
afterAll(async () => (await engine).dispose());

/** The engine, with the last entries that a fit reads of each tensor: its factors of all restarts. */
function watched(own: Engine): { engine: Engine; read: Map<string, ArrayLike<number>> } {
  const read = new Map<string, ArrayLike<number>>();
  const prepare = async (program: Parameters<Engine['prepare']>[0]): Promise<Run> => {
    const run = await own.prepare(program);
    return {
      ...run,
      read: async (tensor) => {
        const entries = await run.read(tensor);
        read.set(tensor.name, entries.slice());
        return entries;
      },
    };
  };
  return { engine: Object.create(own, { prepare: { value: prepare } }), read };
}

interface Given {
  ranks?: number[];
  cols?: number;
  sparse?: boolean;
  [option: string]: unknown;
}

const cases: [Method, Given][] = [
  ...(Object.keys(methods) as Method[]).flatMap((method): [Method, Given][] => [
    [method, {}],
    [method, { sparse: true }],
  ]),
  ['nmf', { solver: 'mu', stopping: 'initialError' }],
  ['nmf', { solver: 'hals' }],
  // From 256 columns on, all restarts together, solves of so many unknowns once had another kernel.
  ['nmf', { ranks: [18], cols: 83 }],
  ['hierarchical', { solver: 'mu', labelled: true }],
  ['neural', { labelled: true, cost: 'levels' }],
  ['neural', { optimiser: 'adam', batchColumns: 6, start: 'random' }],
  ['sparse-coding', { labelled: true, batchColumns: 7 }],
  ['deep-semi', { nonlinearity: 'tanh', pretrainIterations: 12 }],
];

const { integer } = random(14);

test.each(cases.map(([method, given]) => [`${method} ${JSON.stringify(given)}`, method, given] as const))(
  '%s',
  async (_name, method, given) => {
    const { ranks = [4, 2], cols = 13 + 2 * integer(8), sparse = false, labelled = false, ...own } = given;
    const [rows, seed] = [21 + 2 * integer(8), integer(2 ** 32)];
    const dense = randomLowRank(rows, cols, 5, { seed, noise: 0.5 });
    const thin = { ...dense, data: dense.data.map((x, at) => (at % 3 === 0 ? x : 0)) };
    const X: DataMatrix = sparse ? sparseFromDense(thin) : dense;
    const labels = Array.from({ length: cols }, (_, c) => ['', 'a', 'b'][c % 3]);
    const options: FitOptions = {
      ranks: methodOf(method).layers === 'one' ? ranks[0] : ranks,
      ...{ seed, tolerance: 3e-3, maxIterations: 60, checkEvery: 3, svdBound: false },
      ...(labelled && methodsWith('labels').includes(method) ? { labels } : {}),
      ...own,
    };
    const fits = [];
    for (const restarts of [5, 3, 1]) {
      const { engine: watching, read } = watched(await engine);
      const { elapsedMs, ...model } = await methodOf(method).fit(watching, X, { ...options, restarts } as never);
      fits.push({ restarts, model, read });
    }
    const what = `${method} of ${rows}×${cols}${isSparse(X) ? ', sparse' : ''}, seed ${seed}`;
    const [all, ...fewer] = fits;
    for (const { restarts, model, read } of fewer) {
      for (const [name, entries] of read) {
        const same = Array.from(all.read.get(name)!).slice(0, entries.length);
        expect(Array.from(entries), `${name} of ${restarts} and of ${all.restarts} restarts: ${what}`).toEqual(same);
      }
      // The error of the one that is kept is measured on the host.
      const others = (errors: readonly number[]) =>
        errors.slice(0, restarts).map((x, r) => (r === model.restart || r === all.model.restart ? 0 : x));
      expect(others(model.restartErrors), what).toEqual(others(all.model.restartErrors));
      if (model.restart === all.model.restart) expect({ ...model, restartErrors: [] }, what).toEqual({ ...all.model, restartErrors: [] });
    }
  },
);
