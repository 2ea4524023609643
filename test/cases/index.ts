import { adapter } from './adapter.js';
import { elementwise } from './elementwise.js';
import { matmul } from './matmul.js';
import { nnls } from './nnls.js';
import { programs } from './programs.js';
import type { Case } from './support.js';

/** Every case, by suite. Each runs twice: in Node on Dawn (dawn.test.ts) and in Chrome (chrome.test.ts). */
export const suites: Record<string, Case[]> = { adapter, elementwise, matmul, nnls, programs };
