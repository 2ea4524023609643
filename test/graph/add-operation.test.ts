/** The operation that CONTRIBUTING.md adds as its example, added as it says there: in how many places, and whether that is all it takes. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundleShaders } from '../../scripts/bundle-shaders.mjs';
import { withLoader } from '../../scripts/load-typescript.mjs';
import type { Engine } from '../../src/engine.js';
import type { ProgramBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { expectClose } from '../cases/support.js';
import { lendDevice } from '../support/devices.js';
import { examplePieces, problemsIn, root } from '../support/examples.js';

const generated = ['shaders.generated.ts', 'wgsl/elementwise.generated.ts'];
const [definition, meaning, lowering] = ['graph/operations', 'reference', 'webgpu/lower'].map((room) => `src/${room}/elementwise.ts`);
const kernel = 'shaders/elementwise/soft-threshold.wgsl';

/** The pieces of text, by the file that the first line of each names. */
const pieces = await examplePieces('Add an operation');
/** The bundled modules that the new kernel changes. */
const bundle = await bundleWith(kernel);

async function bundleWith(added: string): Promise<Map<string, string>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-'));
  try {
    await cp(path.join(root, 'shaders'), path.join(folder, 'shaders'), { recursive: true });
    await writeFile(path.join(folder, added), pieces.get(added) ?? '');
    await bundleShaders({ folder: path.join(folder, 'shaders'), output: folder });
    return new Map(
      await Promise.all(generated.map(async (file) => [`src/webgpu/${file}`, await readFile(path.join(folder, file), 'utf8')] as const)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What files of src become with the pieces for them, each at the head of its family's record. */
async function filesWith(...added: string[]): Promise<Map<string, string>> {
  const files = new Map(bundle);
  for (const file of added) {
    const text = await readFile(path.join(root, file), 'utf8');
    files.set(
      file,
      text.replace(/^export const elementwise.* = \{\n/m, (head) => head + pieces.get(file)),
    );
  }
  return files;
}

const joints = ['src/graph/operations.ts', 'src/graph/program.ts', 'src/reference/operations.ts', 'src/webgpu/lower/lower.ts'];

/** What the compiler says of the family and of what joins the families, with these texts. */
const problemsOf = (files: ReadonlyMap<string, string>) => problemsIn([definition, meaning, lowering, ...joints], files);

test('it takes four places, three of them in files that are there', () => {
  expect([...pieces.keys()]).toEqual([definition, meaning, lowering, kernel]);
});

test('the compiler finds each place that is missing, and each number', async () => {
  const missing = (file: string) => expect.stringMatching(new RegExp(`^${file}: Property 'softThreshold' is missing`));
  expect(problemsOf(await filesWith(definition))).toEqual([missing(meaning), missing(lowering)]);
  const files = await filesWith(definition, meaning, lowering);
  files.set(lowering, files.get(lowering)!.replace('{ THRESHOLD: threshold }', '{}'));
  expect(problemsOf(files)).toEqual([expect.stringMatching(/^src\/webgpu\/lower\/elementwise.ts: .*'THRESHOLD' is missing/)]);
});

test('and then it runs on both executors', async () => {
  const device = await lendDevice();
  const [X, out, expected] = await withLoader(
    async (load) => {
      const { programBuilder } = (await load('src/graph/program.ts')) as {
        programBuilder: typeof import('../../src/graph/program.js').programBuilder;
      };
      const p = programBuilder('example', { restarts: 2 }) as ProgramBuilder & {
        softThreshold(X: Tensor, threshold: number, options: object): Tensor;
      };
      const tensor = p.input('X', 5, 7, { batched: true });
      const result = p.state('out', 5, 7);
      p.section('all', () => p.softThreshold(tensor, 0.3, { into: result }));
      const program = p.build();
      const X = Float32Array.from({ length: 70 }, (_, i) => Math.sin(i));
      const { createReferenceEngine } = (await load('src/reference/engine.ts')) as { createReferenceEngine(): Engine };
      const { createWebGpuEngine } = (await load('src/webgpu/engine.ts')) as { createWebGpuEngine(options: object): Promise<Engine> };
      const results: ArrayLike<number>[] = [X];
      for (const engine of [await createWebGpuEngine({ device }), createReferenceEngine()]) {
        const run = await engine.prepare(program);
        run.write(tensor, X);
        run.execute('all');
        results.push(await run.read(result));
        engine.dispose();
      }
      return results;
    },
    await filesWith(definition, meaning, lowering),
  );
  expectClose('both executors', out, expected, { terms: 1 });
  const byHand = Array.from(X, (x) => (x > 0.3 ? x - 0.3 : x < -0.3 ? x + 0.3 : 0));
  expectClose('what the formula says', expected, byHand, { terms: 1 });
});
