/** The operation that CONTRIBUTING.md adds as its example, added as it says there: in how many places, and whether that is all it takes. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { bundleShaders } from '../../scripts/bundle-shaders.mjs';
import { withLoader } from '../../scripts/load-typescript.mjs';
import type { Engine } from '../../src/engine.js';
import type { ProgramBuilder } from '../../src/graph/program.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { expectClose } from '../cases/support.js';
import { lendDevice } from '../support/devices.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const generated = 'src/webgpu/shaders.generated.ts';
const [definition, meaning, lowering] = ['graph/operations', 'reference', 'webgpu/lower'].map((room) => `src/${room}/elementwise.ts`);
const kernel = 'shaders/elementwise/soft-threshold.wgsl';

/** The pieces of text, by the file that the first line of each names. */
const pieces = await examplePieces();
/** The bundle with the new kernel. */
const bundle = await bundleWith(kernel);

async function examplePieces(): Promise<ReadonlyMap<string, string>> {
  const guide = await readFile(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const section = guide.split('## Add an operation')[1].split('\n## ')[0];
  const blocks = section.matchAll(/^ *```\w+\n *\/\/ (\S+)\n([\s\S]*?)^ *```$/gm);
  return new Map(Array.from(blocks, ([, file, text]) => [file, text.replace(/^ {3}/gm, '')]));
}

async function bundleWith(added: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-'));
  try {
    await cp(path.join(root, 'shaders'), path.join(folder, 'shaders'), { recursive: true });
    await writeFile(path.join(folder, added), pieces.get(added) ?? '');
    await bundleShaders({ folder: path.join(folder, 'shaders'), output: path.join(folder, 'shaders.ts') });
    return await readFile(path.join(folder, 'shaders.ts'), 'utf8');
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What files of src become with the pieces for them, each at the head of its family's record. */
async function filesWith(...added: string[]): Promise<Map<string, string>> {
  const files = new Map([[generated, bundle]]);
  for (const file of added) {
    const text = await readFile(path.join(root, file), 'utf8');
    files.set(
      file,
      text.replace(/^export const elementwise.* = \{\n/m, (head) => head + pieces.get(file)),
    );
  }
  return files;
}

/** Files as they are on disk; what is not changed is parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of the family and of what joins the families, with these texts, as 'file: message'. */
function problemsOf(files: ReadonlyMap<string, string>): string[] {
  // Without the types of browsers and Node, which these files do not use and which take longest to read.
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts'],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) => {
    const text = files.get(path.relative(root, file).split(path.sep).join('/'));
    if (text !== undefined) return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest));
    return parsed.get(file);
  };
  const joints = ['src/graph/operations.ts', 'src/graph/program.ts', 'src/reference/operations.ts', 'src/webgpu/lower/lower.ts'];
  const program = ts.createProgram(
    joints.map((file) => path.join(root, file)),
    options,
    host,
  );
  return [definition, meaning, lowering, ...joints].flatMap((file) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(path.join(root, file)))
      .map(({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`),
  );
}

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
