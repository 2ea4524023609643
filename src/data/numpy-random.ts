/**
 * The random numbers of NumPy's legacy generator, `numpy.random.RandomState(seed)` or `numpy.random.seed(seed)`: the Mersenne Twister
 * MT19937 (Matsumoto & Nishimura, ACM TOMACS 1998). Published data that were drawn with NumPy can be drawn again, to the rounding of log.
 */
import { checkSeed } from './check.js';

export interface NumpyRandom {
  /** `random_sample()`: uniform on [0, 1), 53 bits. */
  uniform(): number;
  /** `randn()`: standard normal, by the polar method. */
  normal(): number;
}

const words = 624;
const shift = 397;

/** Throws InputError unless `seed` is an integer from 0 to 2³²−1. */
export function numpyRandom(seed: number): NumpyRandom {
  checkSeed(seed);
  const state = new Uint32Array(words);
  state[0] = seed;
  for (let i = 1; i < words; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let at = words;

  const renew = () => {
    for (let i = 0; i < words; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % words] & 0x7fffffff);
      state[i] = state[(i + shift) % words] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  const next = () => {
    if (at === words) renew();
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  const uniform = () => {
    const high = next() >>> 5;
    const low = next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  };

  let spare: number | undefined;
  const normal = () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const r = x * x + y * y;
      if (r >= 1 || r === 0) continue;
      // NumPy gives the second coordinate first.
      const scale = Math.sqrt((-2 * Math.log(r)) / r);
      spare = scale * x;
      return scale * y;
    }
  };
  return { uniform, normal };
}
