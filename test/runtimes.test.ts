/** `orthant/node` and the command line under Deno and Bun, as they are started there. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { build } from './support/build.js';
import { lowRankCsv, workFolder } from './support/cli.js';
import { denoBinary, softwareEnvironment } from './support/deno.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { at, put } = workFolder();
const csv = put('m.csv', lowRankCsv(12, 6, 2));

/** One fit, one solve, and every kind of file, written and read. */
const script = put(
  'use.mjs',
  `import { createEngine, loadModel, nmf, nnls, readMatrix, saveModel, transform } from ${JSON.stringify(pathToFileURL(path.join(root, 'dist/node.js')).href)};
const engine = await createEngine({ prefer: process.argv[2] ?? 'auto' });
const { X } = await readMatrix(${JSON.stringify(csv)}, { samples: 'rows' });
const model = await nmf(engine, X, { ranks: 2 });
await saveModel(process.argv[3], model);
const { A, S, relativeError, svdBound } = await loadModel(process.argv[3]);
const again = (await nnls(engine, X, A[0])).S;
const apart = Math.max(...again.data.map((s, i) => Math.abs(s - S[0].data[i])));
console.log(JSON.stringify({ kind: engine.kind, ratio: relativeError / svdBound, apart, transformed: (await transform(engine, model, X))[0].rows }));
engine.dispose();
`,
);

/** Bun's binary is in its own package, where its install script has put it, or in one for the platform. */
function bunBinary(): string {
  const folder = path.dirname(createRequire(import.meta.url).resolve('bun/package.json'));
  const places = [
    path.join(folder, 'bin/bun.exe'),
    ...['', '-baseline'].map((kind) => path.join(folder, `../@oven/bun-${process.platform}-${process.arch}${kind}/bin/bun`)),
  ];
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Error(`Bun is in none of ${places.join(', ')}. Run: npm install`);
  return found;
}

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

async function run(binary: string, argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  await build();
  return new Promise((resolve) => {
    execFile(binary, argv, { env }, (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }));
  });
}

function expectSound({ status, stdout, stderr }: Ended, kind: string) {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const result = JSON.parse(stdout) as { kind: string; ratio: number; apart: number; transformed: number };
  expect(result).toMatchObject({ kind, transformed: 2 });
  expect(result.ratio).toBeGreaterThan(1 - 1e-4);
  expect(result.ratio).toBeLessThan(1.01);
  // S of the fit is that of its last exact solve, of an A that moved no more afterwards than the tolerance let it.
  expect(result.apart).toBeLessThan(1e-2);
}

const fitArguments = ['bin/orthant.mjs', 'fit', csv, '--method', 'nmf', '--ranks', '2', '--json'].map((word, i) =>
  i === 0 ? path.join(root, word) : word,
);

describe('Deno', () => {
  // wgpu looks for drivers once a process, so that one whose compiler cannot be trusted is not passed over, as Node's is: it is named.
  const isDistrusted = ({ status, stderr }: Ended) =>
    status === 1 && /AdapterError|^orthant:/m.test(stderr) && /--device software/.test(stderr);

  test('a fit, a solve and files, on its own WebGPU and with nothing set', async () => {
    const ended = await run(denoBinary(), ['run', '-A', script, 'auto', at('deno')]);
    const again = () => run(denoBinary(), ['run', '-A', script, 'software', at('deno')]);
    expectSound(isDistrusted(ended) ? await again() : ended, 'webgpu');
  });

  test('the command line', async () => {
    const ended = await run(denoBinary(), ['run', '-A', ...fitArguments]);
    const again = () => run(denoBinary(), ['run', '-A', ...fitArguments, '--device', 'software']);
    const { status, stdout, stderr } = isDistrusted(ended) ? await again() : ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ method: 'nmf', device: { kind: 'webgpu' } });
  });
});

describe('Bun', () => {
  test('a fit, a solve and files, by the package webgpu with the driver named beforehand', async () => {
    expectSound(await run(bunBinary(), [script, 'auto', at('bun')], await softwareEnvironment()), 'webgpu');
  });

  test('the f64 reference', async () => {
    expectSound(await run(bunBinary(), [script, 'cpu', at('bun-cpu')]), 'reference');
  });

  test('the command line, or one sentence that says what to set', async () => {
    const { LD_LIBRARY_PATH: _, ...env } = process.env;
    const { status, stdout, stderr } = await run(bunBinary(), fitArguments, env);
    if (status === 0) expect(JSON.parse(stdout)).toMatchObject({ method: 'nmf', device: { kind: 'webgpu' } });
    else {
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/^orthant: .*started with LD_LIBRARY_PATH=\S+ VK_DRIVER_FILES=\S+\..*\n$/m); // Dawn may have said something before
    }
    expect((await run(bunBinary(), [...fitArguments, '--device', 'cpu'], env)).status).toBe(0);
  });
});
