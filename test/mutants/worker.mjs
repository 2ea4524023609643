// One process that runs faults one after another: a line of JSON on stdin asks for one, a line on stdout says how it ended.
import { createInterface } from 'node:readline';
import { bundleText } from '../../scripts/bundle-shaders.mjs';
import { withLoader } from '../../scripts/load-typescript.mjs';

const generated = 'src/webgpu/shaders.generated.ts';

async function outcome({ file, text, covers, kernels }) {
  const instead = new Map();
  if (file?.endsWith('.wgsl')) {
    try {
      instead.set(generated, await bundleText(new Map([[file.slice('shaders/'.length, -'.wgsl'.length), text]])));
    } catch (error) {
      return { refused: String(error.message ?? error).slice(0, 300) };
    }
  } else if (file) {
    instead.set(file, text);
  }
  return withLoader(async (load) => (await load('/test/mutants/run.ts')).runCases(covers, kernels), instead);
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = await outcome(JSON.parse(line));
  } catch (error) {
    said = { failed: `before any case: ${error.message ?? error}`.slice(0, 300), ran: 0 };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
