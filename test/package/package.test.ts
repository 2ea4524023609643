/** The package in consumers that are not its repository. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { rolldown } from 'rolldown';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';
import { qProgram } from '../../src/programs/q.js';
import { dispatchesOf, lowerProgram } from '../../src/webgpu/lower/lower-program.js';
import { modules, type ShaderName } from '../../src/webgpu/shaders.generated.js';
import { adapters } from '../plans/dump.js';
import { lowRankCsv } from '../support/cli.js';
import { installedBytes, type Package, pack, repository, snippet } from './fixture.js';

/** N×M by k: so small that sums share a dispatch, and so large that products are split; few unknowns and many. */
const solves = [
  [20, 30, 4],
  [1000, 900, 20],
  [100, 200, 80],
  [3000, 20_000, 80],
] as const;

/** Started by the first test, so that a failure fails the tests. */
let packing: Promise<Package> | undefined;
const packed = () => {
  packing ??= pack();
  return packing;
};
afterAll(async () => (await packing?.catch(() => undefined))?.remove());

test('modules import each other, Node, and packages that an installation has or is told of', async () => {
  const project = await (await packed()).project();
  const folder = path.join(project, 'node_modules/orthant');
  const { dependencies, peerDependencies } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const known = new Set(Object.keys({ ...dependencies, ...peerDependencies }));
  const files = (await readdir(path.join(folder, 'dist'), { recursive: true })).filter((file) => file.endsWith('.js'));
  const strangers = new Set<string>();
  for (const file of files) {
    // The parser reads every way of writing an import; comments and strings are none.
    const { importedFiles } = ts.preProcessFile(await readFile(path.join(folder, 'dist', file), 'utf8'), true, true);
    for (const { fileName } of importedFiles) {
      const name = fileName.split('/', fileName.startsWith('@') ? 2 : 1).join('/');
      if (!/^(\.|node:)/.test(fileName) && !known.has(name)) strangers.add(`${file}: ${fileName}`);
    }
  }
  expect([...strangers]).toEqual([]);
});

test('the command line of an installation tells the language of texts, and writes .npz', async () => {
  const lines = ['The cat sat on the mat', 'The dog ran in the park', 'A cat and a dog met in the park', 'The mat lay in the sun'];
  const project = await (await packed()).project([], {
    'texts.jsonl': lines.map((text) => JSON.stringify({ text })).join('\n'),
    'X.csv': '1,2\n3,4\n',
  });
  const orthant = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['node_modules/orthant/bin/orthant.mjs', ...args, '--device', 'cpu'], { cwd: project });
  expect((await orthant('topics', 'texts.jsonl', '--ranks', '1', '--min-documents', '1')).stdout).toMatch(/cat|park/);
  await orthant('fit', 'X.csv', '--ranks', '1', '--out', 'model', '--format', 'npz');
  expect(await readdir(path.join(project, 'model'))).toContain('factors.npz');
});

