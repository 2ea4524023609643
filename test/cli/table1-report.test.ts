/** The experiment of Table 1 without its numbers: which columns are labelled, what is compared with what, and the report. */
import { describe, expect, test } from 'vitest';
import {
  againstBaselines,
  againstPublished,
  type Cell,
  type CellStopping,
  type ComparedMethod,
  comparedMethods,
  depths,
  drawLabelled,
  runTableOne,
  supervisions,
  type TableOneRun,
} from '../../src/cli/table1-experiment.js';
import { statement, tableMarkdown } from '../../src/cli/table1-report.js';
import { heatMapSvg } from '../../src/cli/table1-svg.js';
import { tableOne } from '../../src/data/generate.js';
import { matrix } from '../../src/data/matrix.js';
import { InputError } from '../../src/errors.js';
import { createReferenceEngine } from '../../src/reference/engine.js';

describe('labelled columns', () => {
  const classes = tableOne(0).labels[9];

  test.each(Array.from({ length: 40 }, (_, seed) => seed))('seed %i: 36 of 90, every class among them, the same again', (seed) => {
    const labelled = drawLabelled(classes, 0.4, seed);
    expect(labelled.filter(Boolean)).toHaveLength(36);
    expect(new Set(classes.filter((_, c) => labelled[c])).size).toBe(9);
    expect(drawLabelled(classes, 0.4, seed)).toEqual(labelled);
  });

  test('differ by seed, and are spread over the columns', () => {
    const draws = Array.from({ length: 300 }, (_, seed) => drawLabelled(classes, 0.4, seed));
    expect(new Set(draws.map((draw) => draw.join())).size).toBe(300);
    for (let c = 0; c < 90; c++) {
      const share = draws.filter((draw) => draw[c]).length / 300;
      expect(share).toBeGreaterThan(0.28);
      expect(share).toBeLessThan(0.55); // classes of five columns are never left out, so theirs are drawn a little more often
    }
  });

  test('too few for the classes is an error, not an endless loop', () => {
    expect(() => drawLabelled([0, 1, 2, 3], 0.5, 0)).toThrow(RangeError);
  });
});

/** All 45 cells with one error and accuracy by method; early cells are worse. */
function madeUp(change: (cell: Cell) => Partial<Cell> = () => ({})): Cell[] {
  const flat = (value: number) => ({ median: value, min: value, max: value });
  return supervisions.flatMap((supervision) =>
    depths.flatMap((layers) =>
      comparedMethods.flatMap((method) =>
        (method === 'neural' ? ['converged'] : ['converged', 'early']).map((stopping) => {
          const cell: Cell = {
            supervision,
            layers,
            method,
            stopping: stopping as CellStopping,
            error: flat(method === 'neural' ? 0.1 : stopping === 'early' ? 0.3 : 0.2),
            accuracy: supervision === 'none' ? null : flat(method === 'neural' ? 1 : 0.9),
            unlabelledAccuracy: supervision === 'semi' ? flat(method === 'neural' ? 1 : 0.8) : null,
            published: { error: 0.15, accuracy: supervision === 'none' ? null : 1 },
          };
          return { ...cell, ...change(cell) };
        }),
      ),
    ),
  );
}

const runsOfCells = (cells: Cell[]): TableOneRun[] =>
  cells.map(({ supervision, layers, method, stopping, error, accuracy, unlabelledAccuracy }) => ({
    ...{ supervision, layers, method, stopping, seed: 0 },
    error: error.median,
    ratio: 1.001,
    accuracy: accuracy?.median ?? null,
    unlabelledAccuracy: unlabelledAccuracy?.median ?? null,
    converged: true,
    iterations: 10,
  }));

