// One process that runs faults one after another: a line of JSON on stdin asks for one, a line on stdout says how it ended.
import { createInterface } from 'node:readline';
import { bundledCodes } from '../../scripts/bundle-shaders.mjs';
import { withLoader } from '../../scripts/load-typescript.mjs';

const cases = '/test/mutants/run.ts';

/** Sources in TypeScript are read again; for WGSL it is enough to exchange its text. */
async function outcome({ file, text, covers, kernels }, load) {
  if (!file.endsWith('.wgsl')) return withLoader(async (fresh) => (await fresh(cases)).runCases(covers, kernels), new Map([[file, text]]));
  let changed;
  try {
    changed = await bundledCodes(new Map([[file.slice('shaders/'.length, -'.wgsl'.length), text]]));
  } catch (error) {
    return { refused: String(error.message ?? error).slice(0, 300) };
  }
  const restore = await exchange(changed, load);
  try {
    return await (await load(cases)).runCases(covers, kernels);
  } finally {
    restore();
  }
}

/** Puts other texts of kernels in the place of those that are loaded, until the function that it returns is called. */
async function exchange(changed, load) {
  const { modules } = await load('/src/webgpu/shaders.generated.ts');
  const loaded = await Promise.all([...new Set(Object.values(modules))].map((module) => module()));
  const before = loaded.map(({ codes }) => [codes, { ...codes }]);
  for (const { codes } of loaded) for (const name of Object.keys(codes)) codes[name] = changed[name];
  return () => {
    for (const [codes, own] of before) Object.assign(codes, own);
  };
}

await withLoader(async (load) => {
  for await (const line of createInterface({ input: process.stdin })) {
    let said;
    try {
      said = await outcome(JSON.parse(line), load);
    } catch (error) {
      said = { failed: `before any case: ${error.message ?? error}`.slice(0, 300), ran: 0 };
    }
    process.stdout.write(`${JSON.stringify(said)}\n`);
  }
});