describe('types in a clean project, strict and without skipLibCheck', () => {
  const right = `
    import { createEngine, nmf } from 'orthant';
    import { createEngine as createInNode, listAdapters, readMatrix } from 'orthant/node';
    export async function app(): Promise<number> {
      const engine = await createEngine({ powerPreference: 'low-power' });
      const { X } = await readMatrix('a.csv');
      const model = await nmf(engine, X, { ranks: 1, signal: { aborted: false } });
      (await createInNode({ prefer: 'cpu' })).dispose();
      return model.relativeError + (await listAdapters()).length;
    }`;
  const using = `
    import { createEngine, type Engine } from 'orthant';
    export async function app(): Promise<Engine> {
      using engine = await createEngine();
      return engine;
    }`;
  const borrowed = `
    import { createEngine, nmf } from 'orthant';
    export async function app(device: GPUDevice, adapter: GPUAdapter, signal: AbortSignal) {
      await createEngine({ adapter });
      const engine = await createEngine({ device });
      return nmf(engine, { rows: 1, cols: 1, data: new Float32Array(1) }, { ranks: 1, signal });
    }`;
  const wrong = `
    import { createEngine } from 'orthant';
    import { createEngine as createInNode } from 'orthant/node';
    void createEngine({ device: 'x' });
    void createInNode({ device: 'x' });`;
  const projects = new Map<boolean, Promise<string>>();
  const files = { 'right.ts': right, 'using.ts': using, 'borrowed.ts': borrowed, 'wrong.ts': wrong };
  const project = (webgpu: boolean) => {
    if (!projects.has(webgpu)) {
      projects.set(
        webgpu,
        packed().then((it) => it.project(webgpu ? ['@webgpu/types'] : [], files)),
      );
    }
    return projects.get(webgpu)!;
  };

  const combinations = (['node16', 'bundler'] as const).flatMap((resolution) =>
    (['es2022', 'esnext'] as const).flatMap((lib) => [true, false].map((webgpu) => [resolution, lib, webgpu] as const)),
  );
  test.each(combinations)('moduleResolution %s, lib %s, @webgpu/types %s', async (resolution, lib, webgpu) => {
    const folder = await project(webgpu);
    const expected = ['right.ts', 'wrong.ts', ...(lib === 'esnext' ? ['using.ts'] : []), ...(webgpu ? ['borrowed.ts'] : [])];
    const program = ts.createProgram(
      expected.map((name) => path.join(folder, name)),
      {
        noEmit: true,
        strict: true,
        skipLibCheck: false,
        target: ts.ScriptTarget.ES2022,
        // @webgpu/types needs the DOM; without it neither the DOM nor the types of Node are there.
        lib: [`lib.${lib}.d.ts`, ...(webgpu ? ['lib.dom.d.ts'] : [])],
        types: webgpu ? ['@webgpu/types'] : [],
        typeRoots: [path.join(folder, 'node_modules')],
        module: resolution === 'node16' ? ts.ModuleKind.Node16 : ts.ModuleKind.ESNext,
        moduleResolution: resolution === 'node16' ? ts.ModuleResolutionKind.Node16 : ts.ModuleResolutionKind.Bundler,
      },
    );
    // All but the compiler's own libraries, which are not ours to check and take most of the time.
    const sources = program.getSourceFiles().filter((source) => !program.isSourceFileDefaultLibrary(source));
    expect(sources.some(({ fileName }) => fileName.endsWith('orthant/dist/node.d.ts'))).toBe(true);
    const found = [
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...sources.flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]),
    ].map(({ file, start, code, messageText }) => {
      const line = file?.text.slice(0, start).split('\n').length;
      return `${file && path.basename(file.fileName)}:${line} ${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
    expect(found).toEqual([
      expect.stringMatching(/^wrong\.ts:4 2322 Type 'string' is not assignable/),
      expect.stringMatching(/^wrong\.ts:5 2322 Type 'string' is not assignable/),
    ]);
  });
});

describe('what is packed', () => {
  test('publint has nothing to say', async () => {
    const folder = await (await packed()).project();
    const { messages } = await publint({ pkgDir: path.join(folder, 'node_modules/orthant'), pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  test('arethetypeswrong finds nothing for ES modules', async () => {
    const { tarball } = await packed();
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(await readFile(tarball))));
    if (!analysis.types) throw new Error('no types were found');
    const esm = analysis.problems.filter((problem) => {
      const kind = 'resolutionKind' in problem ? problem.resolutionKind : undefined;
      return kind !== 'node10' && kind !== 'node16-cjs'; // a CommonJS project imports it by `await import`, an old resolution not at all
    });
    expect(esm).toEqual([]);
  });

  test('with its dependencies it takes at most 3.3 MB', async () => {
    const folder = await (await packed()).project();
    expect(await installedBytes(folder)).toBeLessThanOrEqual(3.3e6);
    const { dependencies, optionalDependencies } = JSON.parse(
      await readFile(path.join(folder, 'node_modules/orthant/package.json'), 'utf8'),
    );
    expect(Object.keys(dependencies)).toEqual(['cli-progress', 'commander']); // what `installedBytes` counts, with theirs
    expect(optionalDependencies).toBeUndefined();
  });

  test('its modules have no source maps, and package.json can be read', async () => {
    const folder = await (await packed()).project();
    const require = createRequire(path.join(folder, 'app.js'));
    expect(require('orthant/package.json')).toMatchObject({ name: 'orthant', sideEffects: false });
    expect(await readFile(path.join(folder, 'node_modules/orthant/dist/index.js'), 'utf8')).not.toContain('sourceMappingURL');
    const { stdout } = await promisify(execFile)('tar', ['-tzf', (await packed()).tarball]);
    expect(stdout).not.toMatch(/\.map$/m);
  });

  test('every link of the README leads to a file in it, by an address on npm', async () => {
    const { copy, project } = await packed();
    const folder = path.join(await project(), 'node_modules/orthant');
    const readme = await readFile(path.join(folder, 'README.md'), 'utf8');
    const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { version: string };
    const links = Array.from(readme.matchAll(/\]\(([^)]+)\)/g), ([, link]) => link);
    const own = links.flatMap((link) => link.split(`https://unpkg.com/orthant@${version}/`)[1] ?? []);
    expect(own).toContain('docs/demo.png');
    for (const file of own) await readFile(path.join(folder, file.split('#')[0]));
    expect(links.filter((link) => !link.startsWith('https://'))).toEqual([]);
    expect(await readFile(path.join(copy, 'README.md'), 'utf8')).toBe(await readFile(path.join(repository, 'README.md'), 'utf8'));
  });

  // What a page loads to solve without weights: the code with the modules of WGSL that the solve runs, each gzipped, as files are served.
  test('nnls and createEngine are at most 45 KB gzipped, and 50 KB with the kernels of a dense solve', async () => {
    const folder = await (await packed()).project([], { 'core.js': "export { createEngine, nnls } from 'orthant';" });
    // By rolldown itself: vite adds 0.9 KB of its own for preloading.
    const bundle = await rolldown({
      input: path.join(folder, 'core.js'),
      platform: 'browser',
      // Loaded for a tuning, for a plan on a profile, when f32 is not sure of a solve, for columns that sum to one, and when there is no
      // WebGPU.
      external: /(tune|tuning|plan-cost|polish|simplex|reach)\.js$/,
    });
    const { output } = await bundle.generate({ format: 'es', minify: true });
    const sizes = new Map<string, number>();
    for (const one of output) {
      if (one.type !== 'chunk') throw new Error(`${one.fileName} is no code`);
      const holder = one.isEntry ? 'entry' : /wgsl\/(\S+)\.generated\.js$/.exec(one.facadeModuleId ?? '')?.[1];
      if (holder === undefined || sizes.has(holder)) throw new Error(`${one.fileName} is a chunk that nothing here counts`);
      sizes.set(holder, gzipSync(one.code, { level: 9 }).length);
    }
    const holderOf = (kernel: ShaderName) => /wgsl\/([\w-]+)\.generated/.exec(String(modules[kernel]))![1];
    const loaded = Object.entries(adapters).flatMap(([adapter, facts]) =>
      solves.map(([N, M, k]) => {
        const { sections } = lowerProgram(qProgram(N, M, k).program, { ...facts, maxStorageBinding: 1 << 30 });
        const kernels = dispatchesOf(sections).map(({ kernel }) => kernel);
        const holders = ['entry', ...new Set((['probe/count-rounds', ...kernels] as const).map(holderOf))];
        const total = holders.reduce((sum, holder) => sum + sizes.get(holder)!, 0);
        return { adapter, solve: `${N}×${M} by ${k}`, holders, total };
      }),
    );
    expect(new Set(loaded.flatMap(({ holders }) => holders)).size).toBeGreaterThan(7);
    expect(sizes.get('entry')).toBeLessThanOrEqual(45_000);
    expect(loaded.filter(({ total }) => !(total <= 50_000))).toEqual([]);
  });
});

