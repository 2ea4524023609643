/** What is split, how, and what is refused: all of it decided before a buffer is made. */
import { expect, test } from 'vitest';
import { LimitError } from '../../src/errors.js';
import type { Program } from '../../src/graph/program.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { deepProgram } from '../../src/programs/deep.js';
import { deepSemiProgram } from '../../src/programs/deep-semi.js';
import { hierarchicalProgram } from '../../src/programs/hierarchical.js';
import { neuralProgram } from '../../src/programs/neural.js';
import { nmfProgram } from '../../src/programs/nmf.js';
import { qProgram } from '../../src/programs/q.js';
import { sparseCodingProgram } from '../../src/programs/sparse-coding.js';
import { ssnmfProgram } from '../../src/programs/ssnmf.js';
import { unfoldedProgram } from '../../src/programs/unfolded.js';
import { placeOf } from '../../src/webgpu/layout/layout.js';
import { lower } from '../../src/webgpu/lower/lower.js';
import { lowerStep, scratchFits } from '../../src/webgpu/lower/lower-steps.js';
import { padPanel, readTensors } from '../../src/webgpu/panels/panel-io.js';
import { planPanels, rangesBetween } from '../../src/webgpu/panels/panels.js';
import { splitProgram } from '../../src/webgpu/panels/split-program.js';
import type { AdapterFacts } from '../../src/webgpu/plan/planner.js';
import { fuse } from '../../src/webgpu/steps/fuse.js';

const factsWith = (maxStorageBinding: number): AdapterFacts => ({
  software: true,
  subgroups: true,
  maxWorkgroupsPerDimension: 65_535,
  maxStorageBinding,
  maxBufferSize: 1 << 30,
  maxWorkgroupStorage: 32_768,
  maxInvocationsPerWorkgroup: 256,
});

/** Every dispatch of a program on a device that binds `limit` bytes; how much each binds. */
function dispatchesOf(original: Program, limit: number) {
  const facts = factsWith(limit);
  const program = fuse(original);
  const split = splitProgram(program, planPanels(program, limit), (operation) => scratchFits(lower(operation, facts), facts));
  return Object.values(split.sections)
    .flat()
    .flatMap((step) => lowerStep(step, facts, {}).map((dispatch) => ({ step, dispatch })));
}

const restarts = 2;
const labels = { classes: 3, weight: 1 };
const coding = { restarts, batchColumns: 17, reconstruction: 1, learnLambda: true, optimiser: { name: 'adam', rate: 0.01 } } as const;
const bridge = { pooling: 'max', poolSize: 2, poolOver: 'features', activation: 'log1p', power: 0.5 } as const;
const programs: [string, (N: number, M: number) => Program][] = [
  ...(['mu', 'anls'] as const).flatMap((solver) =>
    [false, true].map((weighted): [string, (N: number, M: number) => Program] => [
      `nmf ${solver}${weighted ? ' weighted' : ''}`,
      (N, M) => nmfProgram(N, M, 5, { restarts, solver, weighted }).program,
    ]),
  ),
  ['q', (N, M) => qProgram(N, M, 5, { l1: 0.1 }).program],
  ['hierarchical', (N, M) => hierarchicalProgram(N, M, [6, 3], { restarts, solver: 'anls' }).program],
  ['neural', (N, M) => neuralProgram(N, M, [6, 3], { restarts, start: 'hierarchical' }).program],
  ['neural weighted', (N, M) => neuralProgram(N, M, [6, 3], { restarts, start: 'random', weighted: true }).program],
  [
    'neural on mini-batches',
    (N, M) => neuralProgram(N, M, [6, 3], { restarts, start: 'random', optimiser: { name: 'adam', rate: 0.01 }, batchColumns: 17 }).program,
  ],
  ...([1, 2, 3, 4, 5, 6] as const).map((model): [string, (N: number, M: number) => Program] => [
    `ssnmf ${model}`,
    (N, M) => ssnmfProgram(N, M, 5, { restarts, model, classes: 3, masked: true }).program,
  ]),
  ['deep', (N, M) => deepProgram(N, M, [6, 3], { restarts, bridge, weights: [1, 1], supervision: { classes: 3, labelWeight: 1 } }).program],
  ['deep-semi', (N, M) => deepSemiProgram(N, M, [6, 3], { restarts, nonlinearity: 'identity', labels }).program],
  ['unfolded', (N, M) => unfoldedProgram(N, M, { rank: 5, layers: 3, untied: 1, beta: 1, l1: 0, sources: 2 }, restarts).program],
  ['sparse-coding', (N, M) => sparseCodingProgram(N, M, [6, 3], coding).program],
];

test.each(programs)('%s: X and all that is as large is split, and nothing larger than the limit is bound', (_, make) => {
  for (const [N, M, limit] of [
    [330, 90, 16_384],
    [190, 290, 40_960],
  ]) {
    const program = make(N, M);
    const X = program.tensors.find(({ name }) => name === 'X')!;
    expect(planPanels(program, limit).get(X)!.panels.length).toBeGreaterThanOrEqual(3);
    for (const { dispatch } of dispatchesOf(program, limit)) {
      for (const bound of dispatch.bindings) {
        if ('scratch' in bound) expect(bound.bytes).toBeLessThanOrEqual(limit);
        else {
          const { holder, offset, size } = placeOf(bound);
          const total = holder.rows * Math.ceil(holder.cols / 4) * 16 * holder.batch;
          expect(total).toBeLessThanOrEqual(limit);
          expect(offset % 256).toBe(0);
          expect(offset + (size ?? total)).toBeLessThanOrEqual(total);
        }
      }
    }
  }
});

