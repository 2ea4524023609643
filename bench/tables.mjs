// Reading a table of numbers from a CSV file into a Float32Array, beside the CSV parsers of npm: `npm run build && node bench/tables.mjs`.
// Every contender is a process of its own, so that its peak memory is seen; the rounds are interleaved.
//   --rows n (1000000), --cols n (100), --rounds n (3), --digits n (6: decimals of a number), --only a,b, --keep FILE
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const self = fileURLToPath(import.meta.url);

/** Each reads rows × cols numbers; orthant-turned makes rows columns, as `orthant fit` does, the others do not. */
const contenders = {
  async orthant(file) {
    const { readMatrix } = await import('../dist/node/files.js');
    return (await readMatrix(file, { samples: 'columns' })).X.data;
  },
  async 'orthant-turned'(file) {
    const { readMatrix } = await import('../dist/node/files.js');
    return (await readMatrix(file)).X.data;
  },
  async udsv(file, { rows, cols }) {
    const { initParser, inferSchema } = await import('udsv');
    const data = new Float32Array(rows * cols);
    let at = 0;
    const take = (row) => {
      for (let j = 0; j < row.length; j++) data[at++] = row[j];
    };
    let parser;
    for await (const text of createReadStream(file, { encoding: 'utf8', highWaterMark: 2 ** 20 })) {
      parser ??= initParser(inferSchema(text));
      parser.chunk(text, parser.typedArrs, take);
    }
    parser.end();
    return data;
  },
  async papaparse(file, { rows, cols }) {
    const { default: papa } = await import('papaparse');
    const data = new Float32Array(rows * cols);
    let at = -cols; // the header
    await new Promise((complete, error) => {
      papa.parse(createReadStream(file, { encoding: 'utf8', highWaterMark: 2 ** 20 }), {
        complete,
        error,
        skipEmptyLines: true,
        chunk({ data: list }) {
          for (const row of list) for (let j = 0; j < row.length; j++, at++) if (at >= 0) data[at] = Number(row[j]);
        },
      });
    });
    return data;
  },
  async 'csv-parse'(file, { rows, cols }) {
    const { parse } = await import('csv-parse');
    const data = new Float32Array(rows * cols);
    let at = 0;
    for await (const row of createReadStream(file, { highWaterMark: 2 ** 20 }).pipe(parse({ from: 2 })))
      for (let j = 0; j < row.length; j++) data[at++] = Number(row[j]);
    return data;
  },
};

/** The entries of the file, the same for every run: a linear congruential generator. */
async function writeTable(file, { rows, cols, digits }) {
  const out = createWriteStream(file);
  out.write(`${Array.from({ length: cols }, (_, j) => `c${j}`).join(',')}\n`);
  let state = 1;
  let lines = [];
  for (let i = 0; i < rows; i++) {
    const row = [];
    for (let j = 0; j < cols; j++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      row.push(((100 * state) / 2 ** 32).toFixed(digits));
    }
    lines.push(row.join(','));
    if (lines.length === 1000 || i === rows - 1) {
      if (!out.write(`${lines.join('\n')}\n`)) await once(out, 'drain');
      lines = [];
    }
  }
  out.end();
  await once(out, 'finish');
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    cols: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    digits: { type: 'string', default: '6' },
    only: { type: 'string' },
    run: { type: 'string' },
    file: { type: 'string' },
  },
});
const sizes = { rows: Number(values.rows), cols: Number(values.cols), digits: Number(values.digits) };

if (values.run) {
  const started = performance.now();
  const data = await contenders[values.run](values.file, sizes);
  const seconds = (performance.now() - started) / 1000;
  let sum = 0;
  for (const x of data) sum += x;
  console.log(
    JSON.stringify({ seconds, peakBytes: process.resourceUsage().maxRSS * 1024, length: data.length, sum: Number(sum.toPrecision(6)) }),
  );
} else {
  const names = Object.keys(contenders).filter((name) => !values.only || values.only.split(',').includes(name));
  const file = path.join(tmpdir(), `orthant-tables-${process.pid}.csv`);
  try {
    await writeTable(file, sizes);
    const bytes = statSync(file).size;
    const matrixBytes = 4 * sizes.rows * sizes.cols;
    const results = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const name of names) {
        const { rows, cols } = values;
        const text = execFileSync(process.execPath, [self, '--run', name, '--file', file, '--rows', rows, '--cols', cols], {
          encoding: 'utf8',
        });
        results[name].push(JSON.parse(text));
      }
    }
    const sums = new Set(Object.values(results).flatMap((runs) => runs.map(({ length, sum }) => `${length} ${sum}`)));
    console.log(
      `${sizes.rows} × ${sizes.cols} numbers, ${(bytes / 1e6).toFixed(0)} MB of CSV, a matrix of ${(matrixBytes / 1e6).toFixed(0)} MB`,
    );
    console.log(
      `${'reader'.padEnd(34)}${'seconds, best'.padStart(15)}${'all'.padStart(26)}${'MB/s'.padStart(8)}${'peak MB'.padStart(10)}${'÷ matrix'.padStart(10)}`,
    );
    for (const [name, runs] of Object.entries(results)) {
      const seconds = runs.map((run) => run.seconds);
      const best = Math.min(...seconds);
      const peak = Math.max(...runs.map(({ peakBytes }) => peakBytes));
      console.log(
        `${name.padEnd(34)}${best.toFixed(2).padStart(15)}${seconds
          .map((s) => s.toFixed(2))
          .join(' ')
          .padStart(
            26,
          )}${(bytes / 1e6 / best).toFixed(0).padStart(8)}${(peak / 1e6).toFixed(0).padStart(10)}${(peak / matrixBytes).toFixed(2).padStart(10)}`,
      );
    }
    console.log(sums.size === 1 ? 'All read the same numbers.' : `They read different numbers: ${[...sums].join('; ')}`);
  } finally {
    rmSync(file, { force: true });
  }
}
