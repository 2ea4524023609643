// Separating sounds: two instruments in one recording, told apart by their spectra.
import path from 'node:path';
import * as Plot from '@observablehq/plot';
import { matrix, ssnmf } from 'orthant/node';
import { example, folder, picture, quick, randomNumbers, tile } from './kit.mjs';
import { masked, readWav, stft, writeWav } from './sound.mjs';

const [rate, seconds, size] = [8000, quick ? 2 : 4, 1024];
const { normal } = randomNumbers(4);

// The truth: an organ that swells, with all multiples of 220 Hz, and a bell that fades, with partials that are no multiples.
const wave = (partials, envelope) =>
  Float64Array.from({ length: rate * seconds }, (_, i) =>
    partials.reduce((sum, [hertz, height]) => sum + height * envelope(i / rate) * Math.sin((2 * Math.PI * hertz * i) / rate), 0),
  );
const organ = wave([1, 2, 3, 4, 5, 6].map((n) => [220 * n, 0.2 / n]), (t) => Math.sin((Math.PI * t) / 1.3) ** 2);
const bell = wave([[523, 0.2], [1177, 0.12], [1643, 0.08]], (t) => Math.exp(-5 * (t % 0.5)) * Math.min(1, 100 * (t % 0.5)));
const sources = { organ, bell };
const names = Object.keys(sources);
const at = (name) => path.join(folder, `audio-${name}.wav`);
await writeWav(at('mixture'), organ.map((x, i) => x + bell[i] + 0.002 * normal()), rate);

await example(async (engine) => {
  const { samples } = await readWav(at('mixture'));
  const spectra = stft(samples, size);
  const X = matrix(size / 2 + 1, spectra.length, Array.from({ length: size / 2 + 1 }, (_, f) => spectra.map(({ magnitudes }) => magnitudes[f])).flat());
  const { A: [A], S: [S] } = await ssnmf(engine, X, { ranks: 2, model: 2, seed: 1, restarts: 4, maxIterations: 300 }); // model 2: KL
  console.log(`${samples.length / rate} s at ${rate} Hz: a spectrogram of ${X.rows} frequencies × ${X.cols} times`);

  // Each component gets the part of every bin that it has in AS. The mixture gives the phase.
  const part = (k) => (f, t) => (A.data[2 * f + k] * S.data[k * S.cols + t]) / (A.data[2 * f] * S.data[t] + A.data[2 * f + 1] * S.data[S.cols + t] + 1e-12);
  const components = [0, 1].map((k) => masked(spectra, samples.length, part(k)));
  const power = (list) => list.reduce((sum, x) => sum + x * x, 0);
  const sdr = (truth, sound) => 10 * Math.log10(power(truth) / power(truth.map((x, i) => x - sound[i]))); // signal to distortion, in dB
  // The component whose spectrum peaks lower is the organ: 220 Hz is below 523 Hz.
  const peak = (k) => Array.from({ length: A.rows }, (_, f) => A.data[2 * f + k]).reduce((best, x, f, all) => (x > all[best] ? f : best), 0);
  const order = peak(0) < peak(1) ? [0, 1] : [1, 0];
  const panels = [['mixture', () => 1]];
  for (const [i, name] of names.entries()) {
    const sound = components[order[i]];
    await writeWav(at(name), sound, rate);
    const [before, after] = [sdr(sources[name], samples), sdr(sources[name], sound)];
    console.log(`${name}: SDR ${before.toFixed(1)} dB in the mixture, ${after.toFixed(1)} dB separated`);
    panels.push([`${name}, ${after.toFixed(1)} dB`, part(order[i])]);
  }

  const bins = Math.floor((2000 * size) / rate);
  const images = panels.map(([name, mask]) => {
    const values = Array.from({ length: bins }, (_, row) => spectra.map(({ magnitudes }, t) => Math.sqrt(mask(bins - 1 - row, t) * magnitudes[bins - 1 - row])));
    return { name, x: seconds / 2, y: 1000, src: tile(values.flat(), X.cols, bins) };
  });
  await picture('audio', {
    height: 480, marginLeft: 60, marginRight: 100,
    x: { domain: [0, seconds], label: 'seconds', labelAnchor: 'center' }, y: { domain: [0, 2000], label: 'Hz', ticks: 3 }, fy: { label: null, domain: panels.map(([name]) => name), padding: 0.12 },
    marks: [Plot.image(images, { x: 'x', y: 'y', fy: 'name', src: 'src', width: 560, height: 124, preserveAspectRatio: 'none' })],
  });
});
