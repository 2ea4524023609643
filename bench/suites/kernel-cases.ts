/** One program of one operation for every class of kernels, with the work that cannot be avoided. */
import { random } from '../../src/data/random.js';
import type { Run } from '../../src/engine.js';
import { type Program, type ProgramBuilder, programBuilder } from '../../src/graph/program.js';
import { T, type Tensor } from '../../src/graph/tensor.js';
import { gramOf, largestResidual } from '../kkt.js';
import { checkNote } from '../measure.js';

export interface Work {
  bytes: number;
  flops: number;
}

export interface KernelCase {
  name: string;
  program: Program;
  out: Tensor;
  /** Entries of tensors that cannot hold just anything. */
  data: Map<Tensor, Float32Array>;
  work(run: Run): Promise<Work>;
  /** The work depends on the data and is not known to the last operation. */
  estimated?: boolean;
  tolerance: number;
  /** Instead of comparing with the reference executor, which takes too long for a solve of many columns. */
  verify?(run: Run): Promise<ReturnType<typeof checkNote>>;
}

export function kernelCases(quick: boolean): KernelCase[] {
  const [N, M] = [1024, 512];
  const ranks = quick ? [16] : [7, 16, 50, 128];
  const solved = quick ? 512 : 4096;
  return [
    ...ranks.flatMap((k) => [
      matmul(`AᵀX, ${k}×${N} by ${N}×${M}`, 2 * k * N * M, (p, into) =>
        p.matmul(T(p.input('A', N, k)), p.input('X', N, M), { into: into(k, M) }),
      ),
      matmul(`XSᵀ, ${N}×${M} by ${M}×${k}`, 2 * k * N * M, (p, into) =>
        p.matmul(p.input('X', N, M), T(p.input('S', k, M)), { into: into(N, k) }),
      ),
      matmul(`AᵀA, A ${N}×${k}`, k * (k + 1) * N, (p, into) => p.gram(p.input('A', N, k), 'columns', { into: into(k, k) })),
      matmul(`SSᵀ, S ${k}×${M}`, k * (k + 1) * M, (p, into) => p.gram(p.input('S', k, M), 'rows', { into: into(k, k) })),
      matmul(`A(SSᵀ), ${N}×${k} by ${k}×${k}`, 2 * k * k * N, (p, into) =>
        p.matmul(p.input('A', N, k), p.input('G', k, k), { into: into(N, k) }),
      ),
    ]),
    matmul(`AS, ${N}×16 by 16×${M}`, 2 * 16 * N * M, (p, into) => p.matmul(p.input('A', N, 16), p.input('S', 16, M), { into: into(N, M) })),
    matmul(`‖X − AS‖², ${N}×${M}, k = 16`, (2 * 16 + 3) * N * M, (p, into) =>
      p.residualNorm(p.input('X', N, M), p.input('A', N, 16), p.input('S', 16, M), { into: into(1, 1) }),
    ),
    ...[8, 16, 32, 64].map((k) => solve(k, solved)),
    ...(quick ? [16] : [8, 16, 32, 64]).map((k) => masked(k, solved)),
    ...entrywise(1 << 19),
  ];
}

type Into = (rows: number, cols: number) => Tensor;

/** Each input is read once and the output written once; the floating-point work is given. */
function matmul(name: string, flops: number, write: (p: ProgramBuilder, into: Into) => Tensor): KernelCase {
  const p = programBuilder(name);
  let out!: Tensor;
  p.section('all', () => {
    out = write(p, (rows, cols) => p.state('out', rows, cols));
  });
  const program = p.build();
  return { name, program, out, data: new Map(), work: async () => ({ bytes: touched(program), flops }), tolerance: 1e-4 };
}

/** Bytes of every tensor of the program, each once. */
function touched({ tensors }: Program): number {
  return tensors.reduce((sum, { entries, batch }) => sum + 4 * entries * batch, 0);
}

