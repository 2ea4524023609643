/** The results as Markdown. */
import type { Setting } from './families.js';
import type { Results } from './main.js';
import type { Spread } from './scores.js';
import type { Cell } from './study.js';

const titles: Record<Setting['family'], string> = {
  generated: 'Generated blocks',
  brown: 'Brown corpus, genres under informative/imaginative',
  segments: 'Seven-segment digits (simulated)',
  mnist: 'MNIST digits',
};

export function tables({ families }: Results): string {
  return (Object.keys(titles) as Setting['family'][])
    .flatMap((family) => {
      const found = families[family];
      if (!found) return [];
      const { cells, device, date, seconds } = found;
      const [rows, columns] = cells[0].shape;
      const varies = cells.some(({ parameter }) => parameter !== '');
      const of = (supervision: Cell['supervision']) => cells.filter((cell) => cell.supervision === supervision);
      return [
        `### ${titles[family]}`,
        `${rows}×${columns}, ${cells[0].seeds} seeds. ${device}; ${date.slice(0, 10)}, ${Math.round(seconds)} s for the family.`,
        table(varies, 'unsupervised', of('none')),
        table(varies, '40 % labelled', of('semi')),
      ];
    })
    .join('\n\n');
}

function table(varies: boolean, title: string, cells: readonly Cell[]): string {
  const semi = cells.some(({ accuracy }) => accuracy !== null);
  const heads = [
    title,
    ...(varies ? ['ranks'] : []),
    'method',
    'error ÷ bound',
    'layer 1: error ÷ its bound',
    ...(semi ? ['accuracy, unlabelled'] : ['NMI, super-classes', 'purity', 'NMI, layer 1, fine classes']),
    'converged',
    's a fit',
  ];
  const lines = cells.map((cell) => {
    const { parameter, value, ranks, method, ratio, firstRatio, nmi, purity, fineNmi, accuracy, converged, seeds, seconds } = cell;
    return [
      varies ? `${parameter} ${value}` : `ranks ${ranks.join(', ')}`,
      ...(varies ? [ranks.join(', ')] : []),
      method,
      text(ratio, 4),
      text(firstRatio, 4),
      ...(accuracy ? [text(accuracy, 3)] : [text(nmi, 3), text(purity, 3), text(fineNmi, 3)]),
      `${converged}/${seeds}`,
      text(seconds, 1),
    ];
  });
  return [heads, heads.map(() => '---'), ...lines].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function text({ median, min, max }: Spread, digits: number): string {
  const [middle, low, high] = [median, min, max].map((value) => value.toFixed(digits));
  return low === high ? middle : `${middle} (${low}–${high})`;
}
