#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
  // After Ctrl-C the device may still be busy, and nobody waits for it.
  if (process.exitCode === 130) process.exit();
} else {
  process.stderr.write('orthant: This clone has not been built yet; run: npm run build\n');
  process.exitCode = 1;
}
