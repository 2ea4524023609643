/** The fit on the screen as a program and as a command line. */
import type { MethodInfo } from 'orthant';
import type { Code } from '../../page/code.js';
import type { Facts } from '../../work/matrix.js';
import type { Reading } from '../../work/matrix-read.js';
import type { Asked } from './method-form.js';

/** The function of each method that has another name than the method. */
const functions: Record<string, string> = {
  hierarchical: 'hierarchicalNmf',
  deep: 'deepNmf',
  'deep-semi': 'deepSemiNmf',
  unfolded: 'unfoldedNmf',
  'sparse-coding': 'sparseCoding',
  neural: 'neuralNmf',
};

export interface Shown {
  facts: Facts | undefined;
  asked: Asked;
  method: MethodInfo;
  reading: Reading;
  /** The fits whose factors it goes on from, in their order; 'model' is one that was opened. None for a fit from a start of its own. */
  before: readonly (Asked | 'model')[];
}

/** The name under which "Save the matrix" saves data that are in no file of their own. */
export const savedName = ({ name, kind }: Pick<Facts, 'name' | 'kind'>) =>
  kind === 'table' ? name : `${name.replace(/\.\w+$/, '').replaceAll(' ', '-')}.npy`;

/** Options of reading that the file takes. */
function readingOf({ facts, reading }: Shown): Record<string, unknown> {
  if (facts?.kind !== 'table') return { samples: 'columns' };
  const { side, patch, window, hop, ...table } = reading;
  return table;
}

export function codeOf(shown: Shown): Code {
  const opened = shown.before[0] === 'model' ? [`# ${openedHint}`] : [];
  return { typescript: typescriptOf(shown), command: [...opened, ...commandsOf(shown).map((line) => `npx ${line}`)].join('\n') };
}

const openedHint = 'model1/ is the folder of the model that was opened.';

/** The fits one after another, each with the name of its model and that of the one it begins with. */
function fitsOf({ asked, before }: Shown): { asked: Asked; name: string; start?: string }[] {
  return [...before, asked].flatMap((fit, i, all) => {
    if (fit === 'model') return [];
    return [{ asked: fit, name: i === all.length - 1 ? 'model' : `model${i + 1}`, ...(i > 0 && { start: `model${i}` }) }];
  });
}

function typescriptOf(shown: Shown): string {
  const { facts, before } = shown;
  const fits = fitsOf(shown);
  const file = facts ? savedName(facts) : 'data.csv';
  const made = facts && facts.kind !== 'table' ? [`// Save the matrix as ${file} first: "Save the matrix (.npy)".`] : [];
  const missing = facts !== undefined && facts.missing > 0;
  const given = (option: string) => fits.some(({ asked: { files } }) => files[option]);
  const weights = missing && fits.some(({ asked: { files } }) => !files.weights) ? ', weights' : '';
  const imports = [
    'createEngine',
    ...new Set(fits.map(({ asked: { method } }) => functionOf(method))),
    'readMatrix',
    'saveModel',
    ...(before[0] === 'model' ? ['loadModel'] : []),
    ...(given('weights') ? ['toDense'] : []),
  ].sort();
  const calls = fits.flatMap(({ asked: { method, options, files }, name, start }) => [
    `const ${name} = await ${functionOf(method)}(engine, X, {`,
    ...Object.entries(withoutRestarts(options, start)).map(([option, value]) => `  ${option}: ${literal(value)},`),
    ...(missing && !files.weights ? ['  weights, // 0 where a value is missing'] : []),
    ...(files.weights ? [`  weights: toDense((await readMatrix(${literal(files.weights.name)}, ${literal(readingOf(shown))})).X),`] : []),
    ...['labels', 'truth'].flatMap((option) =>
      files[option] ? [`  ${option}: (await readFile(${literal(files[option].name)}, 'utf8')).trimEnd().split('\\n'),`] : [],
    ),
    ...(start ? [`  start: ${start},`] : []),
    '});',
  ]);
  return [
    ...(given('labels') || given('truth') ? ["import { readFile } from 'node:fs/promises';"] : []),
    `import { ${imports.join(', ')} } from 'orthant/node';`,
    '',
    ...made,
    `const { X, features, samples${weights} } = await readMatrix(${literal(file)}, ${literal(readingOf(shown))});`,
    'const engine = await createEngine();',
    ...(before[0] === 'model' ? [`const model1 = await loadModel('model1'); // ${openedHint}`] : []),
    ...calls,
    'console.log(model.relativeError, model.svdBound);',
    "await saveModel('model', { ...model, features, samples });",
    'engine.dispose();',
    '',
  ].join('\n');
}

const functionOf = (method: string) => functions[method] ?? method;

/** A fit that goes on from factors has one start. */
const withoutRestarts = ({ restarts, ...options }: Asked['options'], start: string | undefined): Asked['options'] =>
  start === undefined && restarts !== undefined ? { ...options, restarts } : options;

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, one]) => `${name}: ${literal(one)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  return String(value);
}

/** Options that the command line takes under another form, or not at all. */
const inCodeOnly = new Set(['checkEvery']);

/** A command line for each fit. */
export const commandsOf = (shown: Shown): string[] => fitsOf(shown).map((fit) => commandOf(shown, fit));

function commandOf(shown: Shown, { asked, name: out, start }: ReturnType<typeof fitsOf>[number]): string {
  const { facts } = shown;
  const { ranks, svdBound, ...options } = withoutRestarts(asked.options, start);
  const words = ['orthant fit', quoted(facts ? savedName(facts) : 'data.csv'), `--method ${asked.method}`];
  if (ranks !== undefined) words.push(`--ranks ${text(ranks)}`);
  for (const [option, value] of Object.entries({ ...readingOf(shown), ...options })) {
    if (inCodeOnly.has(option)) continue;
    const flag = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === 'boolean') words.push(value ? `--${flag}` : `--no-${flag}`);
    else words.push(`--${flag} ${quoted(text(value))}`);
  }
  if (svdBound === false) words.push('--no-svd-bound');
  for (const [option, { name }] of Object.entries(asked.files)) words.push(`--${option} ${quoted(name)}`);
  if (start) words.push(`--start ${start}`);
  words.push(`--out ${out}`);
  return words.join(' ');
}

const text = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value));
const quoted = (word: string) => (/^[\w.,:/=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
