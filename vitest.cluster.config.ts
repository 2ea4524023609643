/** Tests against a real Redis and a real mpirun: `npm run test:cluster`. `npm test` needs neither. */
import { configOf } from './vitest.config.js';

const { test, ...rest } = configOf('test');
export default { ...rest, test: { ...test, projects: undefined, include: ['test/cluster/**/*.test.ts'], exclude: [] } };
