import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

// The tests run what lies in shaders/, not what was bundled some time ago.
const bundler = new URL('./scripts/bundle-shaders.mjs', import.meta.url);
if (existsSync(fileURLToPath(bundler))) {
  const { bundleShaders } = (await import(bundler.href)) as { bundleShaders?: () => Promise<unknown> };
  await bundleShaders?.();
}

// The same for the page of reports.
const pageBundler = new URL('./scripts/bundle-report.mjs', import.meta.url);
if (existsSync(fileURLToPath(pageBundler))) {
  const { bundleReport } = (await import(pageBundler.href)) as { bundleReport?: () => Promise<unknown> };
  await bundleReport?.();
}

const source = (name: string) => fileURLToPath(new URL(`./src/${name}.ts`, import.meta.url));

const together = ['test/{data,graph,programs,ranks,reference,report,shaders,text,topics}/**/*.test.ts'];

const pages = ['test/demo/**/*.test.ts'];

/** `mode`: 'fuzz', 'sound' or 'reference' where a script of package.json asks for more than tests. Projects do not take it over by themselves. */
export const configOf = (mode: string): ViteUserConfig => ({
  // Modules of the page import the package as its users do.
  resolve: {
    alias: [
      { find: /^orthant$/, replacement: source('index') },
      { find: /^orthant\/(text|formats|report)$/, replacement: source('$1') },
    ],
  },
  test: {
    // Files that leave nothing behind in their process have one together, which saves a third of their time; the others one each.
    projects: [
      { extends: true, mode, test: { name: 'together', include: together, isolate: false } },
      {
        extends: true,
        mode,
        test: {
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...together, ...pages, 'test/cluster/**'], // npm run test:cluster, which needs a Redis and an MPI
        },
      },
      // A browser that starts beside other work may get no device, or no turn, for minutes. It is tried once more; a fault fails twice.
      { extends: true, mode, test: { name: 'pages', include: pages, retry: 1 } },
    ],
    pool: 'forks', // a Dawn per process, in its main thread
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Far, for a machine may be busy with something else: only what hangs is to end here. `npm run test:fuzz` and the like take longer.
    testTimeout: mode === 'test' ? 600_000 : 3_600_000,
    hookTimeout: 600_000,
    teardownTimeout: 600_000,
    reporters: ['default', './test/support/closing-line.ts'],
  },
});

export default defineConfig(({ mode }) => configOf(mode));
