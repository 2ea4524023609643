import { afterAll, describe, test } from 'vitest';
import { suites } from './cases/index.js';
import { type Deno, startDeno } from './support/deno.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: Promise<Deno> | undefined;

afterAll(async () => (await started?.catch(() => undefined))?.close());

for (const [suite, cases] of Object.entries(suites)) {
  describe(`${suite} (Deno)`, () => {
    // Not those that force kernels of a feature that Deno does not offer; test/deno/main.ts fails once it does.
    for (const { name } of cases.filter(({ subgroups, once }) => !subgroups && !once)) {
      test(name, async () => {
        started ??= startDeno();
        await (await started).run(suite, name);
      });
    }
  });
}
