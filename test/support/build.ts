import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'];
let built: Promise<void> | undefined;

/** Compiles src to dist, once for all tests of a file, for those that start the real command. */
export function build(): Promise<void> {
  built ??= new Promise((resolve, reject) => {
    execFile(process.execPath, tsc, { cwd: root }, (error, stdout) => {
      if (error) reject(new Error(`src does not compile:\n${stdout || error.message}`));
      else resolve();
    });
  });
  return built;
}
