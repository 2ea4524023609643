/**
 * Seeded random numbers (sfc32 seeded through splitmix32): the same seed gives the same numbers on every machine,
 * and streams of neighbouring seeds are unrelated.
 */
export interface Random {
  /** Uniform on [0, 1), 32 bits. */
  uniform(): number;
  /** Standard normal, by the polar method. */
  normal(): number;
  /** Integer, uniform on 0 … n−1. */
  integer(n: number): number;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const splitmix = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const next = () => {
    const t = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21) | (c >>> 11)) >>> 0;
    c = (c + t) >>> 0;
    return t;
  };
  for (let i = 0; i < 12; i++) next();
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
          const scale = Math.sqrt((-2 * Math.log(r)) / r);
          spare = y * scale;
          return x * scale;
        }
      }
    },
  };
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
