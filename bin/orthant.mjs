#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/cli/launch.js', import.meta.url);
if (existsSync(built)) {
  const { launch } = await import(built.href);
  await launch(process.argv.slice(2));
} else {
  process.stderr.write('orthant: This clone has not been built yet; run: npm run build\n');
  process.exitCode = 1;
}
