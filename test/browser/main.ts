import { caseRunner } from '../support/run-case.js';

declare global {
  interface Window {
    orthantCases: { run(suite: string, name: string): Promise<{ ok: boolean; error?: string }> };
  }
}

async function start() {
  if (!navigator.gpu) throw new Error('This browser has no WebGPU (navigator.gpu is missing).');
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('This browser has WebGPU but no adapter (requestAdapter gave null).');
  return caseRunner(adapter);
}

/** Started by the first case, so that a failure is reported as that case's. */
let started: ReturnType<typeof start> | undefined;

window.orthantCases = {
  async run(suite, name) {
    try {
      started ??= start();
      await (await started).run(suite, name);
      return { ok: true };
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  },
};