describe('where Neural NMF does not win', () => {
  const at = (cell: Cell, supervision: string, layers: number, method: ComparedMethod, stopping: CellStopping) =>
    cell.supervision === supervision && cell.layers === layers && cell.method === method && cell.stopping === stopping;

  test('nowhere, when it is better everywhere', () => {
    const cells = madeUp();
    // Four other cells in each of nine rows: errors in all, accuracies in six, on unlabelled columns in three.
    expect(againstBaselines(cells)).toHaveLength(4 * (9 + 6 + 3));
    expect(againstBaselines(cells).every(({ outcome }) => outcome === 'better')).toBe(true);
    const [notWon] = statement(cells, runsOfCells(cells));
    expect(notWon).toMatchObject({ text: 'Its median is strictly the best in every cell.', items: [] });
  });

  test('names a lost error and a tied accuracy, with their figures', () => {
    const cells = madeUp((cell) => {
      if (at(cell, 'none', 1, 'hierarchical', 'converged')) return { error: { median: 0.05, min: 0.05, max: 0.05 } };
      if (at(cell, 'full', 3, 'deep', 'early')) return { accuracy: { median: 1, min: 1, max: 1 } };
      return {};
    });
    const notWon = againstBaselines(cells).filter(({ outcome }) => outcome !== 'better');
    expect(notWon.map(({ measure, method, stopping, outcome }) => [measure, method, stopping, outcome])).toEqual([
      ['error', 'hierarchical', 'converged', 'worse'],
      ['accuracy', 'deep', 'early', 'equal'],
    ]);
    const [{ text, items }] = statement(cells, runsOfCells(cells));
    expect(text).toMatch(/Of 72 comparisons .* wins 70, ties 1 and loses 1 /);
    expect(items).toEqual([
      'unsupervised, 1 layer, error 0.1000: worse than hierarchical, converged (0.0500)',
      'supervised, 3 layers, accuracy 1.000: tied with deep, early (1.000)',
    ]);
  });

  test.each([
    [0.1, 'equal'],
    [0.09991, 'equal'],
    [0.1000999, 'equal'],
    [0.0998, 'worse'],
    [0.1002, 'better'],
  ])('an error of %f against its 0.1 is %s', (other, outcome) => {
    const cells = madeUp((cell) => (at(cell, 'semi', 2, 'deep', 'converged') ? { error: { median: other, min: other, max: other } } : {}));
    const one = againstBaselines(cells).find(
      (s) => s.measure === 'error' && s.supervision === 'semi' && s.layers === 2 && s.method === 'deep' && s.stopping === 'converged',
    );
    expect(one!.outcome).toBe(outcome);
  });

  test('against the published figures', () => {
    const cells = madeUp((cell) => (at(cell, 'full', 1, 'neural', 'converged') ? { published: { error: 0.0999, accuracy: 1 } } : {}));
    const worse = madeUp((cell) => (at(cell, 'semi', 1, 'neural', 'converged') ? { published: { error: 0.05, accuracy: 1 } } : {}));
    const errors = (of: Cell[]) => againstPublished(of).filter(({ measure }) => measure === 'error');
    expect(errors(cells).map(({ outcome }) => outcome)).toEqual([...Array(6).fill('better'), 'equal', 'better', 'better']);
    expect(errors(worse)[3]).toMatchObject({ outcome: 'worse', supervision: 'semi', layers: 1 });
    expect(againstPublished(cells).filter(({ measure, outcome }) => measure === 'accuracy' && outcome === 'equal')).toHaveLength(6);
  });
});

test('the report says which converged fits had not settled', () => {
  const cells = madeUp();
  const runs = runsOfCells(cells).map((run) => ({ ...run, converged: run.method !== 'deep' }));
  const svdBounds = depths.map((layers) => ({ layers, rank: 2, median: 0.1, perSeed: [0.1] }));
  const facts = { restarts: 8, device: 'a device', figures: [] };
  const markdown = tableMarkdown({ seeds: 1, svdBounds, cells }, runs, facts);
  expect(markdown).toContain('9 of the 27 converged fits');
  expect(markdown).toContain('deep (unsupervised, 1 layer)');
  expect(markdown).toContain('Computed on a device.');
});

test('the report names the cells in which the early stop is the better one', () => {
  const early = (cell: Cell) => cell.method === 'deep' && cell.layers === 2 && cell.supervision === 'none' && cell.stopping === 'early';
  const cells = madeUp((cell) => (early(cell) ? { error: { median: 0.15, min: 0.1, max: 0.2 } } : {}));
  const one = statement(cells, runsOfCells(cells)).find(({ title }) => title.includes('early'))!;
  expect(one.text).toMatch(/^In 1 of 18 cells /);
  expect(one.items).toEqual(['unsupervised, 2 layers, deep: 0.1500 early, 0.2000 converged']);
});

describe('heat map', () => {
  test('draws every entry once, with its colour', () => {
    const X = matrix(3, 4, [0, 0, 1, 2, 2, 2, 2, 2, 0, 1, 0, 1]);
    const svg = heatMapSvg({ title: 'A < B', caption: 'x & y', matrix: X, high: 2, groups: [0, 0, 1, 1] });
    expect(svg).toContain('A &lt; B');
    const seen = new Map<string, string>();
    for (const [, colour, d] of svg.matchAll(/<path stroke="(#[0-9a-f]{6})" d="([^"]+)"\/>/g)) {
      for (const [, x, y, width] of d.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
        for (let c = Number(x); c < Number(x) + Number(width); c++) {
          expect(seen.has(`${y},${c}`)).toBe(false);
          seen.set(`${y},${c}`, colour);
        }
      }
    }
    expect(seen.size).toBe(12);
    const colours = new Map<number, string>();
    X.data.forEach((value, i) => {
      const colour = seen.get(`${Math.floor(i / 4)},${i % 4}`)!;
      expect(colours.get(value) ?? colour).toBe(colour);
      colours.set(value, colour);
    });
    expect(new Set(colours.values()).size).toBe(3);
  });
});

test.each([[{ seeds: 0, restarts: 1 }], [{ seeds: 1.5, restarts: 1 }]])('options %j are refused', async (options) => {
  await expect(runTableOne(createReferenceEngine(), options)).rejects.toThrow(InputError);
});

test('counts its fits and can be cancelled', async () => {
  const cancel = new AbortController();
  const seen: [number, number, string | undefined][] = [];
  const work = runTableOne(createReferenceEngine(), {
    ...{ seeds: 2, restarts: 1, maxIterations: 1, signal: cancel.signal },
    onRun: (done, total, next) => {
      seen.push([done, total, next?.method]);
      if (done === 2) cancel.abort();
    },
  });
  await expect(work).rejects.toThrow('cancelled');
  expect(seen).toEqual([
    [0, 90, 'hierarchical'],
    [1, 90, 'hierarchical'],
    [2, 90, 'deep'],
  ]);
});
