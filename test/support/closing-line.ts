import { writeSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/**
 * Prints `N passed, N failed` as the last line of the whole run, whatever happened in it. A file that cannot be collected, a hook
 * that fails, an error outside any test and a run that is cut short each count as one failure: a run that is not sound must not read
 * as one that passed.
 */
export default class ClosingLine implements Reporter {
  #passed = 0;
  #failed = 1; // until the run has ended

  constructor() {
    // At exit, since vitest and its other reporters still print after their last event.
    process.once('exit', () => writeSync(1, `${this.#passed} passed, ${this.#failed} failed\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason) {
    this.#passed = 0;
    this.#failed = unhandledErrors.length + (reason === 'interrupted' || modules.length === 0 ? 1 : 0);
    for (const module of modules) {
      let failed = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') this.#passed++;
        if (state === 'failed') failed++;
      }
      if (failed === 0 && module.state() === 'failed') failed = 1;
      this.#failed += failed;
    }
  }
}
