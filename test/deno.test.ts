import { afterAll, describe, test } from 'vitest';
import { inDeno } from './cases/stacks.js';
import { type Deno, startDeno } from './support/deno.js';

/** Started by the first test and not in a `beforeAll`, whose failure would make vitest skip every test instead of failing it. */
let started: Promise<Deno> | undefined;

afterAll(async () => (await started?.catch(() => undefined))?.close());

for (const [suite, cases] of Object.entries(inDeno())) {
  describe(`${suite} (Deno)`, () => {
    for (const { name } of cases) {
      test(name, async () => {
        started ??= startDeno();
        await (await started).run(suite, name);
      });
    }
  });
}
