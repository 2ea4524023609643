/** Nothing in src grows beyond reading: no function over 120 lines, no file over 400, comments and blank lines counted. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const [mostInFunction, mostInFile] = [120, 400];

const root = fileURLToPath(new URL('../../src', import.meta.url));

/** What is too long in one file. */
function tooLongIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const line = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const lines = text.split('\n').length - 1;
  const found = lines > mostInFile ? [`${file}: ${lines} lines`] : [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const [first, last] = [line(node.getStart()), line(node.getEnd())];
      const name = node.name?.getText() ?? `the function in line ${first}`;
      if (last - first + 1 > mostInFunction) found.push(`${file} ${name}: ${last - first + 1} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('no function over 120 lines and no file over 400', async () => {
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts'));
  expect(files.length).toBeGreaterThan(100);
  const found = await Promise.all(files.map(async (file) => tooLongIn(file, await readFile(path.join(root, file), 'utf8'))));
  expect(found.flat()).toEqual([]);
});
