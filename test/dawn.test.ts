import { afterAll, describe, test } from 'vitest';
import { type AdapterPreference, requestDawnAdapter } from '../src/node/dawn.js';
import { suites } from './cases/index.js';
import { caseRunner } from './support/run-case.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: ReturnType<typeof start> | undefined;

async function start() {
  const dawn = await requestDawnAdapter({ prefer: process.env.ORTHANT_ADAPTER as AdapterPreference | undefined });
  return { dawn, runner: await caseRunner(dawn.adapter) };
}

afterAll(async () => {
  const running = await started?.catch(() => undefined);
  await running?.runner.dispose();
  running?.dawn.release();
});

for (const [suite, cases] of Object.entries(suites)) {
  describe(`${suite} (Dawn)`, () => {
    for (const { name } of cases) {
      test(name, async () => {
        started ??= start();
        await (await started).runner.run(suite, name);
      });
    }
  });
}
