import type { Random } from '../../src/data/random.js';
import { control } from '../../src/graph/operations.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { type Case, differential, type Entries, execute, expectClose, signedEntries, uniformEntries } from './support.js';

const shapes = [
  { rows: 1, cols: 1 },
  { rows: 7, cols: 33 },
  { rows: 87, cols: 90 },
  { rows: 4, cols: 65_541 },
];

interface Written {
  inputs: [string, number, number, Entries, { shared?: boolean }?][];
  operate(p: ProgramBuilder, inputs: Tensor[], out: Tensor): void;
  out: [number, number, Entries?];
  terms: number;
}

/** One operation over three restarts, from the inputs named to one output state. */
function operation(name: string, write: (r: Random) => Written): Case {
  return differential(
    name,
    (p, r) => {
      const { inputs, operate, out, terms } = write(r);
      const values = new Map<Tensor, Entries>();
      const tensors = inputs.map(([label, rows, cols, entries, options]) => {
        const tensor = p.input(label, rows, cols, { batched: !options?.shared });
        values.set(tensor, entries);
        return tensor;
      });
      const result = p.state('out', out[0], out[1]);
      if (out[2]) values.set(result, out[2]);
      p.section('all', () => operate(p, tensors, result));
      return { values, compare: [{ tensor: result, terms }] };
    },
    { restarts: 3 },
  );
}

const perShape = shapes.flatMap(({ rows, cols }) => {
  const size = rows * cols;
  const at = `${rows}×${cols}`;
  const signed = (r: Random) => signedEntries(r, 3 * size);
  const positive = (r: Random) => uniformEntries(r, 3 * size).map((x) => x + 0.1);
  return [
    operation(`combine ${at}`, (r) => ({
      inputs: [
        ['X', rows, cols, signed(r)],
        ['Y', rows, cols, signedEntries(r, size), { shared: true }],
      ],
      operate: (p, [X, Y], out) => p.combine(2, X, -0.75, Y, { into: out }),
      out: [rows, cols],
      terms: 2,
    })),
    operation(`hadamard ${at}`, (r) => ({
      inputs: [
        ['X', rows, cols, signed(r)],
        ['Y', rows, cols, signed(r)],
      ],
      operate: (p, [X, Y], out) => p.hadamard(X, Y, { into: out }),
      out: [rows, cols],
      terms: 1,
    })),
    // Every third entry is marked, and one beside it is 0.
    operation(`seen ${at}`, (r) => ({
      inputs: [['X', rows, cols, signed(r).map((x, i) => [-0, 0, x][i % 3])]],
      operate: (p, [X], out) => p.seen(X, { into: out }),
      out: [rows, cols],
      terms: 0,
    })),
    operation(`transpose ${at}`, (r) => ({
      inputs: [['X', rows, cols, signed(r)]],
      operate: (p, [X], out) => p.transpose(X, { into: out }),
      out: [cols, rows],
      terms: 0,
    })),
    operation(`multiplicative update ${at}`, (r) => ({
      inputs: [
        ['numerator', rows, cols, positive(r)],
        ['denominator', rows, cols, positive(r)],
      ],
      operate: (p, [numerator, denominator], F) => p.multiplicativeUpdate(F, numerator, denominator),
      out: [rows, cols, positive(r)],
      terms: 4,
    })),
    ...(['sum', 'squares', 'maxAbs'] as const).map((of) =>
      operation(`reduce ${of} ${at}`, (r) => ({
        inputs: [['X', rows, cols, of === 'sum' ? positive(r) : signed(r)]],
        operate: (p, [X], out) => p.reduce(X, of, { into: out }),
        out: [1, 1],
        terms: of === 'maxAbs' ? 0 : size,
      })),
    ),
    operation(`keep accepted ${at}`, (r) => ({
      inputs: [
        ['trial', rows, cols, signed(r)],
        ['control', 1, 8, Float32Array.from({ length: 24 }, (_, i) => (i % 8 === control.accepted ? (i < 8 || i >= 16 ? 1 : 0) : 0))],
      ],
      operate: (p, [trial, controlVector], state) => p.keepAccepted(state, trial, controlVector),
      out: [rows, cols, signed(r)],
      terms: 0,
    })),
  ];
});

const normalizing = operation('normalize columns, one of them zero', (r) => {
  const G = uniformEntries(r, 3 * 81).map((x) => x + 0.2);
  G[4 * 9 + 4] = 0;
  return {
    inputs: [['G', 9, 9, G]],
    operate: (p, [G], F) => p.normalizeColumns(F, G, { layer: 2 }),
    out: [13, 9, signedEntries(r, 3 * 13 * 9)],
    terms: 4,
  };
});

const residuals = [1, 7, 16, 17, 33].flatMap((k) =>
  [false, true].map((weighted) =>
    operation(`residual norm 87×91, k = ${k}${weighted ? ', weighted' : ''}`, (r) => ({
      inputs: [
        ['X', 87, 91, uniformEntries(r, 87 * 91), { shared: true }],
        ['A', 87, k, uniformEntries(r, 3 * 87 * k)],
        ['Z', k, 91, uniformEntries(r, 3 * k * 91).map((x) => x / k)],
        ['W', 87, 91, uniformEntries(r, 87 * 91).map(Math.round), { shared: true }],
      ],
      operate: (p, [X, A, Z, W], out) => p.residualNorm(X, A, Z, { into: out, ...(weighted ? { W } : {}) }),
      out: [1, 1],
      // The entries of X − AZ carry k + 1 roundings each, and they are squared before they are added up.
      terms: 87 * 91 + 4 * (k + 1),
    })),
  ),
);

