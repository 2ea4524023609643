/** The experiment of the screen as code. */
import { drawTableOne, mostIterations, tableRanks } from '../../../src/cli/table1-experiment.js';
import type { Code } from '../../page/code.js';
import type { ComparedMethod, PaperPlace } from '../../work/paper.js';

const functions = { neural: 'neuralNmf', hierarchical: 'hierarchicalNmf', deep: 'deepNmf' } as const satisfies Record<
  ComparedMethod,
  string
>;

/** The fits that the figures are of, in their order. One with `goOn` begins with the factors of the one before it. */
export function codeOf(fits: readonly PaperPlace[]): Code {
  // The last fit of a method is the figure; what came before has a number.
  const named = fits.map((place, i) => {
    const later = fits.slice(i + 1).some(({ method }) => method === place.method);
    return { ...place, name: later ? `${place.method}${i + 1}` : place.method };
  });
  return { typescript: typescriptOf(named), command: commandOf(named) };
}

type Named = PaperPlace & { name: string };

const costOf = ({ method, judged }: PaperPlace) => (method !== 'neural' ? undefined : judged === 'levels' ? 'levels' : 'reconstruction');

function typescriptOf(fits: readonly Named[]): string {
  const { seed, layers } = fits[0];
  const rank = tableRanks[layers - 1];
  const supervisions = new Set(fits.map(({ supervision }) => supervision));
  const given = { none: '', semi: ', labels: known, truth', full: ', labels: truth' };
  const calls = fits.map(({ name, method, supervision, restarts, goOn, ...rest }, i) => {
    const start = goOn ? `start: { A: ${fits[i - 1].name}.A }` : `restarts: ${restarts}`;
    const cost = costOf({ method, supervision, restarts, ...rest });
    return `const ${name} = await ${functions[method]}(engine, X, { ranks, seed: ${seed}, maxIterations: ${mostIterations(method, layers)}, ${start}${cost ? `, cost: '${cost}'` : ''}${given[supervision]} });`;
  });
  const imports = ['createEngine', ...new Set(fits.map(({ method }) => functions[method])), 'tableOne'].sort();
  return [
    `import { ${imports.join(', ')} } from 'orthant/node';`,
    '',
    'const engine = await createEngine();',
    supervisions.size === 1 && supervisions.has('none')
      ? `const { X } = tableOne(${seed});`
      : `const { X, labels } = tableOne(${seed});\nconst truth = labels[${rank}].map(String);`,
    ...(supervisions.has('semi')
      ? [
          `const labelled = new Set([${labelledColumns(seed).join(', ')}]); // 40 % of the columns, drawn at random`,
          "const known = truth.map((label, c) => (labelled.has(c) ? label : ''));",
        ]
      : []),
    `const ranks = [${tableRanks.slice(0, layers).join(', ')}];`,
    ...calls,
    `for (const { method, layers } of [${[...new Set(fits.map(({ method }) => method))].join(', ')}])`,
    '  for (const { rank, relativeError, svdBound } of layers) console.log(method, rank, relativeError, svdBound);',
    'engine.dispose();',
    '',
  ].join('\n');
}

function commandOf(fits: readonly Named[]): string {
  const { seed, layers } = fits[0];
  const folder = `table1/seed-${seed}`;
  const file = (kind: string) => `${folder}/${kind}-${tableRanks[layers - 1]}.txt`;
  const given = {
    none: [],
    semi: [`--labels ${file('some-labels')}`, `--truth ${file('labels')}`],
    full: [`--labels ${file('labels')}`],
  };
  const calls = fits.map((place, i) => {
    const { name, method, supervision, restarts, goOn } = place;
    const cost = costOf(place);
    return [
      `npx orthant fit ${folder}/X.npy --samples columns --method ${method} --ranks ${tableRanks.slice(0, layers).join(',')} --seed ${seed}`,
      `--max-iterations ${mostIterations(method, layers)}`,
      goOn ? `--start ${fits[i - 1].name}` : `--restarts ${restarts}`,
      ...(cost ? [`--cost ${cost}`] : []),
      ...given[supervision],
      `--out ${name}`,
    ].join(' ');
  });
  return [`npx orthant table1 --data ${seed} --out table1   # its data and labels`, ...calls, ''].join('\n');
}

const labelledColumns = (seed: number): number[] => drawTableOne(seed).labelled.flatMap((is, c) => (is ? [c] : []));
