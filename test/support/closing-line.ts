import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Prints `N passed, N failed` as the last line of the whole run, whatever happened in it. A file that cannot be collected, a hook
 * that fails and an error outside any test each count as one failure: a run that is not sound must not read as one that passed.
 */
export default class ClosingLine implements Reporter {
  #passed = 0;
  #failed = 0;

  constructor() {
    // At exit, since vitest and its other reporters still print after their last event.
    process.once('exit', () => writeSync(1, `${this.#passed} passed, ${this.#failed} failed\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]) {
    this.#passed = 0;
    this.#failed = unhandledErrors.length;
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