describe('in Node', () => {
  const node = async (folder: string, file: string) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    return { stdout, stderr };
  };

  test("the README's first snippet runs as printed", async () => {
    const code = await snippet('In Node', 'js');
    const show = '\nconsole.log(JSON.stringify({ kktResidual, shapes: [S, gradX, gradA].map(({ rows, cols }) => [rows, cols]) }));\n';
    const files = { 'spectra.csv': lowRankCsv(12, 7, 3), 'app.js': code + show };
    const folder = await (await packed()).project(['webgpu', '@sparticuz/chromium'], files);
    const { stdout } = await node(folder, 'app.js');
    const { kktResidual, shapes } = JSON.parse(stdout) as { kktResidual: number; shapes: number[][] };
    expect(kktResidual).toBeLessThan(1e-4);
    expect(shapes).toEqual([
      [3, 12],
      [7, 12],
      [7, 3],
    ]);
  });

  test('without webgpu an error names the package, and the reference works', async () => {
    const app = `
      import { createEngine, nmf, tableOne } from 'orthant/node';
      await createEngine().catch(({ name, message }) => console.log(name, message));
      const engine = await createEngine({ prefer: 'cpu' });
      console.log((await nmf(engine, tableOne().X, { ranks: 2, maxIterations: 2 })).iterations);`;
    const folder = await (await packed()).project([], { 'app.js': app });
    const { stdout, stderr } = await node(folder, 'app.js');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^AdapterError .*npm install webgpu .*\n2\n$/);
  });
});
