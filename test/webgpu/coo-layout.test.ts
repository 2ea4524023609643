/** The device form of a tensor in coordinates, word by word, around the ends of segments. */
import { expect, test } from 'vitest';
import { random } from '../../src/data/random.js';
import { cooByteLength, cooModes, packCoo, segmentOf } from '../../src/webgpu/layout/coo-layout.js';
import { drawnTensor } from '../support/tensors.js';

test('a segment has 64 entries, or the root of the mean length of a line', () => {
  expect([segmentOf(0, 3), segmentOf(4096 * 7, 7), segmentOf(4097 * 7, 7), segmentOf(1_000_000, 1)]).toEqual([64, 64, 65, 1000]);
});

test.each([
  [63, 0],
  [64, 0],
  [65, 4],
])('lines of up to %i places leave room for %i tails', (places, tails) => {
  const [shape, entries] = [[7, places], 4 * 64 + 3];
  const [first, second] = cooModes({ shape, entries });
  expect([first.tails, second.tails]).toEqual([tails, 0]); // lines of the second have 7 places
  const words = 3 * entries + (2 * 8 + entries + 2 * tails) + (2 * (places + 1) + entries);
  expect(cooByteLength({ shape, entries })).toBe(4 * words);
});

test('every mode has the entries in the order of its index, in lines of a head and tails of a segment each', () => {
  const seed = 4;
  const X = drawnTensor(random(seed), { shape: [5, 31, 67], entries: 2500, heavy: { mode: 0, index: 3 } });
  const entries = X.values.length;
  const words = packCoo(X);
  const floats = new Float32Array(words.buffer);
  expect(words.byteLength).toBe(cooByteLength({ shape: X.shape, entries }));
  for (let e = 0; e < entries; e++) {
    expect([...words.subarray(4 * e, 4 * e + 3)]).toEqual([...X.coordinates.subarray(3 * e, 3 * e + 3)]);
    expect(floats[4 * e + 3]).toBe(X.values[e]);
  }
  const modes = cooModes({ shape: X.shape, entries });
  expect(modes.map(({ linesAt }) => linesAt)).toEqual([4 * entries, modes[0].end, modes[1].end]);
  modes.forEach(({ lines, linesAt, placesAt, tailsAt, tails, segment }, mode) => {
    const pair = (at: number) => [words[at], words[at + 1]];
    const seen: number[] = [];
    let used = 0;
    for (let line = 0; line < lines; line++) {
      const [[first, firstTail], [end, endTail]] = [pair(linesAt + 2 * line), pair(linesAt + 2 * line + 2)];
      const own = [...words.subarray(placesAt + first, placesAt + end)];
      expect(own.every((e) => X.coordinates[3 * e + mode] === line)).toBe(true);
      seen.push(...own);
      expect(firstTail).toBe(used);
      expect(endTail - firstTail).toBe(Math.max(0, Math.ceil((end - first) / segment) - 1));
      for (let t = firstTail; t < endTail; t++) expect(pair(tailsAt + 2 * t)).toEqual([first + (t - firstTail + 1) * segment, line]);
      used = endTail;
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: entries }, (_, e) => e));
    expect(used).toBeLessThanOrEqual(tails);
    // Room that is left holds tails without entries.
    for (let t = used; t < tails; t++) expect(pair(tailsAt + 2 * t)).toEqual([entries, lines - 1]);
  });
  expect(words[modes[0].linesAt + 2 * 4] - words[modes[0].linesAt + 2 * 3]).toBe(31 * 67);
});

test('a tensor without entries has lines without places', () => {
  const words = packCoo({ shape: [3, 2], coordinates: new Uint32Array(), values: new Float32Array() });
  expect([...words]).toEqual(new Array(2 * 4 + 2 * 3).fill(0));
});
