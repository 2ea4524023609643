// `npm run bench`: see bench/README.md. Node runs plain JavaScript only, so vite loads the TypeScript that does the work.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('./main.ts', import.meta.url)), { logLevel: 'error' });
process.exitCode = await module.main(process.argv.slice(2));
