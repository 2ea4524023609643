/** A share for people. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value === 0) return '0 %';
  return value < 0.01 ? '< 0.01 %' : `${value.toFixed(value < 1 ? 2 : value < 9.95 ? 1 : 0)} %`;
}

/** One line a layer for people: its number, its rank, its relative error, the SVD bound, and the error as a multiple of the bound. */
export function errorRows(layers: readonly { rank: number; relativeError: number; svdBound: number | null }[]): string[][] {
  return layers.map(({ rank, relativeError, svdBound }, l) => [
    `${l}`,
    `${rank}`,
    relativeError.toFixed(5),
    svdBound === null ? '–' : svdBound.toFixed(5),
    // A bound of zero (full rank) is rounding noise, and so would be the quotient.
    svdBound === null || svdBound < 1e-6 ? '–' : (relativeError / svdBound).toFixed(4),
  ]);
}

/** As `errorRows`, for the levels of a tensor: with the Tucker error, the mode bound and the error as a multiple of the Tucker error. */
export function tensorErrorRows(
  levels: readonly { rank: number; relativeError: number; modeBound: number | null; tuckerError: number | null }[],
): string[][] {
  const number = (x: number | null) => (x === null ? '–' : x.toFixed(5));
  return levels.map(({ rank, relativeError, modeBound, tuckerError }, l) => [
    `${l}`,
    `${rank}`,
    number(relativeError),
    number(tuckerError),
    number(modeBound),
    tuckerError === null || tuckerError < 1e-6 ? '–' : (relativeError / tuckerError).toFixed(4),
  ]);
}
