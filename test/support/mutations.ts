/** Damage to a file: bytes changed, put in, taken out, doubled, cut off. */
import fc from 'fast-check';

export interface Mutation {
  kind: 'change' | 'insert' | 'remove' | 'double' | 'cut';
  /** A place in the file, as a part of its length from 0 to 1. */
  at: number;
  length: number;
  piece: number[];
}

/** Up to four mutations; pieces to put in are bytes, or texts that mean something in the format. */
export function mutations(pieces: readonly string[]): fc.Arbitrary<Mutation[]> {
  const piece = fc.oneof(
    fc.constantFrom(...pieces).map((text) => [...Buffer.from(text)]),
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 3 }),
  );
  const mutation = fc.record({
    kind: fc.constantFrom('change', 'change', 'insert', 'insert', 'remove', 'double', 'cut') as fc.Arbitrary<Mutation['kind']>,
    at: fc.integer({ min: 0, max: 9999 }).map((part) => part / 10_000),
    length: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.integer({ min: 4, max: 40 }) }),
    piece,
  });
  const few = fc.array(mutation, { minLength: 1, maxLength: 1 });
  return fc.oneof({ weight: 2, arbitrary: few }, { weight: 1, arbitrary: fc.array(mutation, { minLength: 2, maxLength: 4 }) });
}

export function mutated(content: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  let file = [...content];
  for (const { kind, at, length, piece } of changes) {
    const start = Math.floor(at * file.length);
    // A change leaves the length as it is.
    const end = start + (kind === 'change' ? piece.length : length);
    const middle = {
      change: piece,
      insert: [...piece, ...file.slice(start, end)],
      remove: [],
      cut: [],
      double: [...file.slice(start, end), ...file.slice(start, end)],
    };
    file = kind === 'cut' ? file.slice(0, start) : [...file.slice(0, start), ...middle[kind], ...file.slice(end)];
  }
  return Uint8Array.from(file);
}
