// One process that runs faults one after another: a line of JSON on stdin asks for one, a line on stdout says how it ended.
import { createInterface } from 'node:readline';
import { bundleText } from '../../scripts/bundle-shaders.mjs';
import { withLoader } from '../../scripts/load-typescript.mjs';

const cases = '/test/mutants/run.ts';

/** The WGSL of every kernel with another text for one file, as src/webgpu/shaders.generated.ts would have it. */
async function codesWith(file, text) {
  const module = await bundleText(new Map([[file.slice('shaders/'.length, -'.wgsl'.length), text]]));
  const own = module.slice(module.lastIndexOf('} as const;') + '} as const;'.length).replace(/export const codes: [^=]*= /, 'return ');
  return new Function(own)();
}

/** Sources in TypeScript are read again; for WGSL it is enough to exchange its text. */
async function outcome({ file, text, covers, kernels }, load) {
  if (!file.endsWith('.wgsl')) return withLoader(async (fresh) => (await fresh(cases)).runCases(covers, kernels), new Map([[file, text]]));
  let changed;
  try {
    changed = await codesWith(file, text);
  } catch (error) {
    return { refused: String(error.message ?? error).slice(0, 300) };
  }
  const { codes } = await load('/src/webgpu/shaders.generated.ts');
  const before = { ...codes };
  Object.assign(codes, changed);
  try {
    return await (await load(cases)).runCases(covers, kernels);
  } finally {
    Object.assign(codes, before);
  }
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
