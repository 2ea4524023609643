/** The short-time Fourier transform of a sound. */
import { InputError, type Matrix, matrix } from 'orthant';

/** |STFT| with a Hann window: a row for each of window / 2 + 1 frequencies, a column for each window. */
export function magnitudes(sound: Float32Array, window: number, hop: number, name: string): Matrix {
  if (!(Number.isInteger(Math.log2(window)) && window >= 64 && window <= 16384))
    throw new InputError(`window must be a power of two from 64 to 16384, not ${window}.`, { option: 'window' });
  if (!(Number.isInteger(hop) && hop >= 1 && hop <= window))
    throw new InputError(`hop must be an integer from 1 to the window, ${window}, not ${hop}.`, { option: 'hop' });
  if (sound.length < window)
    throw new InputError(`${name} has ${sound.length} samples, fewer than a window of ${window}; give a shorter window.`, {
      option: 'window',
    });
  const frames = Math.floor((sound.length - window) / hop) + 1;
  const X = matrix(window / 2 + 1, frames);
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const [re, im] = [new Float64Array(window), new Float64Array(window)];
  const transform = fft(window);
  for (let j = 0; j < frames; j++) {
    for (let i = 0; i < window; i++) re[i] = sound[j * hop + i] * hann[i];
    im.fill(0);
    transform(re, im);
    for (let i = 0; i < X.rows; i++) X.data[i * frames + j] = Math.hypot(re[i], im[i]);
  }
  return X;
}

/** The fast Fourier transform of n = 2^m complex numbers in place (Cooley & Tukey 1965, radix 2). */
export function fft(n: number): (re: Float64Array, im: Float64Array) => void {
  const cos = Float64Array.from({ length: n / 2 }, (_, i) => Math.cos((-2 * Math.PI * i) / n));
  const sin = Float64Array.from({ length: n / 2 }, (_, i) => Math.sin((-2 * Math.PI * i) / n));
  const bits = Math.log2(n);
  const reversed = Uint32Array.from({ length: n }, (_, i) => {
    let r = 0;
    for (let b = 0; b < bits; b++) r |= ((i >> b) & 1) << (bits - 1 - b);
    return r;
  });
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = reversed[i];
      if (j <= i) continue;
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
    for (let half = 1; half < n; half *= 2) {
      const stride = n / (2 * half);
      for (let from = 0; from < n; from += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [a, b] = [from + k, from + k + half];
          const [c, s] = [cos[k * stride], sin[k * stride]];
          const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  };
}
