/** The compiler's view: statistics of AMD's compiler (RADV of Mesa) for every pipeline, for GPUs that are not there. Linux only. */
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { BenchError, messageOf } from '../errors.js';
import type { CountRow, Results } from '../rows.js';
import { repository } from '../serve.js';

const run = promisify(execFile);

/** RDNA 3, RDNA 4, RDNA 2, Vega, Polaris. */
export const generations = ['navi31', 'gfx1201', 'navi21', 'vega10', 'polaris10'];

const howToGet =
  "Mesa 24 or later with AMD's driver comes with Debian 13 and Ubuntu 24.04 (package mesa-vulkan-drivers). On an older system run as root: debootstrap --variant=minbase --include=mesa-vulkan-drivers,libvulkan1 trixie FOLDER, and then this suite with ORTHANT_COMPILE_ROOT=FOLDER.";

/** Compiles all pipelines for every generation, in this system or in that of the folder ORTHANT_COMPILE_ROOT. */
export async function compileSuite(progress: (line: string) => void): Promise<Pick<Results, 'device' | 'rows' | 'counts'>> {
  if (process.platform !== 'linux') throw new BenchError('The suite compile needs Linux: it asks the compiler of Mesa.', 1);
  const root = process.env.ORTHANT_COMPILE_ROOT ?? '';
  if (root !== '' && !existsSync(path.join(root, 'usr')))
    throw new BenchError(`ORTHANT_COMPILE_ROOT is ${root}, which holds no system. ${howToGet}`, 2);
  const folder = await mkdtemp(path.join(root === '' ? os.tmpdir() : path.join(root, 'tmp'), 'orthant-compile-'));
  try {
    progress('building');
    await prepare(folder, root);
    const counts: CountRow[] = [];
    const unknown: string[] = [];
    let driver = '';
    for (const gpu of generations) {
      progress(`${gpu}: compiling`);
      const answer = await ask(folder, root, gpu);
      if (answer === undefined) unknown.push(gpu);
      else {
        driver = answer.driver;
        counts.push(...rowsOf(gpu, answer.statistics));
      }
    }
    if (driver === '')
      throw new BenchError(`Mesa of this system is too old: its driver knows none of ${unknown.join(', ')}. ${howToGet}`, 1);
    const without = unknown.length > 0 ? `, which does not know ${unknown.join(', ')}` : '';
    return { device: `${driver}${without}`, rows: [], counts };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(folder: string, root: string): Promise<void> {
  const inside = folder.slice(root.length);
  await run('cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-o',
    path.join(folder, 'null.so'),
    path.join(repository, 'bench/compile/null-layer.c'),
  ]).catch((error) => {
    const missing = error.code === 'ENOENT' ? 'there is none; on Debian and Ubuntu the package gcc has one' : messageOf(error);
    throw new BenchError(`The suite compile needs a C compiler named cc: ${missing}.`, 1);
  });
  const layer = {
    name: 'VK_LAYER_null_run',
    type: 'GLOBAL',
    library_path: `${inside}/null.so`,
    api_version: '1.3.0',
    implementation_version: '1',
    description: 'records and submits nothing',
    functions: { vkNegotiateLoaderLayerInterfaceVersion: 'vkNegotiateLoaderLayerInterfaceVersion' },
  };
  await writeFile(path.join(folder, 'null.json'), JSON.stringify({ file_format_version: '1.2.0', layer }));
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }\n');
  await copyFile(path.join(repository, 'bench/compile/ask.mjs'), path.join(folder, 'ask.mjs'));
  await mkdir(path.join(folder, 'node_modules'));
  for (const name of ['webgpu', 'debug', 'ms']) {
    const from = path.join(repository, 'node_modules', name);
    if (existsSync(from)) cpSync(from, path.join(folder, 'node_modules', name), { recursive: true, dereference: true });
  }
  if (root !== '') await copyFile(process.execPath, path.join(folder, 'node'));
  await build({
    configFile: false,
    root: repository,
    logLevel: 'silent',
    build: {
      lib: { entry: path.join(repository, 'src/index.ts'), formats: ['es'], fileName: 'engine' },
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'es2022',
    },
  });
}