/** A Gram matrix of 4k random rows, and right-hand sides of solutions of which about half is zero. */
function system(k: number, M: number): { G: Float32Array; B: Float32Array; S: Float32Array } {
  const source = random(k);
  const A = Float64Array.from({ length: 4 * k * k }, () => Math.abs(source.normal()));
  const G = Float32Array.from(gramOf(A, 4 * k, k));
  const S = Float32Array.from({ length: k * M }, () => Math.max(0, source.normal()));
  const B = new Float32Array(k * M);
  for (let i = 0; i < k; i++)
    for (let c = 0; c < M; c++) {
      let sum = 0;
      for (let j = 0; j < k; j++) sum += G[i * k + j] * S[j * M + c];
      B[i * M + c] = sum * (1 + 0.1 * source.normal());
    }
  return { G, B, S };
}

/**
 * Estimated: as many factorizations and solves of the final support as the kernel counted.
 */
function solve(k: number, M: number): KernelCase {
  const p = programBuilder(`nnls ${k}`);
  const [G, B, S, rounds] = [p.input('G', k, k), p.input('B', k, M), p.state('S', k, M), p.state('rounds', 1, M)];
  p.section('all', () => p.nnls(G, B, S, { warm: false, rounds }));
  const program = p.build();
  const data = system(k, M);
  return {
    name: `exact solve of ${M} columns, k = ${k}`,
    program,
    out: S,
    data: new Map([
      [G, data.G],
      [B, data.B],
    ]),
    estimated: true,
    tolerance: 1e-4,
    async work(run) {
      const [s, counts] = await run.sample([S, rounds]);
      let flops = 0;
      for (let c = 0; c < M; c++) {
        let support = 0;
        for (let i = 0; i < k; i++) if (s[i * M + c] > 0) support++;
        flops += Math.abs(counts[c]) * (support ** 3 / 3 + 2 * support ** 2 + 2 * k * support);
      }
      return { bytes: touched(program), flops };
    },
    async verify(run) {
      const [s] = await run.sample([S]);
      const { checked, note } = checkNote([largestResidual(data.G, data.B, s, k, M)], 1e-4, '');
      return { checked, note: note.replace('off the f64 reference by', 'KKT residual').replace('  (', ' (') };
    },
  };
}

function masked(k: number, M: number): KernelCase {
  const p = programBuilder(`masked solve ${k}`);
  const [G, S, g, out] = [p.input('G', k, k), p.input('S', k, M), p.input('g', k, M), p.state('out', k, M)];
  p.section('all', () => p.maskedSolve(G, S, g, { into: out }));
  const program = p.build();
  const data = system(k, M);
  let flops = 0;
  for (let c = 0; c < M; c++) {
    let support = 0;
    for (let i = 0; i < k; i++) if (data.S[i * M + c] > 0) support++;
    flops += support ** 3 / 3 + 2 * support ** 2;
  }
  return {
    name: `masked solve of ${M} columns, k = ${k}`,
    program,
    out,
    data: new Map([
      [G, data.G],
      [S, data.S],
      [g, data.B],
    ]),
    work: async () => ({ bytes: touched(program), flops }),
    tolerance: 1e-3,
  };
}

/** Kernels that read and write once and hardly compute. */
function entrywise(count: number): KernelCase[] {
  const [rows, cols] = [count / 512, 512];
  const size = `${rows}×${cols}`;
  const update = programBuilder('update');
  const [F, numerator, denominator] = [update.state('F', rows, cols), update.input('numerator', rows, cols), update.input('D', rows, cols)];
  update.section('all', () => update.multiplicativeUpdate(F, numerator, denominator));
  const program = update.build();
  // Equal, so that F does not change however often the update runs.
  const equal = Float32Array.from({ length: count }, (_, i) => 1 + (i % 7));
  const updated: KernelCase = {
    name: `F ∘ numerator / denominator, ${size}`,
    program,
    out: F,
    data: new Map([
      [numerator, equal],
      [denominator, equal],
    ]),
    work: async () => ({ bytes: 16 * count, flops: 3 * count }),
    tolerance: 1e-4,
  };
  return [
    updated,
    matmul(`2X + 3Y, ${size}`, 3 * count, (p, into) =>
      p.combine(2, p.input('X', rows, cols), 3, p.input('Y', rows, cols), { into: into(rows, cols) }),
    ),
    matmul(`Xᵀ, ${size}`, 0, (p, into) => p.transpose(p.input('X', rows, cols), { into: into(cols, rows) })),
    matmul(`Σ X², ${size}`, 2 * count, (p, into) => p.reduce(p.input('X', rows, cols), 'squares', { into: into(1, 1) })),
  ];
}
