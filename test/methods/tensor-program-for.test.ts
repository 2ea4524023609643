/** The programs of tensors without data are those that the fits prepare. */
import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/data/tensors.js';
import { InputError } from '../../src/errors.js';
import { printProgram } from '../../src/graph/print.js';
import type { Program } from '../../src/graph/program.js';
import { ncp } from '../../src/methods/ncp.js';
import { neuralNcp } from '../../src/methods/neural-ncp.js';
import { type TensorProgramOptions, tensorProgramFor } from '../../src/methods/tensor-program-for.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

const X = tensor(
  [5, 4, 3],
  Array.from({ length: 60 }, (_, at) => ((at * 37) % 11) / 11),
);
const short = { maxIterations: 1, starts: 1, startIterations: 1, bounds: false } as const;

/** The last program that a fit prepares is its own. */
async function lastOf(run: (engine: ReturnType<typeof createReferenceEngine>) => Promise<unknown>): Promise<Program> {
  using reference = createReferenceEngine();
  const programs: Program[] = [];
  await run({
    ...reference,
    prepare(program) {
      programs.push(program);
      return reference.prepare(program);
    },
  } as typeof reference);
  return programs.at(-1)!;
}

test.each(['hals', 'anls'] as const)('ncp by %s', async (solver) => {
  const prepared = await lastOf((engine) => ncp(engine, X, { ...short, rank: 4, solver, restarts: 2 }));
  const made = tensorProgramFor('ncp', { shape: [5, 4, 3], rank: 4, solver, restarts: 2 });
  expect(printProgram(made)).toBe(printProgram(prepared));
});

test.each([{ factors: 'held' }, { factors: 'learned', weights: [1, 2, 0.5], modes: [2, 0] }] as const)('neural-ncp %o', async (own) => {
  const options = { ...own, rank: 4, ranks: [3, 2], restarts: 2 };
  const prepared = await lastOf((engine) => neuralNcp(engine, X, { ...short, ...options, chains: 1 }));
  expect(printProgram(tensorProgramFor('neural-ncp', { shape: [5, 4, 3], ...options }))).toBe(printProgram(prepared));
});

describe('bad input', () => {
  const good = { shape: [5, 4, 3], rank: 4, ranks: [3, 2] };
  test.each<[string, Partial<TensorProgramOptions> & Record<string, unknown>, string, RegExp]>([
    ['one mode', { shape: [5] }, 'shape', /order 1/],
    ['a rank too large', { rank: 129 }, 'rank', /at most 128/],
    ['no levels', { ranks: undefined }, 'ranks', /ranks must be a list/],
    ['levels that grow', { ranks: [3, 4] }, 'ranks', /must not grow/],
    ['weights of zero', { weights: 0 }, 'weights', /zero/],
    ['a solver', { solver: 'hals' }, 'solver', /no option 'solver'/],
    ['no restarts', { restarts: 0 }, 'restarts', /restarts/],
    ['half an entry', { cooEntries: 0.5 }, 'cooEntries', /cooEntries/],
  ])('%s', (_, options, option, message) => {
    let error: unknown;
    try {
      tensorProgramFor('neural-ncp', { ...good, ...options } as TensorProgramOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InputError);
    expect([(error as InputError).option, (error as InputError).message]).toEqual([option, expect.stringMatching(message)]);
  });
  test('another method', () => {
    expect(() => tensorProgramFor('hntf' as 'ncp', { shape: [5, 4, 3], rank: 4 })).toThrow(
      /no method "hntf" of tensors; there are ncp and neural-ncp/,
    );
  });
});
