import type { Results } from './results.js';
export async function draw(_: Results): Promise<void> {}