/** Undefined for a GPU that the driver does not know. */
async function ask(folder: string, root: string, gpu: string): Promise<{ driver: string; statistics: string } | undefined> {
  const inside = folder.slice(root.length);
  const icd = ['radeon_icd.x86_64.json', 'radeon_icd.json', 'radeon_icd.aarch64.json']
    .map((name) => `/usr/share/vulkan/icd.d/${name}`)
    .find((file) => existsSync(path.join(root, file)));
  if (icd === undefined) throw new BenchError(`There is no Vulkan driver of Mesa for AMD's GPUs. ${howToGet}`, 1);
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: inside,
    XDG_RUNTIME_DIR: inside,
    RADV_FORCE_FAMILY: gpu,
    RADV_DEBUG: 'shaderstats,nocache',
    VK_DRIVER_FILES: icd,
    VK_ICD_FILENAMES: icd,
    VK_LAYER_PATH: inside,
    VK_INSTANCE_LAYERS: 'VK_LAYER_null_run',
  };
  // Dawn reads /proc, so the other root gets it, in a mount namespace that goes with the process.
  const command =
    root === ''
      ? [process.execPath, path.join(folder, 'ask.mjs')]
      : ['unshare', '--mount', 'sh', '-c', 'mount --bind /proc "$1/proc" && exec chroot "$1" "$2/node" "$2/ask.mjs"', 'sh', root, inside];
  const { status, stdout, stderr } = await outcome(command, env);
  const driver = stdout.split('\n')[0].trim();
  if (status === 3) throw new BenchError(`The driver ${icd} offers no adapter for ${gpu}. ${howToGet}`, 1);
  if (stderr.includes('Unknown family')) return undefined;
  if (status === 4)
    throw new BenchError(`This driver is ${driver || 'unnamed'}, and the suite compile needs RADV of Mesa 24 or later. ${howToGet}`, 1);
  if (status !== 0)
    throw new BenchError(`${gpu}: compiling ended with status ${status}: ${stderr.trim().split('\n').slice(-5).join('\n')}`, 1);
  return { driver, statistics: stderr };
}

/** Ten minutes at most: an old compiler may not come to an end. */
function outcome([file, ...args]: string[], env: Record<string, string>): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000, killSignal: 'SIGKILL' });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? 1, stdout, stderr }));
  });
}

/** The statistics that are shown, under names for people. */
const shown: Record<string, string> = {
  VGPRs: 'registers',
  'Spilled VGPRs': 'spilled',
  'Spilled SGPRs': 'spilled scalars',
  'Scratch size': 'scratch bytes',
  'LDS size': 'workgroup memory',
  'Code size': 'code bytes',
  'Subgroups per SIMD': 'waves',
  VMEM: 'memory instr.',
  VALU: 'vector instr.',
};

/** A row for every pipeline, those first that spill, use scratch memory or leave the instruction cache. */
export function rowsOf(gpu: string, statistics: string): CountRow[] {
  const rows: CountRow[] = [];
  let kernel = '';
  let open: Record<string, number> | undefined;
  for (const line of statistics.split('\n')) {
    if (line.startsWith('@@ ')) kernel = line.slice(3);
    else if (line.includes('SHADER STATS')) open = {};
    else if (open && line.startsWith('****')) {
      rows.push(row(gpu, kernel, open));
      open = undefined;
    } else if (open) {
      const [name, value] = line.split(': ');
      if (name in shown) open[shown[name]] = Number(value);
    }
  }
  return rows.sort((a, b) => Number(b.note !== '') - Number(a.note !== ''));
}

function row(gpu: string, kernel: string, counts: Record<string, number>): CountRow {
  const faults = [
    counts.spilled + counts['spilled scalars'] > 0 && 'spills',
    counts['scratch bytes'] > 0 && 'scratch',
    counts['code bytes'] > 32_768 && 'code beyond 32 KiB',
  ].filter(Boolean);
  const short = kernel.replaceAll(/ ?\b\w+=(false|0)\b/g, '').replace(/ WORKGROUP=64$/, '');
  return { suite: 'compile', case: short, subject: gpu, counts, note: faults.join(', ') };
}
