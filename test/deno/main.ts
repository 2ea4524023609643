/** Runs cases in Deno: a line of JSON on stdin asks for one, a line of JSON on stdout says how it ended. */
import { createInterface } from 'node:readline';
import { caseRunner } from '../support/run-case.js';

async function start() {
  if (!navigator.gpu) throw new Error('This Deno has no WebGPU (navigator.gpu is missing).');
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('This Deno has WebGPU but no adapter (requestAdapter gave null).');
  if (adapter.features.has('subgroups'))
    throw new Error('Deno has subgroups now: let test/deno.test.ts run the cases that need them, too.');
  return caseRunner(adapter);
}

/** Started by the first case, so that a failure is reported as that case's. */
let started: ReturnType<typeof start> | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  const { suite, name } = JSON.parse(line) as { suite: string; name: string };
  let error: string | null = null;
  try {
    started ??= start();
    await (await started).run(suite, name);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  process.stdout.write(`${JSON.stringify({ error })}\n`);
}
