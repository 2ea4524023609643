/** Runs the differential cases that cover a fault, on the sources as the loader gives them, until one fails. */
import { requestDawnAdapter } from '../../src/node/dawn.js';
import { suites } from '../cases/index.js';
import { adapters } from '../plans/dump.js';
import { caseRunner } from '../support/run-case.js';

/** Milliseconds for the cases of one fault: those that come later are seldom needed. */
const longest = 150_000;

export interface Outcome {
  /** The first case that fails, and its words; undefined if none does. */
  failed?: string;
  /** The number of cases that were run. */
  ran: number;
}

/**
 * `covers` is a pattern for "suite: name". Of cases that tell their kernels only those run that use one of `kernels`, if there are any
 * given, and they run first. The order is shuffled in the same way each time, so that neighbours, which are alike, do not follow each other.
 */
export async function runCases(covers: string, kernels: readonly string[]): Promise<Outcome> {
  const pattern = new RegExp(covers, 'u');
  const chosen = Object.entries(suites)
    .flatMap(([suite, cases]) => cases.map((one) => ({ suite, one })))
    .filter(({ suite, one }) => pattern.test(`${suite}: ${one.name}`))
    .filter(({ one }) => kernels.length === 0 || !one.kernels || one.kernels(adapters.software).some((kernel) => kernels.includes(kernel)))
    .map((entry, i) => ({ ...entry, rank: Math.imul(i + 1, 0x9e3779b1) >>> 0 }))
    .sort((a, b) => Number(!a.one.kernels) - Number(!b.one.kernels) || a.rank - b.rank);
  const dawn = await requestDawnAdapter();
  try {
    const runner = await caseRunner(dawn.adapter);
    try {
      let ran = 0;
      const end = performance.now() + longest;
      for (const { suite, one } of chosen) {
        if (performance.now() > end) break;
        ran++;
        try {
          await runner.run(suite, one.name);
        } catch (error) {
          return { failed: `${suite}: ${one.name}: ${error instanceof Error ? error.message : error}`.slice(0, 300), ran };
        }
      }
      return { ran };
    } finally {
      await runner.dispose();
    }
  } finally {
    dawn.release();
  }
}
