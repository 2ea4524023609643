// `npm run test:mutants`: plants every fault of test/mutants/faults.json, one at a time, runs what covers it, and lists those that nobody
// notices. It takes long and is run by hand.
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coversOf, planted as places } from '../test/mutants/covers.mjs';
import { candidates, lineOf, nameOf, planted } from '../test/mutants/rules.mjs';

const usage = `node scripts/mutants.mjs [options]
  --renew      write a new list of faults by the rules
  --only TEXT  faults whose file or text has it
  --jobs N     processes at once (default 2)
  --from N     begin with fault N of the list's random order
  --help       this`;

const root = fileURLToPath(new URL('..', import.meta.url));
const inTests = (name) => path.join(root, 'test/mutants', name);

/** Longest wait for an answer. A fault that makes a device or a loop run for ever is noticed by that. */
const hangs = 400_000;

async function filesOf(place) {
  if ((await stat(path.join(root, place))).isFile()) return [place];
  const names = await readdir(path.join(root, place), { recursive: true });
  return names.filter((name) => /\.(wgsl|ts)$/.test(name)).map((name) => `${place}/${name.split(path.sep).join('/')}`);
}

/** Up to `most` faults of a file, one kind after another, lines spread by a hash. */
function chosen(file, text, most) {
  const byKind = new Map();
  for (const fault of candidates(file, text)) byKind.set(fault.kind, [...(byKind.get(fault.kind) ?? []), fault]);
  const spread = (fault) => Math.imul(fault.line + 1, 0x9e3779b1) >>> 0;
  const kinds = [...byKind.values()].map((faults) => faults.sort((a, b) => spread(a) - spread(b)));
  const picked = [];
  for (let round = 0; picked.length < most && kinds.some((faults) => faults.length > round); round++) {
    for (const faults of kinds) if (faults[round] && picked.length < most) picked.push(faults[round]);
  }
  // Barriers are few: all of them.
  picked.push(...(byKind.get('barrier') ?? []).filter((fault) => !picked.includes(fault)));
  return picked.map(({ kind, line, before, after }) => {
    const lines = text.split('\n');
    let at = 0;
    while (lineOf(text, { before, at }) !== line && at < lines.length) at++;
    return { kind, file, before, after, ...(at > 0 ? { at } : {}) };
  });
}

async function renew() {
  const faults = [];
  for (const [place, most] of places) {
    for (const file of (await filesOf(place)).sort()) {
      if (!coversOf(file) || file.includes('probe/')) continue;
      faults.push(...chosen(file, await readFile(path.join(root, file), 'utf8'), most));
    }
  }
  await writeFile(inTests('faults.json'), `[\n${faults.map((fault) => `  ${JSON.stringify(fault)}`).join(',\n')}\n]\n`);
  console.log(`${faults.length} faults in test/mutants/faults.json`);
}

/** The kernels that a file of shaders is, or is a part of. */
async function kernelsWith(file) {
  if (!file.startsWith('shaders/')) return [];
  const name = file.slice('shaders/'.length, -'.wgsl'.length);
  const kernels = [];
  for (const other of await filesOf('shaders')) {
    const text = await readFile(path.join(root, other), 'utf8');
    if (new RegExp(`^// @use ${name}$`, 'm').test(text)) kernels.push(other.slice('shaders/'.length, -'.wgsl'.length));
  }
  return kernels.length > 0 ? kernels : [name];
}

/** A process that runs cases; it is ended and started again where it does not answer. */
function workerOf() {
  let process;
  let lines;
  const start = () => {
    process = spawn('node', [inTests('worker.mjs')], { cwd: root, stdio: ['pipe', 'pipe', 'ignore'] });
    process.stdin.on('error', () => {});
    lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  };
  return {
    async ask(question) {
      if (!process) start();
      process.stdin.write(`${JSON.stringify(question)}\n`);
      let timer;
      const waited = new Promise((resolve) => {
        timer = setTimeout(() => resolve('hangs'), hangs);
      });
      // Compilers of drivers write warnings on stdout, too.
      let answer;
      do answer = await Promise.race([lines.next(), waited]);
      while (answer !== 'hangs' && !answer.done && !answer.value.startsWith('{'));
      clearTimeout(timer);
      if (answer !== 'hangs' && !answer.done) return JSON.parse(answer.value);
      process.kill('SIGKILL');
      process = undefined;
      return { failed: answer === 'hangs' ? 'no answer any more' : 'the process ended' };
    },
    close: () => process?.stdin.end(),
  };
}

