/** One short fit of every method, as users call it, against the same fit on the f64 reference. */
import { randomLowRank } from '../../src/data/generate.js';
import type { Engine } from '../../src/engine.js';
import { deepNmf } from '../../src/methods/deep.js';
import { deepSemiNmf } from '../../src/methods/deep-semi.js';
import { hierarchicalNmf } from '../../src/methods/hierarchical.js';
import type { Factorization, Method } from '../../src/methods/methods.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { nmf } from '../../src/methods/nmf.js';
import { sparseCoding } from '../../src/methods/sparse-coding.js';
import { ssnmf } from '../../src/methods/ssnmf.js';
import { unfoldedNmf } from '../../src/methods/unfolded.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, expectAtMost, unit } from './support.js';

const [N, M, K] = [37, 43, 5];
const X = randomLowRank(N, M, K, { seed: 5, noise: 0.5 });
const labels = Array.from({ length: M }, (_, c) => ['', 'a', 'b', 'c'][c % 4]);
const common = { seed: 3, restarts: 2, maxIterations: 10, tolerance: 0 };
const flat = { ...common, ranks: K };
const layered = { ...common, ranks: [K, 3] };

/**
 * An iteration rounds X̂ by about unit · √terms, relative to X, and does not enlarge what earlier ones rounded, since all of them
 * descend. Both factors of a layer are updated, each from a chain of three products or from a solve.
 */
const roundedSteps = 2 * 3 * layered.ranks.length * common.maxIterations;
const tolerance = roundedSteps * unit * Math.sqrt(M);

interface Fit {
  factorize(engine: Engine): Promise<Factorization>;
  /** A is free in sign. */
  signed?: boolean;
}

const fits: Record<string, Fit> & Record<Method, Fit> = {
  nmf: { factorize: (engine) => nmf(engine, X, { ...flat, solver: 'mu' }) },
  'nmf, hals': { factorize: (engine) => nmf(engine, X, { ...flat, solver: 'hals' }) },
  'nmf, anls': { factorize: (engine) => nmf(engine, X, { ...flat, solver: 'anls' }) },
  ssnmf: { factorize: (engine) => ssnmf(engine, X, { ...flat, labels }) },
  hierarchical: { factorize: (engine) => hierarchicalNmf(engine, X, layered) },
  deep: { factorize: (engine) => deepNmf(engine, X, layered) },
  'deep-semi': { factorize: (engine) => deepSemiNmf(engine, X, { ...layered, pretrainIterations: 10 }), signed: true },
  unfolded: { factorize: (engine) => unfoldedNmf(engine, X, { ...flat, layers: 4, untied: 2, startIterations: 10 }) },
  // Not with Adam, which moves entries whose gradient is all rounding by whole steps, and so parts from any other rounding.
  'sparse-coding': { factorize: (engine) => sparseCoding(engine, X, { ...layered, labels, optimiser: 'momentum' }), signed: true },
  neural: { factorize: (engine) => neuralNmf(engine, X, layered) },
};

export const fitsOfMethods: Case[] = Object.entries(fits).map(([name, { factorize, signed = false }]) => ({
  name: `${name}: a short fit`,
  async run({ engine }) {
    using reference = createReferenceEngine();
    const ours = await factorize(engine);
    const truth = await factorize(reference);
    const factors = { ...(signed ? {} : { A: ours.A }), S: ours.S };
    for (const [factor, layers] of Object.entries(factors))
      for (const { data } of layers)
        for (const x of data) if (!(x >= 0 && x < Number.POSITIVE_INFINITY)) throw new Error(`${factor} has the entry ${x}.`);
    for (const { data } of ours.A) if (!data.every(Number.isFinite)) throw new Error('A has an entry that is not finite.');
    ours.restartErrors.forEach((error, restart) => {
      const off = Math.abs(error - truth.restartErrors[restart]);
      expectAtMost(
        `the error of restart ${restart}, ${error}, where the reference says ${truth.restartErrors[restart]}: off by`,
        off,
        tolerance,
      );
    });
    expectAtMost('the SVD bound', (ours.svdBound ?? 0) - tolerance, ours.relativeError);
  },
}));
