/** Tests against a real Redis and a real mpirun: `npm run test:cluster`. `npm test` needs neither. */
import { configOf } from './vitest.config.js';

const { test, ...rest } = configOf('test');
// Processes that are killed have a second to say so, which a busy machine may not give them: once more then.
export default {
  ...rest,
  test: { ...test, projects: undefined, retry: 1, testTimeout: 300_000, include: ['test/cluster/**/*.test.ts'], exclude: [] },
};
