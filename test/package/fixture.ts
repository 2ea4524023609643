/** The package as npm publishes it, and throw-away projects that have it. Nothing here needs a network. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** What the package depends on: a project that installs it has these, too. */
const dependencies = ['commander', 'cli-progress', 'string-width', 'strip-ansi', 'ansi-regex', 'emoji-regex', 'is-fullwidth-code-point'];

export interface Package {
  /** The .tgz. */
  tarball: string;
  /** The copy of the repository that was packed. */
  copy: string;
  /** A project with the package in its node_modules. `linked` packages come from the repository, and `files` are put in. */
  project(linked?: readonly string[], files?: Record<string, string>): Promise<string>;
  remove(): Promise<void>;
}

/** Builds and packs a copy of the repository, since other tests may be building in it. */
export async function pack(): Promise<Package> {
  const folder = await mkdtemp(path.join(tmpdir(), 'orthant-package-'));
  const copy = path.join(folder, 'repository');
  const parts = [
    'package.json',
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'LICENSE',
    'bin',
    'docs',
    'bench/README.md',
    'src',
    'shaders',
  ];
  const settings = ['scripts', 'tsconfig.json', 'tsconfig.build.json'];
  for (const part of [...parts, ...settings]) await cp(path.join(repository, part), path.join(copy, part), { recursive: true });
  await symlink(path.join(repository, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  // With its scripts, which build it and turn the README's links, as for a publication.
  await run('npm', ['pack', '--pack-destination', '..'], { cwd: copy, shell: process.platform === 'win32' }).catch((error) => {
    throw new Error(`The package does not build or pack:\n${error.stdout}${error.stderr}`);
  });
  const { version } = JSON.parse(await readFile(path.join(copy, 'package.json'), 'utf8')) as { version: string };
  const tarball = path.join(folder, `orthant-${version}.tgz`);
  let projects = 0;
  return {
    tarball,
    copy,
    async project(linked = [], files = {}) {
      const place = path.join(folder, `project-${++projects}`);
      const modules = path.join(place, 'node_modules');
      await mkdir(modules, { recursive: true });
      await run('tar', ['-xzf', tarball, '-C', modules]); // as `package`
      await cp(path.join(modules, 'package'), path.join(modules, 'orthant'), { recursive: true });
      await rm(path.join(modules, 'package'), { recursive: true });
      for (const name of [...dependencies, ...linked]) {
        await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
        await symlink(path.join(repository, 'node_modules', name), path.join(modules, name), 'junction');
      }
      const own = { 'package.json': '{ "name": "app", "private": true, "type": "module" }', ...files };
      for (const [name, content] of Object.entries(own)) {
        await mkdir(path.dirname(path.join(place, name)), { recursive: true });
        await writeFile(path.join(place, name), content);
      }
      return place;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Bytes of the files of a folder and of what `dependencies` would bring, as npm counts them in its "unpacked size". */
export async function installedBytes(project: string): Promise<number> {
  const folders = dependencies.map((name) => path.join(repository, 'node_modules', name));
  const sizes = await Promise.all([path.join(project, 'node_modules/orthant'), ...folders].map(bytesOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(path.join(entry.parentPath ?? entry.path, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };

/** Serves a folder as a plain file server does; `requests` are the paths that were asked for. */
export async function serve(root: string): Promise<{ url: string; requests: string[]; close(): void }> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    requests.push(name);
    const content = await readFile(path.join(root, name)).catch(() => undefined);
    response.writeHead(content ? 200 : 404, { 'content-type': types[path.extname(name)] ?? 'application/octet-stream' });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The first block of code in a section of the README, as it is printed. */
export async function snippet(section: string, language: string): Promise<string> {
  const readme = await readFile(path.join(repository, 'README.md'), 'utf8');
  const [, text = ''] = readme.split(new RegExp(`^## ${section}$`, 'm'));
  const code = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1];
  if (code === undefined) throw new Error(`The README has no ${language} in its section '${section}'.`);
  return code;
}
