/** The worked examples of CONTRIBUTING.md, as tests add them: the pieces of text, and what the compiler says with them. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The pieces of text of a section, by the file that the first line of each names. */
export async function examplePieces(heading: string): Promise<ReadonlyMap<string, string>> {
  const guide = await readFile(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const section = guide.split(`## ${heading}\n`)[1].split('\n## ')[0];
  const blocks = section.matchAll(/^ *```\w+\n *\/\/ (\S+)\n([\s\S]*?)^ *```$/gm);
  return new Map(Array.from(blocks, ([, file, text]) => [file, text.replace(/^ {3}/gm, '')]));
}

/** Files as they are on disk; what is not changed is parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of these files of src, with `texts` in the place of those on disk, as 'file: message'. */
export function problemsIn(files: readonly string[], texts: ReadonlyMap<string, string>): string[] {
  // Without the types of browsers and Node, which take longest to read; WebGPU's are enough for what is compiled here.
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
  const { getSourceFile, fileExists, readFile: readText } = host;
  const inRoot = (file: string) => path.relative(root, file).split(path.sep).join('/');
  host.fileExists = (file) => texts.has(inRoot(file)) || fileExists(file);
  host.readFile = (file) => texts.get(inRoot(file)) ?? readText(file);
  host.getSourceFile = (file, ...rest) => {
    const text = texts.get(inRoot(file));
    if (text !== undefined) return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest));
    return parsed.get(file);
  };
  const names = files.map((file) => path.join(root, file));
  const program = ts.createProgram(names, options, host);
  return files.flatMap((file, i) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(names[i]))
      .map(({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`),
  );
}