function controlRow(values: Partial<Record<keyof typeof control, number>>): number[] {
  const row = new Array<number>(8).fill(0);
  for (const [name, value] of Object.entries(values)) row[control[name as keyof typeof control]] = value;
  return row;
}

const stepping = [false, true].flatMap((rowMetric) =>
  [3, 24].map((iteration) =>
    operation(`projected step${rowMetric ? ' with row metric' : ''}, iteration ${iteration}`, (r) => {
      const Q = uniformEntries(r, 3 * 49).map((x) => x + 0.1);
      Q[3 * 7 + 3] = 0; // unit 3 of restart 0 is dead: it is revived at iteration 24 only
      return {
        inputs: [
          ['A', 21, 7, uniformEntries(r, 3 * 147)],
          ['D', 21, 7, signedEntries(r, 3 * 147)],
          ['Q', 7, 7, Q],
          ['control', 1, 8, Float32Array.from([0.5, 0.25, 1].flatMap((eta) => controlRow({ eta, iteration })))],
          ['M', 21, 21, uniformEntries(r, 3 * 441).map((x) => x + 0.1)],
        ],
        operate: (p, [A, D, Q, c, M], out) => p.projectedStep(A, D, Q, c, { into: out, layer: 1, ...(rowMetric ? { M } : {}) }),
        out: [21, 7],
        terms: 6,
      };
    }),
  ),
);

const deciding = operation('accept and reject', () => ({
  inputs: [['cost', 1, 1, Float32Array.from([0.9, 1.1, 1])]],
  operate: (p, [cost], c) => p.acceptReject(cost, c),
  out: [1, 8, Float32Array.from([0.5, 1, 2].flatMap((eta) => controlRow({ eta, cost: 1, iteration: 7, rejected: 2 })))],
  terms: 2,
}));

/**
 * Costs that are no numbers are rejected whatever was accepted before, and η stays within [1e-6, 1e6]: a restart each. Both are exact, but
 * for the product with `grow` or `shrink`.
 */
const extremes: Record<string, { trial: number; cost?: number; eta?: number; accepted: boolean; next?: number }> = {
  'an infinite trial where nothing finite was accepted yet': {
    trial: Number.POSITIVE_INFINITY,
    cost: Number.POSITIVE_INFINITY,
    accepted: false,
  },
  'a trial of minus infinity': { trial: Number.NEGATIVE_INFINITY, accepted: false },
  'a trial that is no number': { trial: Number.NaN, accepted: false },
  'the first finite trial': { trial: 3e38, cost: Number.POSITIVE_INFINITY, accepted: true },
  'a negative trial': { trial: -1, accepted: true },
  'the largest η does not grow': { trial: 0.5, eta: 1e6, accepted: true, next: 1e6 },
  'nor one near it beyond it': { trial: 0.5, eta: 9e5, accepted: true, next: 1e6 },
  'the smallest η does not shrink': { trial: 2, eta: 1e-6, accepted: false, next: 1e-6 },
  'nor one near it below it': { trial: 2, eta: 1.5e-6, accepted: false, next: 1e-6 },
};

const refusing = Object.entries(extremes).map(
  ([name, { trial, cost = 1, eta = 1, accepted, next = eta * (accepted ? 1.2 : 0.5) }]): Case => ({
    name: `accept and reject: ${name}`,
    async run({ guarded }) {
      const p = programBuilder(this.name);
      const [t, c] = [p.input('cost', 1, 1), p.state('control', 1, 8)];
      p.section('all', () => p.acceptReject(t, c));
      const program = p.build();
      const values = new Map<Tensor, Entries>([
        [t, Float32Array.of(trial)],
        [c, Float32Array.from(controlRow({ eta, cost, iteration: 7, rejected: 2 }))],
      ]);
      using reference = createReferenceEngine();
      const device = await guarded();
      for (const engine of [device, reference]) {
        const [after] = await execute(engine, program, values, [c]);
        const of = (entry: keyof typeof control) => after[control[entry]];
        if (of('accepted') !== (accepted ? 1 : 0)) throw new Error(`${engine.kind}: accepted is ${of('accepted')}.`);
        if (!Object.is(of('cost'), Math.fround(accepted ? trial : cost))) throw new Error(`${engine.kind}: the cost is ${of('cost')}.`);
        if (of('iteration') !== 8 || of('rejected') !== (accepted ? 2 : 3)) throw new Error(`${engine.kind}: miscounted, ${after}.`);
        expectClose(`${engine.kind}: η`, [of('eta')], [next], { terms: 1 });
      }
      await device.inspected();
    },
  }),
);

export const elementwise: Case[] = [...perShape, normalizing, ...residuals, ...stepping, deciding, ...refusing];
