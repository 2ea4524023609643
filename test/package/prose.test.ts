/** Prose is read by people: no paragraph of README.md and docs/ over 700 characters, and no number without its leading zero. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ProcessIo } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';

const most = 700;

const root = fileURLToPath(new URL('../..', import.meta.url));
const inDocs = (await readdir(path.join(root, 'docs'), { recursive: true })).filter((file) => file.endsWith('.md'));
const files = ['README.md', ...inDocs.map((file) => path.join('docs', file))];

/** Paragraphs and items of lists, each as one line. Code, tables and comments are none. */
function paragraphs(markdown: string): string[] {
  const prose = markdown
    .replaceAll(/^ *```[\s\S]*?^ *```/gm, '')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .split('\n')
    .map((line) => (/^( {4}|\t)|^ *\|/.test(line) ? '' : line));
  return prose
    .join('\n')
    .split(/\n\s*\n|\n(?= *(?:[-*]|\d+\.) )/)
    .map((text) => text.trim().replaceAll(/\s*\n\s*/g, ' '))
    .filter((text) => text !== '');
}

/** Numbers such as `.5`, with a little of what is around them. */
const withoutZero = (text: string) => text.match(/.{0,20}(?<![\w.)\]…/*\\-])-?\.\d.{0,20}/g) ?? [];

/** Streams that keep the help of a command. */
function listen(): { io: ProcessIo; said: () => string } {
  const texts: string[] = [];
  const sink = new Writable({
    write(chunk, _, done) {
      texts.push(String(chunk));
      done();
    },
  });
  const stream = Object.assign(sink, { columns: 100 });
  return { io: { env: {}, stdout: stream, stderr: stream, signal: new AbortController().signal }, said: () => texts.join('') };
}

test('a long paragraph, a long item and a number without its zero are found', () => {
  const long = 'word '.repeat(200);
  expect(
    paragraphs(`a\n\n${long}\n\n    ${long}\n\n| ${long} |\n\n- b\n- ${long}\n  c`).filter(({ length }) => length > most),
  ).toHaveLength(2);
  expect(withoutZero('from 0.6 to 1.2.3, a.5, see ./x and …4')).toEqual([]);
  expect(withoutZero('.5\n(.7)\n−.8')).toHaveLength(3);
});

describe.each(files)('%s', (file) => {
  test(`has no paragraph over ${most} characters`, async () => {
    const text = await readFile(path.join(root, file), 'utf8');
    expect(paragraphs(text).filter(({ length }) => length > most)).toEqual([]);
  });

  test('has no number without its leading zero', async () => {
    expect(withoutZero(await readFile(path.join(root, file), 'utf8'))).toEqual([]);
  });
});

test.each(['', 'topics', 'fit', 'rank', 'work', 'transform', 'predict', 'table1', 'devices', 'tune'])(
  'orthant %s --help has no number without its leading zero',
  async (command) => {
    const { io, said } = listen();
    expect(await main([...command.split(' ').filter(Boolean), '--help'], io)).toBe(0);
    expect(said()).toContain('Usage: orthant');
    expect(withoutZero(said())).toEqual([]);
  },
);
