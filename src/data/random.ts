/**
 * Seeded random numbers from a counter: the n-th block of a stream is a function of its name and n alone, so a stream is the same on every
 * machine and whatever other streams are drawn.
 */
import { log } from './log.js';

export interface Random {
  /** Uniform on [0, 1), 32 bits. */
  uniform(): number;
  /** Standard normal, by the polar method. The bits are the same in every engine: see `log`. */
  normal(): number;
  /** Integer, uniform on 0 … n−1. */
  integer(n: number): number;
}

/** What a stream is for. Two purposes of one seed have no number in common. */
const purposes = { data: 0, start: 1, columns: 2, epochs: 3, classifier: 4, masks: 5, perturbation: 6, clusters: 7, chains: 8 } as const;

/** The name of a stream beside its seed. Each field is an integer from 0 to 2³² − 1. */
export interface Stream {
  /** Default 'data'. */
  purpose?: keyof typeof purposes;
  /** The restart that the numbers are for. Default 0. */
  restart?: number;
  /** Which of the tensors that the purpose is for. Default 0. */
  tensor?: number;
}

/**
 * The stream of a seed: Philox 4×32-10 with the key (seed, purpose) and the counters (n, restart, tensor, 0), n = 0, 1, … A key permutes
 * the counters, so streams of one seed and purpose have no counter in common. Other keys are other permutations. A stream has 2³⁴ numbers.
 */
export function random(seed: number, { purpose = 'data', restart = 0, tensor = 0 }: Stream = {}): Random {
  const key = [seed, purposes[purpose]] as const;
  const block = new Uint32Array(4);
  let count = 0;
  let left = 0;
  const next = () => {
    if (left === 0) {
      philox(block, [count++, restart, tensor, 0], key);
      left = 4;
    }
    return block[4 - left--];
  };
  const uniform = () => next() / 0x100000000;
  let spare: number | undefined;
  return {
    uniform,
    integer: (n) => Math.floor(uniform() * n),
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const r = x * x + y * y;
        if (r > 0 && r < 1) {
          const scale = Math.sqrt((-2 * log(r)) / r);
          spare = y * scale;
          return x * scale;
        }
      }
    },
  };
}

type Words = readonly [number, number, number, number];

/**
 * out ← Philox 4×32-10 of a counter under a key, 32-bit words each.
 *
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC 2011.
 */
export function philox(out: Uint32Array, [n0, n1, n2, n3]: Words, [key0, key1]: readonly [number, number]): void {
  let [c0, c1, c2, c3] = [n0 | 0, n1 | 0, n2 | 0, n3 | 0];
  let [k0, k1] = [key0 | 0, key1 | 0];
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd2511f53, c0);
    const high1 = highProduct(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    c0 = high1 ^ c1 ^ k0;
    c1 = Math.imul(0xcd9e8d57, c2);
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 of the 64 bits of a · b, by halves of 16 bits: no sum of theirs exceeds 32 bits. */
function highProduct(a: number, b: number): number {
  const [a0, a1] = [a & 0xffff, a >>> 16];
  const [b0, b1] = [b & 0xffff, b >>> 16];
  const low = (Math.imul(a0, b0) >>> 16) + Math.imul(a1, b0);
  const middle = (low & 0xffff) + Math.imul(a0, b1);
  return (Math.imul(a1, b1) + (low >>> 16) + (middle >>> 16)) | 0;
}

/** 0 … length − 1 in random order (Fisher & Yates). */
export function permutation(r: Random, length: number): Float32Array {
  return shuffle(
    r,
    Float32Array.from({ length }, (_, i) => i),
  );
}

/** Brings the values into random order, in place. */
export function shuffle<T extends { [index: number]: unknown; readonly length: number }>(r: Random, values: T): T {
  for (let i = values.length - 1; i > 0; i--) {
    const j = r.integer(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}
