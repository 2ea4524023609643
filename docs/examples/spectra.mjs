// Spectral unmixing: which pure spectra does a scene consist of, and how much of each is in every pixel?
import * as Plot from '@observablehq/plot';
import { matrix, nmf } from 'orthant/node';
import { columns, example, match, picture, quick, randomNumbers } from './kit.mjs';

const [bands, side] = quick ? [60, 12] : [120, 32];
const noise = 0.01; // of the highest peak
const { uniform, normal } = randomNumbers(1);

// The truth: three substances, each with peaks at its own wavelengths, in nanometres, and where they lie in the scene.
const wavelengths = Array.from({ length: bands }, (_, i) => 400 + (300 * i) / (bands - 1));
const peak = (at, width, height) => (x) => height * Math.exp(-(((x - at) / width) ** 2));
const substances = {
  'substance 1': [peak(450, 14, 1), peak(520, 25, 0.5)],
  'substance 2': [peak(490, 16, 0.8), peak(610, 18, 0.9)],
  'substance 3': [peak(560, 35, 0.7), peak(660, 10, 1)],
};
const names = Object.keys(substances);
const spectra = names.map((name) => wavelengths.map((x) => substances[name].reduce((sum, line) => sum + line(x), 0)));
const centres = [[0.2, 0.25], [0.75, 0.3], [0.45, 0.8]];
const pixels = Array.from({ length: side * side }, (_, p) => [(p % side) / side, Math.floor(p / side) / side]);
const amounts = pixels.map(([x, y]) => {
  const parts = centres.map(([cx, cy]) => Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.04) + 0.02 * uniform());
  const whole = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / whole); // of a pixel, the parts sum to 1
});

// The measured scene: bands × pixels, mixed and noisy; a negative reading is none.
const readings = wavelengths.map((_, i) =>
  amounts.map((parts) => Math.max(0, spectra.reduce((sum, spectrum, k) => sum + parts[k] * spectrum[i], 0) + noise * normal())),
);
const X = matrix(bands, side * side, readings.flat());

await example(async (engine) => {
  const { A: [A], S: [S], relativeError, svdBound } = await nmf(engine, X, { ranks: 3, restarts: 4, seed: 1 });
  const found = columns(A);
  const matched = match(spectra, found);
  const angles = matched.map(({ cosine }) => (180 / Math.PI) * Math.acos(Math.min(1, cosine)));
  names.forEach((name, k) => console.log(`${name}: angle to the truth ${angles[k].toFixed(1)}°, cosine ${matched[k].cosine.toFixed(4)}`));
  const maps = matched.map(({ found }, k) => match([amounts.map((parts) => parts[k])], [S.data.subarray(found * S.cols, (found + 1) * S.cols)])[0].cosine);
  console.log(`maps: cosines ${maps.map((cosine) => cosine.toFixed(4)).join(', ')}`);
  console.log(`relative error ${relativeError.toFixed(4)}, the least of any factorization of rank 3 ${svdBound.toFixed(4)}`);

  const scaled = (values) => values.map((value) => value / Math.max(...values));
  const lines = names.flatMap((name, k) =>
    [['truth', spectra[k]], ['found', found[matched[k].found]]].flatMap(([source, values]) =>
      scaled(values).map((value, i) => ({ name: `${name}, ${angles[k].toFixed(1)}° apart`, source, x: wavelengths[i], value })),
    ),
  );
  await picture('spectra', {
    height: 400, marginRight: 150, legend: { 'true spectrum': '#bbb', 'found spectrum': '#d55e00' },
    x: { label: 'wavelength in nm', labelAnchor: 'center' }, y: { label: null, ticks: 3 }, fy: { label: null, padding: 0.2 },
    marks: [
      Plot.lineY(lines.filter(({ source }) => source === 'truth'), { x: 'x', y: 'value', fy: 'name', stroke: '#bbb', strokeWidth: 7 }),
      Plot.lineY(lines.filter(({ source }) => source === 'found'), { x: 'x', y: 'value', fy: 'name', stroke: '#d55e00', strokeWidth: 1.5 }),
    ],
  });
});
