/** Sparse tensors for tests. */
import type { Random } from '../../src/data/random.js';
import type { SparseTensor } from '../../src/data/tensors.js';

/** `entries` places of a tensor, with signed values. Of those with `heavy` index in its mode all are taken first. */
export function drawnTensor(
  r: Random,
  { shape, entries, heavy }: { shape: readonly number[]; entries: number; heavy?: { mode: number; index: number } },
): SparseTensor {
  const size = shape.reduce((product, d) => product * d, 1);
  const indexIn = (place: number, mode: number) =>
    Math.floor(place / shape.slice(mode + 1).reduce((product, d) => product * d, 1)) % shape[mode];
  const places = new Set<number>();
  if (heavy) {
    for (let place = 0; place < size && places.size < entries; place++) if (indexIn(place, heavy.mode) === heavy.index) places.add(place);
  }
  while (places.size < Math.min(entries, size)) places.add(r.integer(size));
  const sorted = [...places].sort((a, b) => a - b);
  return {
    shape: [...shape],
    coordinates: Uint32Array.from(sorted.flatMap((place) => shape.map((_, mode) => indexIn(place, mode)))),
    values: Float32Array.from(sorted, () => r.normal()),
  };
}

/** All entries in C order. */
export function denseEntries({ shape, coordinates, values }: SparseTensor): Float32Array {
  const dense = new Float32Array(shape.reduce((product, d) => product * d, 1));
  values.forEach((x, e) => {
    dense[shape.reduce((at, d, n) => at * d + coordinates[shape.length * e + n], 0)] = x;
  });
  return dense;
}