test('a tensor that just fits one binding stays whole, one row more does not', () => {
  const written = programBuilder('limit');
  const [fits, exceeds] = [16, 17].map((rows) => written.input(`${rows} rows`, rows, 32));
  const sums = [1, 2].map((i) => written.state(`sum ${i}`, 1, 1));
  written.section('all', () => {
    for (const [i, X] of [fits, exceeds].entries()) written.reduce(X, 'sum', { into: sums[i] });
  });
  const panelled = planPanels(fuse(written.build()), 16 * 32 * 4);
  expect([panelled.has(fits), panelled.has(exceeds)]).toEqual([false, true]);
});

test('a program whose tensors all fit is left as it is', () => {
  const { program } = neuralProgram(87, 90, [9, 4, 2], { restarts: 3, start: 'hierarchical' });
  const split = splitProgram(program, planPanels(program, 1 << 27), () => true);
  expect(split.sections).toEqual(program.sections);
});

test('X goes by columns where S has to, and is copied neither then nor by rows', () => {
  for (const [N, M, limit, axis] of [
    [330, 90, 16_384, 'rows'],
    [100, 900, 16_384, 'cols'],
  ] as const) {
    const { program, X, S } = nmfProgram(N, M, 5, { restarts: 1, solver: 'anls', weighted: false });
    const panelled = planPanels(program, limit);
    expect(panelled.get(X)?.axis).toBe(axis);
    expect(panelled.get(S)?.axis).toBe(axis === 'cols' ? 'cols' : undefined);
    for (const { step } of dispatchesOf(program, limit)) {
      if (step.kind === 'copyColumns') expect(step.inputs[0].name.startsWith('X'), step.inputs[0].name).toBe(false);
    }
  }
});

test('ranges cover an axis without gaps', () => {
  expect(rangesBetween([], 5)).toEqual([{ first: 0, size: 5 }]);
  expect(rangesBetween([32, 0, 16, 32, 40], 40)).toEqual([
    { first: 0, size: 16 },
    { first: 16, size: 16 },
    { first: 32, size: 8 },
  ]);
});

test.each([
  [100, 7],
  [7, 100],
])('what is written in panels is read back, %i×%i, for one and for every restart', async (rows, cols) => {
  const p = programBuilder('copies', { restarts: 3 });
  const X = p.state('X', rows, cols);
  const Y = p.state('Y', rows, cols);
  p.section('all', () => p.copy(X, Y));
  const panelled = planPanels(p.build(), 2048);
  const { panels } = panelled.get(X)!;
  expect(panels.length).toBeGreaterThan(2);
  for (const count of [1, 3]) {
    const entries = Float32Array.from({ length: rows * cols * count }, (_, i) => i + 1);
    const held = new Map(panels.map((panel) => [panel as unknown, padPanel(panel, entries)]));
    const [back] = await readTensors([X], panelled, async ([panel]) => [held.get(panel)!]);
    const once = Array.from(entries);
    expect(Array.from(back)).toEqual(count === 1 ? [...once, ...once, ...once] : once);
  }
  expect(() => padPanel(panels[0], new Float32Array(5))).toThrow(/takes 700 entries/);
});

/** Why the tensors of a program cannot be split. */
function refusal(limit: number, write: (p: ProgramBuilder) => void, count = 1): string {
  const p = programBuilder('large', { restarts: count });
  p.section('all', () => write(p));
  try {
    planPanels(p.build(), limit);
  } catch (error) {
    expect(error).toBeInstanceOf(LimitError);
    return (error as Error).message;
  }
  throw new Error('It was not refused.');
}

test('what no plan can serve is refused with the tensor, its size, the limit, the reason and a way out', () => {
  const wide = refusal(1 << 20, (p) => p.takeColumns(p.input('X', 400, 40_000), p.input('order', 1, 40_000), p.controlState(), 10));
  expect(wide).toMatch(
    /X of program large \(400×40000\) takes 61.0 MiB, but this device binds 1.0 MiB at once \(maxStorageBufferBindingSize/,
  );
  expect(wide).toMatch(/a panel of 16 rows takes 2.4 MiB already, and takeColumns needs all of its columns/);
  const many = refusal(1 << 20, (p) => p.gram(p.state('A', 3000, 3000)), 40);
  expect(many).toMatch(/3000×3000 ×40.*Use fewer restarts/);
  const solved = refusal(
    1 << 20,
    (p) => {
      const S = p.state('S', 20, 200);
      p.nnls(p.input('G', 20, 20), p.input('B', 20, 200, { batched: true }), S);
      p.projectedStep(S, S, p.input('Q', 200, 200), p.controlState(), { layer: 0 });
    },
    200,
  );
  expect(solved).toMatch(/nnls needs all of its rows, and projectedStep needs all of its columns/);
});
