/** The process that runs the fits of a sweep: see src/sweep/child.ts. */
import { serveJobs } from '../sweep/serve.js';
import { readJobInputs } from './fit-inputs.js';
import { version } from './run-fit.js';

serveJobs({ version, read: readJobInputs });
