/**
 * The rooms of src and what they may import: docs/architecture.md says what dependency-cruiser checks, and no more is allowed than is used.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Rule {
  comment: string;
}

/** Of every room, the rooms and files that it may import, as the rules say it. */
const { forbidden } = createRequire(import.meta.url)(path.join(root, '.dependency-cruiser.cjs')) as { forbidden: Rule[] };
const laws = new Map(
  forbidden.flatMap(({ comment }) => {
    const [, room, allowed] = /^src\/(.*) may import: (.*)\.$/.exec(comment) ?? [];
    return room === undefined ? [] : [[room, allowed] as const];
  }),
);

test('docs/architecture.md has the imports that are checked', async () => {
  const page = await readFile(path.join(root, 'docs/architecture.md'), 'utf8');
  const rows = Array.from(page.matchAll(/^\| `src\/([^`]+?)\/?` \|.*\| ([^|]*) \|$/gm), ([, room, allowed]) => [room, allowed] as const);
  const told = rows.filter(([room]) => room !== 'errors.ts');
  expect(laws.size).toBeGreaterThan(10);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(laws));
});

/** Every path that the files of a room import, from src on. */
async function importsOf(room: string): Promise<string[]> {
  const src = path.join(root, 'src');
  const place = path.join(src, room);
  const names = room.endsWith('.ts') ? [''] : (await readdir(place, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const found = names.map(async (name) => {
    const file = path.join(place, name);
    const text = await readFile(file, 'utf8');
    return Array.from(text.matchAll(/(?:from|import\()\s*'(\.[^']+)\.js'/g), ([, to]) =>
      path
        .relative(src, path.resolve(path.dirname(file), `${to}.ts`))
        .split(path.sep)
        .join('/'),
    );
  });
  return (await Promise.all(found)).flat();
}

test.each([...laws])('src/%s imports each of: %s', async (room, allowed) => {
  const imports = await importsOf(room);
  const unused = allowed
    .split(', ')
    .filter((other) => other !== 'nothing' && !imports.some((to) => to === other || to.startsWith(`${other}/`)));
  expect(unused).toEqual([]);
});
