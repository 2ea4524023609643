import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import type { Output } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';

export interface CliResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command line in this process; `run` is another `main` than that of src. */
export async function runCli(
  argv: string[],
  { tty = false, columns, env = {}, signal = new AbortController().signal, stdin }: CliSettings = {},
  run = main,
): Promise<CliResult> {
  const [stdout, stderr] = [collector(tty, columns), collector(tty, columns)];
  const status = await run(argv, { stdout: stdout.stream, stderr: stderr.stream, env, signal, stdin: () => Readable.from(stdin ?? []) });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

interface CliSettings {
  tty?: boolean;
  columns?: number;
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** What standard input gives, in chunks. */
  stdin?: (string | Uint8Array)[];
}

function collector(isTTY: boolean, columns?: number): { stream: Output; text(): string } {
  let text = '';
  const sink = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(sink, { isTTY, columns }), text: () => text };
}

/** A folder for a test file, removed at its end: `at` gives a path in it, `put` writes a file there. */
export function workFolder(): { at(name: string): string; put(name: string, content: string | Uint8Array): string } {
  const dir = mkdtempSync(path.join(tmpdir(), 'orthant-cli-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const at = (name: string) => path.join(dir, name);
  return {
    at,
    put(name, content) {
      writeFileSync(at(name), content);
      return at(name);
    },
  };
}

/** A CSV of `samples` rows and `features` columns of nonnegative rank `rank`, but for a small bump. */
export function lowRankCsv(samples: number, features: number, rank: number): string {
  const factor = (i: number, p: number) => Math.abs(Math.sin(1.7 * i + 2.3 * p * p + 0.4)) * (i % rank === p ? 2 : 0.3);
  const rows = Array.from({ length: samples }, (_, i) =>
    Array.from({ length: features }, (_, j) => {
      let x = 0.01 * ((i * 7 + j * 3) % 5);
      for (let p = 0; p < rank; p++) x += factor(i, p) * factor(j + 1, p);
      return x.toFixed(5);
    }).join(','),
  );
  return `${Array.from({ length: features }, (_, j) => `f${j}`).join(',')}\n${rows.join('\n')}\n`;
}

/** A .jsonl of twelve documents about three things, four documents each; two of the three have a word in common. */
export function smallCorpus(): string {
  const themes = ['whale ocean ship harbor sail water', 'star planet orbit moon comet telescope', 'river stream trout fishing water boat'];
  return themes
    .flatMap((theme, t) => {
      const words = theme.split(' ');
      return [0, 1, 2, 3].map((d) => {
        const text = words.flatMap((word, w) => new Array<string>(1 + ((w + d) % 3)).fill(word)).join(' ');
        return JSON.stringify({ name: `${['sea', 'sky', 'brook'][t]}${d}`, text });
      });
    })
    .join('\n');
}
