// How long a first fit waits: prepare and one iteration of the default programs, on a fresh engine and on one that was warmed up.
// Prints medians over fresh engines, cold and warm in turns: `npm run build && node bench/first-iteration.mjs [repeats]`.
import { createEngine, programFor } from '../dist/node.js';

const repeats = Number(process.argv[2] ?? 5);
const cases = [
  {
    name: 'nmf mu, k = 10, 200×300',
    method: 'nmf',
    shape: { rows: 200, cols: 300, ranks: [10], solver: 'mu' },
    start: 'start0',
    step: 'step0',
  },
  { name: 'nmf anls, k = 10, 200×300', method: 'nmf', shape: { rows: 200, cols: 300, ranks: [10] }, start: 'start0', step: 'step0' },
  { name: 'neural [9,4,2], 87×90', method: 'neural', shape: { rows: 87, cols: 90, ranks: [9, 4, 2] }, start: 'start', step: 'step' },
];

async function measure({ method, shape, start, step }, warm) {
  const program = programFor(method, shape);
  const engine = await createEngine();
  const time = { warmup: 0, first: 0, dispatches: 0 };
  let from = performance.now();
  if (warm) await engine.warmup(program);
  time.warmup = performance.now() - from;
  from = performance.now();
  const run = await engine.prepare(program);
  const X = program.tensors.find(({ name }) => name === 'X');
  run.write(
    X,
    Float32Array.from({ length: X.rows * X.cols }, (_, i) => 1 + (i % 7)),
  );
  for (const t of program.tensors.filter(({ name }) => /^[AS]\d$/.test(name))) {
    run.write(
      t,
      Float32Array.from({ length: t.rows * t.cols }, (_, i) => 0.1 + ((i * 13) % 11)),
    );
  }
  run.execute(start);
  run.execute(step);
  await run.read(program.tensors.find(({ name }) => name === 'A0'));
  time.first = performance.now() - from;
  time.dispatches = run.dispatches(step);
  run.dispose();
  engine.dispose();
  return time;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1].toFixed(0);
for (const one of cases) {
  const times = { cold: [], warm: [] };
  for (let i = 0; i < repeats; i++) for (const kind of ['cold', 'warm']) times[kind].push(await measure(one, kind === 'warm'));
  const first = (kind) => median(times[kind].map(({ first }) => first));
  console.log(
    `${one.name}: ${times.warm[0].dispatches} dispatches an iteration; first iteration ${first('cold')} ms cold, ${first('warm')} ms after a warm-up of ${median(times.warm.map(({ warmup }) => warmup))} ms`,
  );
}
