/** The experiment of the screen as code. */
import { drawTableOne } from '../../../src/cli/table1-experiment.js';
import type { Code } from '../../page/code.js';
import type { PaperPlace } from '../../work/paper.js';

const ranks = [9, 4, 2] as const;

export function codeOf({ seed, layers, supervision, judged, restarts }: PaperPlace): Code {
  const shown = ranks.slice(0, layers);
  const cost = judged === 'levels' ? '' : ", cost: 'reconstruction'";
  const labels = {
    none: '',
    semi: `
const labelled = new Set([${labelledColumns(seed).join(', ')}]); // 40 % of the columns, drawn at random
const labels = truth.map((label, c) => (labelled.has(c) ? label : ''));`,
    full: '\nconst labels = truth;',
  }[supervision];
  const given = { none: '', semi: ', labels, truth', full: ', labels' }[supervision];
  return {
    typescript: `import { createEngine, neuralNmf, tableOne } from 'orthant';

using engine = await createEngine();
const { X, labels: groups } = tableOne(${seed});${supervision === 'none' ? '' : `\nconst truth = groups[${shown.at(-1)}].map(String);`}${labels}
const model = await neuralNmf(engine, X, { ranks: [${shown.join(', ')}], seed: ${seed}, restarts: ${restarts}${cost}${given} });
for (const { rank, relativeError, svdBound } of model.layers) console.log(rank, relativeError, svdBound);
`,
    command: `npx orthant table1 --seeds ${seed + 1} --restarts ${restarts}   # the whole table, of the seeds 0 to ${seed}\n`,
  };
}

function labelledColumns(seed: number): number[] {
  const { labelled } = drawTableOne(seed);
  return labelled.flatMap((is, c) => (is ? [c] : []));
}
