/**
 * Random fits of every method, each judged by plain loops in f64: test/support/sound.ts. An error is sound where nothing else could be
 * said of the data. `npm run sound` makes 500 fits on each executor; SOUND_FITS is another number, SOUND_FIRST the first one's.
 */
import { afterAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine.js';
import { OrthantError } from '../../src/errors.js';
import { type Factorization, methodOf } from '../../src/methods/methods.js';
import { createEngine } from '../../src/node/engine.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { allMethods, inOneLine, type RandomFit, randomFit } from '../support/random-fits.js';
import { faultsOf } from '../support/sound.js';

const inEarnest = (import.meta as { env?: { MODE?: string } }).env?.MODE === 'sound';
const count = Number(process.env.SOUND_FITS ?? (inEarnest ? 500 : 32));
const first = Number(process.env.SOUND_FIRST ?? 0);

const started = new Map<boolean, Promise<Engine>>();
afterAll(async () => {
  for (const engine of started.values()) (await engine).dispose();
});
function device(halfInputs: boolean): Promise<Engine> {
  const engine = started.get(halfInputs) ?? createEngine({ halfInputs });
  started.set(halfInputs, engine);
  return engine;
}
const engines: Record<string, (fit: RandomFit) => Promise<Engine>> = {
  reference: async () => createReferenceEngine(),
  device: ({ halfInputs }) => device(halfInputs),
};

/** Errors that the data make unavoidable. */
const unavoidable: { says: RegExp; where: (fit: RandomFit) => boolean }[] = [
  { says: /^Every entry of X is zero/, where: ({ X }) => X.data.every((x) => x === 0) },
  {
    says: /^The option 'weights' leaves no entry/,
    where: ({ X, options: { weights } }) => weights !== undefined && X.data.every((x, at) => x * weights.data[at] === 0),
  },
  {
    says: /^Entries of X are so (small|large), .* single precision cannot hold the factors/,
    where: ({ X }) => Math.abs(Math.log2(X.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0))) > 90,
  },
];

/** The errors that advise another seed, more restarts, smaller ranks, a smaller penalty or a lower rate. */
const advises = /(became|holds) .* Take another seed/;

/** The fit as such an error advises, in turn: every piece of advice on top of those before. */
function asAdvised(fit: RandomFit): RandomFit[] {
  const { options, method } = fit;
  const seeds = [1, 2, 3].map((n) => ({ ...options, seed: (options.seed as number) + n, restarts: 6 }));
  const ranks = { ...seeds[0], ranks: options.ranks.map((k) => Math.ceil(k / 2)) };
  const gentle: RandomFit['options'] = { ...ranks };
  const name = options.optimiser ?? (method === 'sparse-coding' ? 'adam' : undefined);
  if (name !== undefined && name !== 'projected') gentle.optimiser = { name, rate: 1e-4 };
  if (options.l1 !== undefined || method === 'sparse-coding') gentle.l1 = 0;
  return [...seeds, ranks, gentle].map((advised) => ({ ...fit, options: advised }));
}

interface Verdict {
  faults: string[];
  /** The error, where there is no result. */
  refusal?: string;
}

async function judge(fit: RandomFit, engine: Engine): Promise<Verdict> {
  let result: Factorization;
  try {
    result = (await methodOf(fit.method).fit(engine, fit.given, fit.options)) as Factorization;
  } catch (error) {
    const { name, message } = error as Error;
    const refusal = `${name}: ${message}`;
    if (!(error instanceof OrthantError)) return { faults: [refusal], refusal };
    if (unavoidable.some(({ says, where }) => says.test(message) && where(fit))) return { faults: [], refusal };
    for (const advised of advises.test(message) ? asAdvised(fit) : []) {
      const done = await methodOf(fit.method)
        .fit(engine, advised.given, advised.options)
        .catch(() => undefined);
      if (done) return { faults: faultsOf(advised, done as Factorization), refusal };
    }
    return { faults: [refusal], refusal };
  }
  return { faults: faultsOf(fit, result) };
}

describe.each(Object.keys(engines))('on the %s', (executor) => {
  test(`${count} random fits`, async () => {
    const refusals = new Map<string, number>();
    const unsound: string[] = [];
    const perMethod = new Map(allMethods.map((method) => [method, 0]));
    for (let number = first; number < first + count; number++) {
      const fit = randomFit(number);
      const { faults, refusal } = await judge(fit, await engines[executor](fit));
      const kind = refusal?.replace(/-?\d[\d.e+-]*/g, '#');
      if (kind) refusals.set(kind, (refusals.get(kind) ?? 0) + 1);
      else perMethod.set(fit.method, perMethod.get(fit.method)! + 1);
      if (faults.length > 0) unsound.push(`${inOneLine(fit)}\n    ${faults.join('\n    ')}`);
    }
    if (inEarnest)
      console.log(
        [
          `${count} fits on the ${executor}, ${unsound.length} unsound. Results: ${[...perMethod].map(([name, n]) => `${name} ${n}`).join(', ')}.`,
          ...[...refusals].map(([kind, n]) => `${n} × ${kind}`),
        ].join('\n'),
      );
    expect(unsound.join('\n')).toBe('');
  });
});
