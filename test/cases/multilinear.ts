import { differential, signedEntries } from './support.js';

/** Tensors of three restarts whose modes have odd sizes; R is below, at and above a multiple of four. */
const shapes = [
  { I: 1, J: 7, R: 1 },
  { I: 13, J: 5, R: 7 },
  { I: 3, J: 257, R: 4 },
];

export const multilinear = shapes.flatMap(({ I, J, R }) => [
  differential(
    `Khatri–Rao product ${I}×${R}, ${J}×${R}`,
    (p, r) => {
      const A = p.input('A', I, R, { batched: true });
      const B = p.input('B', J, R);
      const out = p.state('out', I * J, R);
      p.section('all', () => p.khatriRao(A, B, { into: out }));
      const values = new Map([
        [A, signedEntries(r, 3 * I * R)],
        [B, signedEntries(r, J * R)],
      ]);
      return { values, compare: [{ tensor: out, terms: 1 }] };
    },
    { restarts: 3 },
  ),
  ...(['first', 'last'] as const).map((mode) =>
    differential(
      `contraction of the ${mode} mode of ${I}·${J}×${R}`,
      (p, r) => {
        const X = p.input('X', I * J, R, { batched: true });
        const F = p.input('F', mode === 'first' ? I : J, R, { batched: true });
        const out = p.state('out', mode === 'first' ? J : I, R);
        p.section('all', () => p.contract(X, F, mode, { into: out }));
        const values = new Map([
          [X, signedEntries(r, 3 * I * J * R)],
          [F, signedEntries(r, 3 * F.rows * R)],
        ]);
        return { values, compare: [{ tensor: out, terms: F.rows }] };
      },
      { restarts: 3 },
    ),
  ),
]);
