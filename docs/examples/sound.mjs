// What an example with sound needs: files in 16-bit PCM, and the short-time Fourier transform and back.
import { readFile, writeFile } from 'node:fs/promises';

export async function writeWav(file, samples, rate) {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + 2 * samples.length, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16); // bytes of the format: PCM, one channel, its rates, 2 bytes a sample
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) bytes.writeUInt16LE(value, at);
  for (const [at, value] of [[24, rate], [28, 2 * rate], [40, 2 * samples.length]]) bytes.writeUInt32LE(value, at);
  bytes.write('data', 36);
  samples.forEach((x, i) => bytes.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, x))), 44 + 2 * i));
  await writeFile(file, bytes);
}

/** The samples of a file with a header of 44 bytes, one channel and 16 bits a sample. */
export async function readWav(file) {
  const bytes = await readFile(file);
  const plain = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 36, 40) === 'data';
  if (!plain || bytes.readUInt16LE(20) !== 1 || bytes.readUInt16LE(22) !== 1 || bytes.readUInt16LE(34) !== 16)
    throw new Error(`${file} is no plain WAV of one channel and 16 bits. Convert it: ffmpeg -i in.wav -ac 1 -c:a pcm_s16le -bitexact out.wav`);
  const samples = Float64Array.from({ length: (bytes.length - 44) >> 1 }, (_, i) => bytes.readInt16LE(44 + 2 * i) / 32767);
  return { samples, rate: bytes.readUInt32LE(24) };
}

/** The discrete Fourier transform of a power of two of complex numbers, in place (Cooley and Tukey). `sign` 1 goes back, but for the factor. */
function fft(re, im, sign = -1) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) for (const list of [re, im]) [list[i], list[j]] = [list[j], list[i]];
  }
  for (let size = 2; size <= n; size *= 2)
    for (let start = 0; start < n; start += size)
      for (let k = 0; k < size / 2; k++) {
        const [c, s] = [Math.cos((2 * Math.PI * k) / size), sign * Math.sin((2 * Math.PI * k) / size)];
        const [a, b] = [start + k, start + k + size / 2];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b], re[a], im[a]] = [re[a] - x, im[a] - y, re[a] + x, im[a] + y];
      }
}

const hann = (size) => Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));

/** The spectra of windows that overlap by three quarters. */
export function stft(samples, size) {
  const window = hann(size);
  return Array.from({ length: Math.ceil(samples.length / (size / 4)) + 3 }, (_, t) => {
    const start = (t - 3) * (size / 4);
    const [re, im] = [Float64Array.from(window, (w, i) => w * (samples[start + i] ?? 0)), new Float64Array(size)];
    fft(re, im);
    return { re, im, magnitudes: Float64Array.from({ length: size / 2 + 1 }, (_, f) => Math.hypot(re[f], im[f])) };
  });
}

/** The sound of spectra whose bins are multiplied by mask(bin, frame); without a mask it is the sound that was given. */
export function masked(spectra, length, mask) {
  const size = spectra[0].re.length;
  const [window, sound, weight] = [hann(size), new Float64Array(length), new Float64Array(length)];
  spectra.forEach(({ re, im }, t) => {
    const gains = Array.from({ length: size }, (_, f) => mask(Math.min(f, size - f), t) / size);
    const [a, b] = [re.map((x, f) => x * gains[f]), im.map((x, f) => x * gains[f])];
    fft(a, b, 1);
    for (let i = 0, at = (t - 3) * (size / 4); i < size; i++, at++)
      if (at >= 0 && at < length) [sound[at], weight[at]] = [sound[at] + a[i] * window[i], weight[at] + window[i] ** 2];
  });
  return sound.map((x, i) => x / weight[i]);
}
