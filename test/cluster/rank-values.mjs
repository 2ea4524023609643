/** What ranks bring along in mpi-communicator.test.ts. The test makes it again, to compute by plain loops what must come of it. */

/** Numbers in [0, 1) of a linear congruential generator (Numerical Recipes, 7.1). */
function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Numbers of both signs over 32 powers of two: another order of additions gives other bits. */
export function numbersOf(seed, rank, length) {
  const next = uniforms(seed * 1009 + rank);
  return Float64Array.from({ length }, () => (next() - 0.5) * 2 ** Math.floor(32 * next()));
}

/** Of every rank another number of entries, and of rank 1 none. */
export function gatheredOf(seed, rank) {
  const next = uniforms(seed * 31 + rank);
  return Float32Array.from({ length: rank === 1 ? 0 : 1 + Math.floor(3000 * next()) }, next);
}

export function broadcastOf(seed, length) {
  return Float32Array.from({ length }, uniforms(seed));
}

export function textOf(rank) {
  return ['Rang 0: Σ AᵀA', '', '{"µ": "\\n"}', '列'.repeat(5000)][rank];
}
