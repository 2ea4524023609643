/** Tests against a real Redis and a real mpirun: `npm run test:cluster`. `npm test` needs neither. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

const merged = mergeConfig(base, defineConfig({}));
export default { ...merged, test: { ...merged.test, projects: undefined, include: ['test/cluster/**/*.test.ts'], exclude: [] } };