/** A copy of the tree in which test files run with a fault in place. */
async function copyOf() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'orthant-mutants-'));
  for (const name of ['src', 'test', 'shaders', 'scripts', 'bin', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    await cp(path.join(root, name), path.join(folder, name), { recursive: true });
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  return {
    async run(file, text, tests) {
      await writeFile(path.join(folder, file), text);
      const child = spawn('npx', ['vitest', 'run', '--bail', '1', ...tests], { cwd: folder, stdio: 'ignore', detached: true });
      const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), hangs);
      const status = await new Promise((resolve) => child.once('close', resolve));
      clearTimeout(timer);
      await cp(path.join(root, file), path.join(folder, file));
      return status === 0 ? undefined : `${tests.join(' ')} (status ${status})`;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function outcomeOf(fault, worker, copy) {
  const text = planted(await readFile(path.join(root, fault.file), 'utf8'), fault);
  if (text === undefined) return { failed: undefined, gone: true };
  const { cases, tests } = coversOf(fault.file);
  let said = {};
  if (cases) said = await worker.ask({ file: fault.file, text, covers: cases, kernels: await kernelsWith(fault.file) });
  if (said.refused || /was refused: |\bparsing WGSL\b/.test(said.failed ?? '')) return { stillborn: said.refused ?? said.failed };
  if (!said.failed && tests.length > 0) said = { ...said, failed: await copy.run(fault.file, text, tests) };
  return said;
}

/** A tree that fails without a fault would "notice" every one. */
async function refuseUnsound() {
  const file = 'src/errors.ts';
  const worker = workerOf();
  const { failed } = await worker.ask({ file, text: await readFile(path.join(root, file), 'utf8'), covers: '^elementwise: ', kernels: [] });
  worker.close();
  if (failed) throw new Error(`Without any fault a case fails (${failed}). \`npm run shaders\` bundles the kernels.`);
}

async function main() {
  // What is not known is refused: a slip, or a question for help, is not to begin hours of work.
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean' },
      renew: { type: 'boolean' },
      only: { type: 'string' },
      jobs: { type: 'string' },
      from: { type: 'string' },
    },
  });
  if (values.help) return console.log(usage);
  if (values.renew) return renew();
  const { only } = values;
  const jobs = Number(values.jobs ?? 2);
  const all = JSON.parse(await readFile(inTests('faults.json'), 'utf8'));
  const equivalents = JSON.parse(await readFile(inTests('survivors.json'), 'utf8'));
  const faults = only ? all.filter((fault) => nameOf(fault).includes(only)) : all;
  const counts = { noticed: 0, stillborn: 0, equivalent: 0, survivors: [], gone: [] };
  // In no order, so that the first of them stand for all.
  const hash = (i) => Math.imul(i + 1, 0x9e3779b1) >>> 0;
  const queue = [...faults.entries()]
    .sort(([a], [b]) => hash(a) - hash(b))
    .slice(Number(values.from ?? 0))
    .values();
  await refuseUnsound();
  const results = [];
  const work = async () => {
    const worker = workerOf();
    const copy = await copyOf();
    for (const [i, fault] of queue) {
      const name = nameOf(fault);
      const began = performance.now();
      const { failed, stillborn, gone, ran } = await outcomeOf(fault, worker, copy);
      const how = gone ? 'gone' : stillborn ? 'does not compile' : failed ? 'noticed' : name in equivalents ? 'equivalent' : 'SURVIVES';
      if (gone) counts.gone.push(name);
      else if (stillborn) counts.stillborn++;
      else if (failed) counts.noticed++;
      else if (name in equivalents) counts.equivalent++;
      else counts.survivors.push(name);
      results.push({ ...fault, how, by: failed ?? stillborn, ran });
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(
        `${i + 1}/${faults.length} ${how} (${fault.kind}, ${seconds} s) ${name}${failed ? `\n    by ${failed.slice(0, 160)}` : ''}`,
      );
    }
    worker.close();
    await copy.remove();
  };
  await Promise.all(Array.from({ length: jobs }, work));
  await mkdir(path.join(root, '.cache'), { recursive: true });
  await writeFile(path.join(root, '.cache/mutants.json'), JSON.stringify(results, null, 1));
  const { noticed, stillborn, equivalent, survivors, gone } = counts;
  console.log(
    `\n${faults.length} faults: ${noticed} noticed, ${equivalent} proven equivalents, ${survivors.length} survivors, ${stillborn} do not compile, ${gone.length} gone`,
  );
  for (const name of survivors) console.log(`  survives: ${name}`);
  for (const name of gone) console.log(`  gone (npm run test:mutants -- --renew): ${name}`);
  process.exitCode = survivors.length + gone.length > 0 ? 1 : 0;
}

await main();
