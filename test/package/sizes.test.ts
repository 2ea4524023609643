/** Nothing in src grows beyond reading: no function over 120 lines, no file over 400, comments and blank lines counted. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const [mostInFunction, mostInFile] = [120, 400];

/** Functions that are longer, with their lines: they may shrink, and nothing may join them. */
const longer: Record<string, number> = { 'graph/program.ts programBuilder': 357, 'webgpu/lower/lower.ts lower': 282 };

const root = fileURLToPath(new URL('../../src', import.meta.url));

/** What is too long in one file, and which of the exceptions were met. */
function measure(file: string, text: string): { tooLong: string[]; met: string[] } {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const line = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const tooLong: string[] = [];
  const met: string[] = [];
  const lines = text.split('\n').length - 1;
  if (lines > mostInFile) tooLong.push(`${file}: ${lines} lines`);
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const [first, last] = [line(node.getStart()), line(node.getEnd())];
      const name = `${file} ${node.name?.getText() ?? `function in line ${first}`}`;
      if (last - first + 1 > (longer[name] ?? mostInFunction)) tooLong.push(`${name}: ${last - first + 1} lines`);
      else if (last - first + 1 > mostInFunction) met.push(name);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { tooLong, met };
}

test('no function over 120 lines and no file over 400', async () => {
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts'));
  expect(files.length).toBeGreaterThan(100);
  const all = await Promise.all(
    files.map(async (file) => measure(file.replaceAll('\\', '/'), await readFile(path.join(root, file), 'utf8'))),
  );
  expect(all.flatMap(({ tooLong }) => tooLong)).toEqual([]);
  // One that is short enough by now has no place in the list.
  expect(all.flatMap(({ met }) => met).sort()).toEqual(Object.keys(longer).sort());
});
