/** The summary of a fit for people. */
import type { Factorization, StopReason } from '../models/fit.js';

const stopReasons: Record<StopReason, string> = {
  tolerance: 'the error fell by less than --tolerance',
  maxIterations: 'the most that --max-iterations allows',
  exact: 'the fit is exact',
  stopped: 'it was stopped',
};

/** Errors beside their bounds, one line a layer. */
export function layerTable({ layers, svdBoundMethod }: Factorization): string[] {
  const bound = svdBoundMethod === 'randomised' ? 'SVD bound (estimate)' : 'SVD bound';
  const rows = layers.map(({ rank, relativeError, svdBound }, l) => [
    `${l}`,
    `${rank}`,
    relativeError.toFixed(5),
    svdBound === null ? '–' : svdBound.toFixed(5),
    // A bound of zero (full rank) is rounding noise, and so would be the quotient.
    svdBound === null || svdBound < 1e-6 ? '–' : (relativeError / svdBound).toFixed(4),
  ]);
  return alignRight([['layer', 'rank', 'relative error', bound, 'error ÷ bound'], ...rows]);
}

/** How the fit went, as pairs of a name and what there is to say. */
export function fitFacts({ kktResidual, iterations, stopReason, restartErrors, restart, elapsedMs }: Factorization): [string, string][] {
  const count = restartErrors.length;
  const [best, worst] = [Math.min(...restartErrors), Math.max(...restartErrors)];
  return [
    ['KKT residual', kktResidual.toExponential(1)],
    ['iterations', `${iterations}: ${stopReasons[stopReason]}`],
    ['restarts', count === 1 ? '1' : `${count}: errors ${best.toFixed(5)} to ${worst.toFixed(5)}, kept number ${restart + 1}`],
    ['time', `${(elapsedMs / 1000).toFixed(1)} s`],
  ];
}

/** One name and its text a line, the texts below each other. */
export function alignFacts(facts: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

function alignRight(rows: readonly string[][]): string[] {
  const widths = rows[0].map((_, j) => Math.max(...rows.map((row) => row[j].length)));
  return rows.map((row) => row.map((cell, j) => cell.padStart(widths[j])).join('  '));
}
