/** Matrices on standard input, results on standard output. */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Output } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';
import { decodeNpy } from '../../src/formats/npy.js';
import { lowRankCsv, runCli, smallCorpus, workFolder } from '../support/cli.js';

const { at, put } = workFolder();
const csv = lowRankCsv(10, 5, 2);
const matrix = put('m.csv', csv);
const quick = ['--device', 'cpu', '--max-iterations', '5'];
const fitting = ['--ranks', '2', '--json', ...quick];
const corpus = put('c.jsonl', smallCorpus());
const left = () => readdirSync(tmpdir()).filter((name) => /^orthant-[A-Za-z0-9]{6}$/.test(name));

beforeAll(async () => {
  expect((await runCli(['fit', matrix, '--ranks', '2', '--out', at('model'), ...quick])).status).toBe(0);
  const labels = put('labels.txt', 'a\nb\n'.repeat(5));
  const labelled = ['fit', matrix, '--ranks', '2', '--method', 'ssnmf', '--labels', labels, '--out', at('classes'), ...quick];
  expect((await runCli(labelled)).status).toBe(0);
  expect((await runCli(['topics', corpus, '--ranks', '3', '--out', at('topics'), ...quick])).status).toBe(0);
});

const layersOf = (stdout: string) => JSON.parse(stdout).layers;

describe('fit -', () => {
  test('a table, in pieces, gives what its file gives; nothing is left', async () => {
    const before = left();
    const { stdout: ofFile } = await runCli(['fit', matrix, ...fitting]);
    const pieces = [csv.slice(0, 7), csv.slice(7, 50), csv.slice(50)];
    const { status, stdout, stderr } = await runCli(['fit', '-', ...fitting], { stdin: pieces });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(layersOf(stdout)).toEqual(layersOf(ofFile));
    expect(JSON.parse(stdout)).toMatchObject({ options: { matrix: '-' }, features: ['f0', 'f1', 'f2', 'f3', 'f4'] });
    expect(left().filter((name) => !before.includes(name))).toEqual([]);
  });

  test('NumPy and Matrix Market tell their form; .gz too', async () => {
    const npy = new Uint8Array([
      ...Buffer.from(`\x93NUMPY\x01\x00\x76\x00${"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".padEnd(117)}\n`, 'latin1'),
      ...new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
    ]);
    const mtx = '%%MatrixMarket matrix array real general\n2 2\n1\n3\n2\n4\n'; // by columns
    const outputs: unknown[] = [];
    for (const content of [npy, mtx, gzipSync('1,2\n3,4\n')]) {
      const { status, stdout, stderr } = await runCli(['fit', '-', '--ranks', '1', '--json', ...quick], { stdin: [content] });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      outputs.push(layersOf(stdout));
    }
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  });

  test('--input-format, options of tables, and the reading in words', async () => {
    const { status, stdout } = await runCli(['fit', '-', '--input-format', 'tsv', '--no-names', '--ranks', '1', ...quick], {
      stdin: ['0\t1\n1\t2\n2\t4\n'],
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^data +standard input: 2 features × 3 samples/);
  });

  test.each([
    [['fit', '-', '--ranks', '1'], '', /^orthant: Standard input is empty\.$/],
    [['fit', '-', '--ranks', '1'], '1,2\n3,x\n4,y\n5,6', /^orthant: Standard input: line 2, column 2 has "x"/],
    [['fit', '-', '--ranks', '1', '--input-format', 'npy'], '1,2\n', /^orthant: Standard input is no \.npy|^orthant: Standard input/],
    [['fit', '-', '--ranks', '1', '--input-format', 'npy', '--header'], '1,2\n', /--header is for tables of text/],
    [['fit', matrix, '--ranks', '1', '--input-format', 'csv'], '', /--input-format is for standard input/],
    [['fit', '-', '--weights', '-', '--ranks', '1', '--method', 'nmf'], csv, /can be read once/],
    [['transform', 'MODEL', '-', '--out', 'OUT'], '1,2\n3,4\n', /^orthant: standard input has 2 features/i],
    [['transform', 'MODEL', matrix, '--out', '-', '--json'], '', /--json and --out - both/],
    [['transform', 'MODEL', matrix, '--out', 'OUT', '--output-format', 'npy'], '', /--output-format is for --out -/],
  ])('%j with %j is refused, in these words', async (argv, stdin, said) => {
    const words = argv.map((word) => ({ MODEL: at('model'), OUT: at('out.csv') })[word] ?? word);
    const { status, stdout, stderr } = await runCli([...words, '--device', 'cpu'], { stdin: stdin === '' ? [] : [stdin] });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd()).toMatch(said);
    expect(stderr).not.toContain(tmpdir());
  });

  test('Ctrl-C while it waits for input: 130', async () => {
    const interrupted = new AbortController();
    const stdin = async function* () {
      yield Buffer.from('1,2\n');
      interrupted.abort();
      await new Promise(() => {});
    };
    const sink = () => new Writable({ write: (_chunk, _, done) => done() }) as Output;
    const io = { stdout: sink(), stderr: sink(), env: {}, signal: interrupted.signal, stdin: () => Readable.from(stdin()) };
    expect(await main(['fit', '-', '--ranks', '1', ...quick], io)).toBe(130);
  });
});

