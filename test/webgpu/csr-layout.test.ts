/** The device form of a CSR matrix, word by word, around the ends of segments. */
import { expect, test } from 'vitest';
import { type SparseMatrix, sparseFromDense, toDense } from '../../src/data/sparse.js';
import { csrByteLength, csrSides, packCsr, segment } from '../../src/webgpu/layout/csr-layout.js';

/** Row i has `lengths[i]` entries in its first columns; entry (i, j) is i + j / 1024. */
function withRows(cols: number, lengths: readonly number[]): SparseMatrix {
  const data = Float32Array.from({ length: lengths.length * cols }, (_, at) => {
    const [i, j] = [Math.floor(at / cols), at % cols];
    return j < lengths[i] ? 1 + i + j / 1024 : 0;
  });
  return sparseFromDense({ rows: lengths.length, cols, data });
}

test.each([
  [segment - 1, 0],
  [segment, 0],
  [segment + 1, 4],
])('lines of up to %i places leave room for %i tails', (cols, tails) => {
  const entries = 4 * segment + 3;
  const { plain, transposed } = csrSides({ rows: 7, cols, entries });
  expect(plain.tails).toBe(tails);
  expect(transposed.tails).toBe(0); // its lines have 7 places
  expect(csrByteLength({ rows: 7, cols, entries })).toBe(8 * (8 + entries + tails + (cols + 1) + entries));
});

test('every line has its first 64 entries, and a tail for each further 64 or fewer', () => {
  const lengths = [0, 1, 63, 64, 65, 127, 128, 129, 200, 0];
  const X = withRows(200, lengths);
  const words = packCsr(X);
  const floats = new Float32Array(words.buffer);
  const { plain, transposed } = csrSides({ rows: X.rows, cols: X.cols, entries: X.values.length });
  const dense = toDense(X).data;
  for (const [side, entryAt] of [
    [plain, (line: number, place: number) => dense[line * X.cols + place]],
    [transposed, (line: number, place: number) => dense[place * X.cols + line]],
  ] as const) {
    const pair = (at: number) => [words[2 * at], words[2 * at + 1]];
    let tails = 0;
    for (let line = 0; line < side.lines; line++) {
      const [[first, firstTail], [end, endTail]] = [pair(side.linesAt + line), pair(side.linesAt + line + 1)];
      for (let e = first; e < end; e++) {
        const at = side.entriesAt + e;
        expect(floats[2 * at + 1]).toBe(entryAt(line, words[2 * at]));
      }
      expect(firstTail).toBe(tails);
      expect(endTail - firstTail).toBe(Math.max(0, Math.ceil((end - first) / segment) - 1));
      for (let t = 0; t < endTail - firstTail; t++) expect(pair(side.tailsAt + firstTail + t)).toEqual([first + (t + 1) * segment, line]);
      tails = endTail;
    }
    expect(tails).toBeLessThanOrEqual(side.tails);
    // Room that is left holds tails without entries.
    for (let t = tails; t < side.tails; t++) expect(pair(side.tailsAt + t)).toEqual([X.values.length, side.lines - 1]);
  }
  expect(Array.from({ length: X.rows }, (_, i) => X.rowStarts[i + 1] - X.rowStarts[i])).toEqual(lengths);
});
