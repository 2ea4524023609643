/** When a restart has settled, by its own objective alone. */
import type { Reading, StopMeasures, Stopping } from './loop.js';

export interface Settling {
  /** The rounding of a cost. */
  resolution: (cost: number) => number;
  tolerance: number;
  /** Whether costs with less rounding can be had. */
  finer: boolean;
  /** Whether they are cheap. Then they are asked for at every check near the end, so that all executors and forms of X end a fit alike. */
  cheap?: boolean;
}

/** A change this near to the tolerated one, relative to it, is near the end: as a rule a fall takes two checks and more to get so much smaller. */
const nearEnd = 0.3;

/**
 * See FitOptions.tolerance. A cost is compared with that of the check before. Where a fall at the tolerated rate is less than the rounding
 * of the cost, an earlier check decides from which it would be more. Undefined where there is none, or where `finer` costs can be had, and
 * near the end where they are `cheap`.
 */
export function hasSettled(readings: readonly Reading[], { resolution, tolerance, finer, cheap = false }: Settling): boolean | undefined {
  if (readings.length < 2) return false;
  const [previous, last] = readings.slice(-2);
  const { cost } = last;
  // Nothing is left, or rounding hides the rest.
  if (cost === 0) return resolution(cost) > 0 ? undefined : true;
  const needed = resolution(cost) / (tolerance * cost);
  const tells = ({ iteration }: Reading) => last.iteration - iteration >= needed;
  const before = tells(previous) || finer ? previous : (readings.slice(0, -1).findLast(tells) ?? previous);
  const change = Math.abs(before.cost - cost);
  const tolerated = tolerance * cost * (last.iteration - before.iteration);
  // Rounding alone could not make a change seem larger than this.
  const rounded = tells(before) ? 0 : resolution(cost);
  const blur = cheap ? Math.max(rounded, nearEnd * tolerated) : rounded;
  if (change > tolerated + blur) return false;
  return change > tolerated - blur ? undefined : true;
}

/** See FitOptions.stopping, 'initialError'. */
export function isSlow(readings: readonly Reading[], tolerance: number): boolean {
  const fall = initialErrorFallOf(readings);
  return fall !== null && fall < tolerance;
}

/** See FitOptions.stopping, 'kkt' and 'violation'. */
export function isStationary(readings: readonly Reading[], tolerance: number): boolean {
  const ratio = residualRatioOf(readings);
  return ratio !== null && ratio <= tolerance;
}

function initialErrorFallOf(readings: readonly Reading[]): number | null {
  if (readings.length < 2) return null;
  const [before, now] = readings.slice(-2);
  return (Math.sqrt(before.cost) - Math.sqrt(now.cost)) / Math.sqrt(readings[0].cost);
}

function residualRatioOf(readings: readonly Reading[]): number | null {
  const [first, last] = [readings[0]?.kkt, readings.at(-1)?.kkt];
  if (first === undefined || last === undefined || readings.length < 2) return null;
  return first === 0 ? 0 : last / first;
}

function relativeChangeOf(readings: readonly Reading[]): number | null {
  if (readings.length < 2) return null;
  const [before, now] = readings.slice(-2);
  return Math.abs(before.cost - now.cost) / (now.cost * (now.iteration - before.iteration));
}

/** The measures of all rules at the last check. */
export function measuresOf(rule: Stopping, readings: readonly Reading[]): StopMeasures {
  const finite = (x: number | null) => (x !== null && Number.isFinite(x) ? x : null);
  return {
    rule,
    relativeChange: finite(relativeChangeOf(readings)),
    initialErrorFall: finite(initialErrorFallOf(readings)),
    kktRatio: rule === 'kkt' ? finite(residualRatioOf(readings)) : null,
    violationRatio: rule === 'violation' ? finite(residualRatioOf(readings)) : null,
  };
}