/** As `runCli`, with the bytes of standard output. */
async function bytesOf(argv: string[], { tty = false, stdin = [] as string[] } = {}) {
  const chunks: Buffer[] = [];
  let stderr = '';
  const sink = (isTTY: boolean, take: (chunk: Buffer) => void) =>
    Object.assign(
      new Writable({
        write(chunk, _, done) {
          take(Buffer.from(chunk));
          done();
        },
      }),
      { isTTY },
    ) as Output;
  const io = {
    stdout: sink(tty, (chunk) => chunks.push(chunk)),
    stderr: sink(false, (chunk) => {
      stderr += chunk;
    }),
    env: {},
    signal: new AbortController().signal,
    stdin: () => Readable.from(stdin),
  };
  return { status: await main(argv, io), bytes: Buffer.concat(chunks), stderr };
}

describe('--out -', () => {
  test('transform: what the file would hold; the summary goes to standard error', async () => {
    for (const form of ['csv', 'npy', 'npz']) {
      const file = at(`S.${form}`);
      const { stdout } = await runCli(['transform', at('model'), matrix, '--device', 'cpu', '--out', file]);
      const { status, bytes, stderr } = await bytesOf(
        ['transform', at('model'), '-', '--device', 'cpu', '--out', '-', ...(form === 'csv' ? [] : ['--output-format', form])],
        { stdin: [csv] },
      );
      expect(status).toBe(0);
      expect(bytes.equals(readFileSync(file))).toBe(true);
      expect(stderr).toBe(stdout.replaceAll(file, 'standard output').replaceAll(matrix, 'standard input'));
    }
  });

  test('transform --json has S, one list a sample', async () => {
    const file = at('json.npy');
    const { stdout, status } = await runCli(['transform', at('model'), matrix, '--device', 'cpu', '--out', file, '--json']);
    const { data, rows, cols } = decodeNpy(readFileSync(file));
    const { layer, S } = JSON.parse(stdout);
    expect({ status, layer, samples: S.length }).toEqual({ status: 0, layer: 0, samples: rows });
    expect(S.flat().map(Math.fround)).toEqual([...data]);
    expect(S[0]).toHaveLength(cols);
  });

  test('bytes are not sent to a terminal', async () => {
    const argv = ['transform', at('model'), matrix, '--device', 'cpu', '--out', '-'];
    const { status, bytes, stderr } = await bytesOf([...argv, '--output-format', 'npy'], { tty: true });
    expect({ status, bytes: bytes.length }).toEqual({ status: 2, bytes: 0 });
    expect(stderr).toMatch(/Standard output is a terminal/);
    expect((await bytesOf(argv, { tty: true })).status).toBe(0);
  });

  test('predict', async () => {
    const { stdout } = await runCli(['predict', at('classes'), matrix, '--device', 'cpu']);
    const { status, bytes, stderr } = await bytesOf(['predict', at('classes'), '-', '--device', 'cpu', '--out', '-'], { stdin: [csv] });
    expect({ status, labels: String(bytes) }).toEqual({ status: 0, labels: stdout });
    expect(stderr).toMatch(/standard output: labels of 10 samples/);
    const quiet = await bytesOf(['predict', at('classes'), matrix, '--device', 'cpu', '--out', '-', '--quiet']);
    expect({ ...quiet, bytes: String(quiet.bytes) }).toEqual({ status: 0, bytes: stdout, stderr: '' });
  });

  test('texts on standard input, by a model of texts', async () => {
    const stdin = ['a whale in the ocean\nthe comet and the moon\n'];
    const { status, bytes, stderr } = await bytesOf(['transform', at('topics'), '-', '--device', 'cpu', '--out', '-'], { stdin });
    expect(status).toBe(0);
    expect(stderr).toMatch(/standard input: 2 documents/);
    const [header, ...lines] = String(bytes).trimEnd().split('\n');
    expect({ columns: header.split(',').length, lines: lines.length }).toEqual({ columns: 4, lines: 2 }); // names and three topics
  });
});
