import { adapter } from './adapter.js';
import { deep } from './deep.js';
import { deepSemi } from './deep-semi.js';
import { elementwise } from './elementwise.js';
import { fitsOfMethods } from './fits.js';
import { withGpus } from './gpus.js';
import { gramResidual } from './gram-residual.js';
import { hals } from './hals.js';
import { matmul } from './matmul.js';
import { multilinear } from './multilinear.js';
import { nnls } from './nnls.js';
import { panels } from './panels.js';
import { programs } from './programs.js';
import { simplex } from './simplex.js';
import { solves } from './solves.js';
import { sparse } from './sparse.js';
import { sparseCoding } from './sparse-coding.js';
import { ssnmf } from './ssnmf.js';
import type { Case } from './support.js';
import { unfolded } from './unfolded.js';
import { vocabulary } from './vocabulary.js';

/** Every case, by suite, and differential ones also with the plans of a GPU. All run in Node on Dawn (dawn.test.ts); test/cases/stacks.ts says which run in Chrome (chrome.test.ts) and in Deno (deno.test.ts), too. */
const written: Record<string, Case[]> = {
  adapter,
  deep,
  ssnmf,
  elementwise,
  fits: fitsOfMethods,
  gramResidual,
  hals,
  matmul,
  multilinear,
  nnls,
  panels,
  programs,
  simplex,
  solves,
  sparse,
  sparseCoding,
  vocabulary,
  deepSemi,
  unfolded,
};

export const suites: Record<string, Case[]> = Object.fromEntries(Object.entries(written).map(([suite, cases]) => [suite, withGpus(cases)]));
