/** Products with a CSR tensor and its residual, against the reference run densely on the same entries: X never goes through sparse code there. */
import type { Random } from '../../src/data/random.js';
import { random } from '../../src/data/random.js';
import { type SparseMatrix, sparseFromDense, sparseFromEntries, toDense } from '../../src/data/sparse.js';
import type { Engine } from '../../src/engine.js';
import { type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { neuralNmf } from '../../src/methods/neural.js';
import { createReferenceEngine } from '../../src/reference/engine.js';
import { createWebGpuEngine } from '../../src/webgpu/engine.js';
import { type Case, type Entries, expectAtMost, expectClose, kernelsOf, seedOf, signedEntries, spoil, uniformEntries } from './support.js';

/** A sparse matrix: each entry is there with probability `density`; every fifth row and seventh column is empty, but for those that are full. */
interface Pattern {
  rows: number;
  cols: number;
  density: number;
  fullRow?: number;
  fullColumn?: number;
  /** Entries are ≥ 0. */
  positive?: true;
}

function matrixOf(r: Random, { rows, cols, density, fullRow, fullColumn, positive }: Pattern): SparseMatrix {
  const data = Float32Array.from({ length: rows * cols }, (_, at) => {
    const [i, j] = [Math.floor(at / cols), at % cols];
    const x = positive ? Math.abs(r.normal()) : r.normal();
    if (i === fullRow || j === fullColumn) return x;
    return i % 5 === 4 || j % 7 === 6 || r.uniform() >= density ? 0 : x;
  });
  return sparseFromDense({ rows, cols, data });
}

const patterns: Pattern[] = [
  { rows: 1, cols: 1, density: 1 },
  { rows: 7, cols: 5, density: 0 },
  { rows: 7, cols: 33, density: 0.3 },
  { rows: 33, cols: 7, density: 0.3 },
  { rows: 130, cols: 67, density: 0.05 },
  // Lines of 1, 63, 64, 65, … entries: around the ends of segments, and of several segments.
  { rows: 64, cols: 66, density: 0.2, fullRow: 3, fullColumn: 9 },
  { rows: 65, cols: 65, density: 0.2, fullRow: 64, fullColumn: 64 },
  { rows: 259, cols: 301, density: 0.4, fullRow: 0, fullColumn: 300 },
];

interface Compared {
  out: Tensor;
  terms: number;
  scale?: number;
}

/** The case's section 'all' with X sparse on the device and on the reference, and dense on the reference. */
function sparseCase(
  name: string,
  pattern: Pattern,
  restarts: number,
  write: (p: ProgramBuilder, X: Tensor, r: Random) => { values: Map<string, Entries>; compare: Compared[] },
): Case {
  const title = `sparse ${name}, X ${pattern.rows}×${pattern.cols} with ${pattern.density * 100} %${restarts > 1 ? `, ${restarts} restarts` : ''}`;
  const seed = seedOf(title);
  return {
    name: title,
    kernels(facts) {
      const p = programBuilder(title, { restarts });
      const X = matrixOf(random(seed), pattern);
      write(p, p.input('X', X.rows, X.cols, { csrEntries: X.values.length }), random(seed + 1));
      return kernelsOf(p.build(), facts);
    },
    async run({ guarded }) {
      const engine = await guarded();
      const X = matrixOf(random(seed), pattern);
      const before = engine.liveBuffers;
      const result = async (on: Engine, dense: boolean) => {
        const p = programBuilder(title, { restarts });
        const tensor = p.input('X', X.rows, X.cols, dense ? {} : { csrEntries: X.values.length });
        const { values, compare } = write(p, tensor, random(seed + 1));
        const program = p.build();
        using run = await on.prepare(program);
        spoil(run, program);
        run.write(tensor, dense ? toDense(X).data : X);
        for (const [label, entries] of values) run.write(program.tensors.find((one) => one.name === label)!, entries);
        run.execute('all');
        return { compare, entries: await run.sample(compare.map(({ out }) => out)) };
      };
      using reference = createReferenceEngine();
      const expected = await result(reference, true);
      const onDevice = await result(engine, false);
      const onReference = await result(reference, false);
      await engine.inspected();
      expected.compare.forEach(({ out, terms, scale }, i) => {
        const what = `${out.name} (seed ${seed})`;
        expectClose(what, onDevice.entries[i], expected.entries[i], { terms, scale });
        expectClose(`${what} of the sparse reference`, onReference.entries[i], expected.entries[i], { terms: 1e-12, scale });
      });
      if (engine.liveBuffers !== before) throw new Error(`${engine.liveBuffers - before} buffers were left behind.`);
    },
  };
}

const both = [false, true];

/** op(X) op(B), or op(B) op(X) where X is the `second` factor, with k columns (rows) and an epilogue. */
function product(
  pattern: Pattern,
  k: number,
  options: {
    second: boolean;
    transposeX: boolean;
    transposeB: boolean;
    restarts?: number;
    epilogue?: 'add' | 'hadamard';
    shared?: boolean;
  },
): Case {
  const { second, transposeX, transposeB, restarts = 1, epilogue, shared = false } = options;
  const op = (name: string, transposed: boolean) => `${name}${transposed ? 'ᵀ' : ''}`;
  const name = `${second ? `${op('B', transposeB)}${op('X', transposeX)}` : `${op('X', transposeX)}${op('B', transposeB)}`}, k = ${k}${epilogue ? `, ${epilogue}` : ''}`;
  return sparseCase(name, pattern, restarts, (p, X, r) => {
    const [rows, cols] = transposeX ? [X.cols, X.rows] : [X.rows, X.cols];
    const inner = second ? rows : cols;
    // op(B) is inner×k, or k×inner before X.
    const [bRows, bCols] = second !== transposeB ? [k, inner] : [inner, k];
    const size = second ? [k, cols] : [rows, k];
    const B = p.input('B', bRows, bCols, { batched: !shared });
    const E = p.input('E', size[0], size[1]);
    const C = shared ? p.state('C', size[0], size[1], { shared: true }) : p.state('C', size[0], size[1]);
    p.section('all', () => {
      const x = transposeX ? T(X) : X;
      const b = transposeB ? T(B) : B;
      const into = epilogue === 'add' ? { into: C, add: E, addScale: -0.5, scale: 2 } : { into: C, ...(epilogue ? { hadamard: E } : {}) };
      if (second) p.matmul(b, x, into);
      else p.matmul(x, b, into);
    });
    const values = new Map<string, Entries>([
      ['B', signedEntries(r, inner * k * (shared ? 1 : restarts))],
      ['E', signedEntries(r, size[0] * size[1])],
    ]);
    return { values, compare: [{ out: C, terms: inner + 1, scale: 4 }] };
  });
}

const products = patterns.flatMap((pattern, i) =>
  both.flatMap((second) =>
    both.flatMap((transposeX) =>
      both.map((transposeB) => product(pattern, [1, 3, 4, 9, 20, 5, 7, 6][i], { second, transposeX, transposeB, restarts: 1 + (i % 3) })),
    ),
  ),
);

const epilogues = both.flatMap((second) =>
  (['add', 'hadamard'] as const).flatMap((epilogue) => [
    product(patterns[2], 5, { second, transposeX: false, transposeB: second, restarts: 3, epilogue }),
    product(patterns[7], 9, { second, transposeX: true, transposeB: !second, restarts: 2, epilogue }),
  ]),
);

const shared = both.map((second) => product(patterns[4], 9, { second, transposeX: second, transposeB: false, restarts: 3, shared: true }));

/** The updates that end in a sparse product, with denominators of the size of ε: without it results would differ by more than half. */
const updates = both.flatMap((second) =>
  both.map((transposeX) =>
    sparseCase(`update by ${second ? 'BX' : 'XB'}${transposeX ? ', X transposed' : ''}`, patterns[4], 2, (p, X, r) => {
      const [rows, cols] = transposeX ? [X.cols, X.rows] : [X.rows, X.cols];
      const B = p.input('B', second ? 9 : cols, second ? rows : 9, { batched: true });
      const size = second ? [9, cols] : [rows, 9];
      const E = p.input('E', size[0], size[1], { batched: true });
      const F = p.state('F', size[0], size[1]);
      const x = transposeX ? T(X) : X;
      p.section('all', () => p.multiplicativeUpdate(F, second ? p.matmul(B, x) : p.matmul(x, B), E));
      const values = new Map<string, Entries>([
        ['B', signedEntries(r, B.rows * B.cols * 2)],
        ['E', Float32Array.from({ length: E.rows * E.cols * 2 }, () => 1e-10 * r.uniform())],
        ['F', Float32Array.from({ length: F.rows * F.cols * 2 }, () => r.uniform())],
      ]);
      return { values, compare: [{ out: F, terms: Math.max(rows, cols) + 3 }] };
    }),
  ),
);

/** What a product leaves in the padding of its rows goes into a sum over them: it must be 0, whatever the memory held before. */
const padding = both.map((second) =>
  sparseCase(`padding of ${second ? 'BX' : 'XB'}`, patterns[6], 2, (p, X, r) => {
    const B = p.input('B', second ? 5 : X.cols, second ? X.rows : 5);
    const sum = p.state('sum', 1, 1, { shared: true });
    const dirt = p.input('dirt', 80, 80);
    p.section('all', () => {
      // A transient as large takes the same memory before.
      p.reduce(p.map('affine', [dirt], { p: 1, q: 1 }), 'sum');
      p.reduce(second ? p.matmul(B, X) : p.matmul(X, B), 'sum', { into: sum });
    });
    const values = new Map<string, Entries>([
      ['B', signedEntries(r, B.rows * B.cols)],
      ['dirt', signedEntries(r, 6400)],
    ]);
    return { values, compare: [{ out: sum, terms: 5 * 65 * 65, scale: 8 }] };
  }),
);

const residuals = patterns.flatMap((pattern, i) =>
  [1, 3].map((restarts) =>
    sparseCase('‖X − AZ‖²', pattern, restarts, (p, X, r) => {
      const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
      const A = p.input('A', X.rows, k);
      const Z = p.input('Z', k, X.cols, { batched: true });
      const out = p.state('out', 1, 1);
      p.section('all', () => p.residualNorm(X, A, Z, { into: out }));
      const values = new Map<string, Entries>([
        ['A', signedEntries(r, X.rows * k)],
        ['Z', signedEntries(r, k * X.cols * restarts)],
      ]);
      // Σx², Σ(az)² and ⟨AᵀA, ZZᵀ⟩ are of the size of the result here: X and AZ have nothing to do with each other.
      return { values, compare: [{ out, terms: X.rows + X.cols + k }] };
    }),
  ),
);

/** The products of X / (AZ) at the stored entries, against all entries of a dense X; one of Z's rows is 0, and so are some entries of AZ. */
const quotients = patterns.flatMap((pattern, i) =>
  (['rows', 'columns'] as const).map((of) =>
    sparseCase(of === 'rows' ? '(X / (AZ)) Zᵀ' : 'Aᵀ (X / (AZ))', pattern, i % 2 ? 3 : 1, (p, X, r) => {
      const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
      const A = p.input('A', X.rows, k, { batched: i % 2 === 1 });
      const Z = p.input('Z', k, X.cols, { batched: true });
      const out = of === 'rows' ? p.state('out', X.rows, k) : p.state('out', k, X.cols);
      const sum = p.state('sum', 1, 1);
      p.section('all', () => {
        if (X.form === 'csr') p.quotientProduct(X, A, Z, of, { into: out });
        else {
          const Q = p.map('quotient', [X, p.matmul(A, Z)]);
          if (of === 'rows') p.matmul(Q, T(Z), { into: out });
          else p.matmul(T(A), Q, { into: out });
        }
        p.reduce(out, 'squares', { into: sum });
      });
      const positive = (count: number) => uniformEntries(r, count).map((x) => 0.25 + x);
      const values = new Map<string, Entries>([
        ['A', positive(A.rows * k * A.batch)],
        ['Z', positive(k * X.cols * p.restarts)],
      ]);
      // A quotient carries the rounding of k terms; a sum of squares that of all.
      return {
        values,
        compare: [
          { out, terms: k + (of === 'rows' ? X.cols : X.rows) },
          { out: sum, terms: k + X.rows * X.cols },
        ],
      };
    }),
  ),
);

/** The updates by these products, against the products of all entries with denominators of the size of F. */
const quotientUpdates = patterns.flatMap((pattern, i) =>
  (['rows', 'columns'] as const).map((of) =>
    sparseCase(`update of ${of} by X / (AZ)`, { ...pattern, positive: true }, i % 2 ? 3 : 1, (p, X, r) => {
      const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
      const F = of === 'rows' ? p.state('F', X.rows, k) : p.state('F', k, X.cols);
      const O = of === 'rows' ? p.input('O', k, X.cols) : p.input('O', X.rows, k);
      const d = p.input('d', 1, k, { batched: true });
      const ones = p.input('ones', 1, of === 'rows' ? X.rows : X.cols);
      const sum = p.state('sum', 1, 1);
      p.section('all', () => {
        if (X.form === 'csr') p.quotientUpdate(F, X, O, d, of);
        else {
          const Q = p.map('quotient', [X, of === 'rows' ? p.matmul(F, O) : p.matmul(O, F)]);
          if (of === 'rows') p.multiplicativeUpdate(F, p.matmul(Q, T(O)), p.matmul(T(ones), d));
          else p.multiplicativeUpdate(F, p.matmul(T(O), Q), p.matmul(T(d), ones));
        }
        p.reduce(F, 'squares', { into: sum });
      });
      const positive = (count: number) => uniformEntries(r, count).map((x) => 0.25 + x);
      const values = new Map<string, Entries>([
        ['F', positive(F.rows * F.cols * p.restarts)],
        ['O', positive(O.rows * O.cols)],
        ['d', positive(k * p.restarts)],
        ['ones', new Float32Array(ones.cols).fill(1)],
      ]);
      const terms = k + (of === 'rows' ? X.cols : X.rows);
      return {
        values,
        compare: [
          { out: F, terms },
          { out: sum, terms: terms * F.rows * F.cols },
        ],
      };
    }),
  ),
);

/** Σ x log(x / az) − x, against the divergence of all entries of a dense X without Σ AZ. */
const divergences = patterns.map((pattern, i) =>
  sparseCase('Σ X log(X / (AZ)) − X', { ...pattern, positive: true }, i % 2 ? 1 : 3, (p, X, r) => {
    const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
    const A = p.input('A', X.rows, k);
    const Z = p.input('Z', k, X.cols, { batched: true });
    const out = p.state('out', 1, 1);
    p.section('all', () => {
      if (X.form === 'csr') p.divergenceAtEntries(X, A, Z, { into: out });
      else {
        const V = p.matmul(A, Z);
        p.combine(1, p.reduce(p.map('divergence', [X, V]), 'sum'), -1, p.reduce(V, 'sum'), { into: out });
      }
    });
    const positive = (count: number) => uniformEntries(r, count).map((x) => 0.25 + x);
    const values = new Map<string, Entries>([
      ['A', positive(X.rows * k)],
      ['Z', positive(k * X.cols * p.restarts)],
    ]);
    // Terms are up to x (log(x / 0.06) + 1) < 8 each, x below 1; log is off by 3 ULP of them.
    return { values, compare: [{ out, terms: X.rows * X.cols + k, scale: 8 * Math.sqrt(X.rows * X.cols) }] };
  }),
);

/** 1 where X has an entry, and 0 elsewhere: X / X of a dense X > 0, where 0 / 0 is 0. */
const patternOf = (p: ProgramBuilder, X: Tensor) => p.map('quotient', [X, X]);

/** The products of the entries of AZ where X is stored, against all entries under a mask. */
const samples = patterns.flatMap((pattern, i) =>
  (['rows', 'columns'] as const).map((of) =>
    sparseCase(of === 'rows' ? '(P∘(AZ)) Zᵀ' : 'Aᵀ (P∘(AZ))', { ...pattern, positive: true }, i % 2 ? 3 : 1, (p, X, r) => {
      const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
      const A = p.input('A', X.rows, k, { batched: i % 2 === 1 });
      const Z = p.input('Z', k, X.cols, { batched: true });
      const out = of === 'rows' ? p.state('out', X.rows, k) : p.state('out', k, X.cols);
      const sum = p.state('sum', 1, 1);
      p.section('all', () => {
        if (X.form === 'csr') p.sampledProduct(X, A, Z, of, { into: out });
        else {
          const V = p.matmul(A, Z, { hadamard: patternOf(p, X) });
          if (of === 'rows') p.matmul(V, T(Z), { into: out });
          else p.matmul(T(A), V, { into: out });
        }
        p.reduce(out, 'squares', { into: sum });
      });
      const values = new Map<string, Entries>([
        ['A', uniformEntries(r, A.rows * k * A.batch)],
        ['Z', uniformEntries(r, k * X.cols * p.restarts)],
      ]);
      return {
        values,
        compare: [
          { out, terms: k + (of === 'rows' ? X.cols : X.rows) },
          { out: sum, terms: k + X.rows * X.cols },
        ],
      };
    }),
  ),
);

/** The products of X ∘ (AZ)^p, and the sum of divergences less those of zeros, against all entries of a dense X. */
const powers = patterns.flatMap((pattern, i) =>
  (['rows', 'columns'] as const).map((of) =>
    sparseCase(of === 'rows' ? '(X∘(AZ)^p) Zᵀ' : 'Aᵀ (X∘(AZ)^p)', { ...pattern, positive: true }, i % 2 ? 3 : 1, (p, X, r) => {
      const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
      const beta = [0.5, 1.5, 2.5, 3][i % 4];
      const A = p.input('A', X.rows, k, { batched: i % 2 === 1 });
      const Z = p.input('Z', k, X.cols, { batched: true });
      const out = of === 'rows' ? p.state('out', X.rows, k) : p.state('out', k, X.cols);
      const cost = p.state('cost', 1, 1);
      const constants = { p: beta - 2, q: 2 ** -30 };
      p.section('all', () => {
        if (X.form === 'csr') {
          p.poweredProduct(X, A, Z, { of, ...constants, into: out });
          p.betaDivergenceAtEntries(X, A, Z, { p: beta, q: 2 ** -30, into: cost });
          return;
        }
        const V = p.matmul(A, Z);
        const powered = p.hadamard(X, p.map('power', [V], constants));
        if (of === 'rows') p.matmul(powered, T(Z), { into: out });
        else p.matmul(T(A), powered, { into: out });
        const all = p.reduce(p.map('betaDivergence', [X, V], { p: beta, q: 2 ** -30 }), 'sum');
        const zeros = p.reduce(p.map('power', [V], { p: beta, q: 2 ** -30 }), 'sum');
        p.combine(1, all, -1 / beta, zeros, { into: cost });
      });
      const positive = (count: number) => uniformEntries(r, count).map((x) => 0.25 + x);
      const values = new Map<string, Entries>([
        ['A', positive(A.rows * k * A.batch)],
        ['Z', positive(k * X.cols * p.restarts)],
      ]);
      // Powers carry the rounding of k terms and of a logarithm below 8. Terms of the sum are below 4 (k 1.5²)^max(β − 1, 0) (4 + β).
      const most = 4 * (2.25 * k) ** Math.max(beta - 1, 0) * (4 + beta);
      return {
        values,
        compare: [
          { out, terms: 8 * (k + (of === 'rows' ? X.cols : X.rows)) },
          { out: cost, terms: 8 * (X.rows * X.cols + k), scale: most * Math.sqrt(X.rows * X.cols) },
        ],
      };
    }),
  ),
);

/** (L Dᵀ)^p D against the product that is formed, with parts of a sum: rows of D beyond 1024. */
const powerProducts = [
  [7, 5, 3],
  [33, 70, 9],
  [5, 2050, 20],
  [130, 1025, 4],
].map(([rows, places, k], i) =>
  sparseCase(`(L Dᵀ)^p D, ${rows}×${places}, k = ${k}`, patterns[1], 1 + (i % 3), (p, X, r) => {
    const [L, D] = [p.input('L', rows, k, { batched: true }), p.input('D', places, k, { batched: i > 1 })];
    const out = p.state('out', rows, k);
    const sum = p.state('sum', 1, 1);
    const constants = { p: [0.5, -0.5, 1.5, 2][i], q: 2 ** -30 };
    p.section('all', () => {
      if (X.form === 'csr') p.powerProduct(L, D, { ...constants, into: out });
      else p.matmul(p.map('power', [p.matmul(L, T(D))], constants), D, { into: out });
      p.reduce(out, 'squares', { into: sum });
    });
    const values = new Map<string, Entries>([
      ['L', uniformEntries(r, rows * k * p.restarts).map((x) => 0.1 + x)],
      ['D', uniformEntries(r, places * k * D.batch).map((x) => 0.1 + x)],
    ]);
    const terms = 8 * (k + places);
    return {
      values,
      compare: [
        { out, terms },
        { out: sum, terms: terms * rows * k },
      ],
    };
  }),
);

/** op(P) B and B op(P), against the product of a dense mask. */
const ofPatterns = patterns.flatMap((pattern, i) =>
  both.map((second) =>
    sparseCase(second ? 'BP' : 'PᵀB', { ...pattern, positive: true }, 1 + (i % 2), (p, X, r) => {
      const k = [9, 4, 3, 25, 5, 4, 1, 6][i];
      const B = p.input('B', second ? k : X.rows, second ? X.rows : k, { batched: true });
      const E = p.input('E', second ? k : X.cols, second ? X.cols : k);
      const C = p.state('C', E.rows, E.cols);
      p.section('all', () => {
        const [P, pattern] = X.form === 'csr' ? [X, true] : [patternOf(p, X), false];
        const into = { into: C, add: E, pattern };
        if (second) p.matmul(B, P, into);
        else p.matmul(T(P), B, into);
      });
      const values = new Map<string, Entries>([
        ['B', signedEntries(r, B.rows * B.cols * p.restarts)],
        ['E', signedEntries(r, E.rows * E.cols)],
      ]);
      return { values, compare: [{ out: C, terms: X.rows + 1 }] };
    }),
  ),
);

/** Σ (x − az)² where X is stored, against ‖P∘(X − AZ)‖². */
const residualsAtEntries = patterns.map((pattern, i) =>
  sparseCase('‖P∘(X − AZ)‖²', { ...pattern, positive: true }, i % 2 ? 1 : 3, (p, X, r) => {
    const k = [1, 2, 5, 4, 20, 9, 7, 3][i];
    const A = p.input('A', X.rows, k);
    const Z = p.input('Z', k, X.cols, { batched: true });
    const out = p.state('out', 1, 1);
    p.section('all', () => {
      if (X.form === 'csr') p.residualAtEntries(X, A, Z, { into: out });
      else p.residualNorm(X, A, Z, { W: patternOf(p, X), into: out });
    });
    const values = new Map<string, Entries>([
      ['A', uniformEntries(r, X.rows * k)],
      ['Z', uniformEntries(r, k * X.cols * p.restarts)],
    ]);
    // A term is a difference of numbers up to k, squared.
    return { values, compare: [{ out, terms: X.rows * X.cols + k, scale: k * k * Math.sqrt(X.rows * X.cols) }] };
  }),
);

/** X = AZ: what is left is rounding, which must not be negative, for its root is taken. */
const exactFit: Case = {
  name: 'sparse ‖X − AZ‖² of exact fits is not negative',
  async run({ engine }) {
    const restarts = 16;
    const r = random(5);
    const p = programBuilder('exact', { restarts });
    const [A, z] = [signedEntries(r, 40), signedEntries(r, 37)];
    const X = sparseFromDense({
      rows: 40,
      cols: 37,
      data: Float32Array.from({ length: 40 * 37 }, (_, at) => A[Math.floor(at / 37)] * z[at % 37]),
    });
    const x = p.input('X', 40, 37, { csrEntries: X.values.length });
    const a = p.input('A', 40, 1);
    const s = p.input('S', 1, 37, { batched: true });
    const out = p.state('out', 1, 1);
    p.section('all', () => p.residualNorm(x, a, s, { into: out }));
    using run = await engine.prepare(p.build());
    run.write(x, X);
    run.write(a, A);
    // Within a rounding of the exact fit, on both sides of it.
    run.write(s, Array.from({ length: restarts }, (_, i) => Array.from(z, (value) => value * (1 + (i - 8) * 2 ** -23))).flat());
    run.execute('all');
    const norm = X.values.reduce((sum, value) => sum + value * value, 0);
    for (const value of await run.read(out)) {
      if (!(value >= 0)) throw new Error(`A squared norm is ${value}.`);
      expectClose('the norm of an exact fit', [value], [0], { terms: 77, scale: norm });
    }
  },
};

/** Neural NMF of a large X with few entries, on a device that counts: buffers, scratch memory and all, are a fraction of the dense X. */
const memory: Case = {
  name: 'sparse X of 9000×1500 in a fraction of its dense memory',
  once: true,
  async run({ device }) {
    const [N, M] = [9000, 1500];
    const r = random(6);
    const places = Array.from({ length: 900 }, (_, e) => 15_000 * e + r.integer(15_000));
    const X = sparseFromEntries(N, M, {
      rowIndices: places.map((at) => Math.floor(at / M)),
      columns: places.map((at) => at % M),
      values: places.map(() => r.uniform()),
    });
    const sizes: number[] = [];
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      sizes.push(descriptor.size);
      return createBuffer(descriptor);
    };
    try {
      using engine = await createWebGpuEngine({ device });
      await neuralNmf(engine, X, { ranks: [20, 6], restarts: 1, maxIterations: 2, startIterations: 1, svdBound: false });
    } finally {
      device.createBuffer = createBuffer;
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    // Four bytes an entry. The factors, gradients and trials of A⁰, N×20 each, are nearly all of it.
    expectAtMost('Bytes of all buffers', total, (4 * N * M) / 2);
    expectAtMost('Bytes of the largest buffer', Math.max(...sizes), (4 * N * M) / 20);
  },
};

export const sparse: Case[] = [
  ...products,
  ...epilogues,
  ...shared,
  ...updates,
  ...padding,
  ...residuals,
  ...quotients,
  ...quotientUpdates,
  ...divergences,
  ...samples,
  ...powers,
  ...powerProducts,
  ...ofPatterns,
  ...residualsAtEntries,
  exactFit,
  memory,
];
