/** The data, and for each method a row of its reconstructions with their errors beside the bounds. */
import type { Matrix } from 'orthant';
import { el } from '../../page/dom.js';
import { heatMap } from '../../page/heat-map.js';
import type { ComparedMethod, Level } from '../../work/paper.js';
import { nameOf } from './table.js';

/** The largest entry that the data can have: 4, and noise below 0.15. One colour scale for all pictures. */
const high = 4.15;

const wordsOf: Record<ComparedMethod, string> = {
  neural: 'All layers learn together; the coefficients of each are the exact nonnegative fit of those before.',
  hierarchical: 'One layer after the other; later ones change nothing before them.',
  deep: 'All layers learn together by multiplicative updates; each fits the coefficients before it.',
};

export interface DataFigure {
  element: HTMLElement;
  show(X: Matrix, groups: readonly number[]): void;
}

export function dataFigure(): DataFigure {
  const map = heatMap({ label: 'The data X', high });
  const element = el(
    'figure',
    { class: 'data' },
    el('figcaption', {}, el('h2', {}, 'The data ', el('var', {}, 'X')), el('p', {}, 'nine groups in four in two, with noise')),
    map.element,
  );
  return { element, show: (X, groups) => map.show(X, { groups }) };
}

export interface MethodRow {
  element: HTMLElement;
  /** Empty pictures of `layers` levels. */
  begin(layers: number, bounds: readonly number[], data: { labels: Record<9 | 4 | 2, number[]> }): void;
  show(levels: readonly Level[]): void;
}

const ranks = [9, 4, 2] as const;

export function methodRow(method: ComparedMethod): MethodRow {
  let bounds: readonly number[] = [];
  const figures = ranks.map((rank, l) => {
    const map = heatMap({ label: `${nameOf[method]}, reconstruction of rank ${rank}`, high });
    const error = el('output', {}, 'error –');
    const bound = el('span', {}, '–');
    const element = el(
      'figure',
      {},
      el('figcaption', {}, el('h3', {}, ...productName(l)), el('p', {}, error), el('p', {}, `bound of rank ${rank} `, bound)),
      map.element,
    );
    return { map, error, bound, element };
  });
  const element = el(
    'section',
    { 'aria-label': nameOf[method] },
    el('header', {}, el('h2', {}, nameOf[method]), el('p', { class: 'hint' }, wordsOf[method])),
    ...figures.map((figure) => figure.element),
  );
  return {
    element,
    begin(layers, given, { labels }) {
      bounds = given;
      for (const [l, figure] of figures.entries()) {
        figure.element.hidden = l >= layers;
        figure.error.textContent = 'error –';
        figure.bound.textContent = bounds[l].toFixed(4);
        figure.map.show(undefined, { groups: labels[ranks[l]] });
      }
    },
    show(levels) {
      for (const [l, { relativeError, reconstruction }] of levels.entries()) {
        figures[l].map.show(reconstruction);
        figures[l].error.textContent = `error ${relativeError.toFixed(4)} = ${(relativeError / bounds[l]).toFixed(3)} × bound`;
      }
    },
  };
}

/** A⁰A¹…AˡSˡ as nodes. */
function productName(l: number): Node[] {
  const power = (letter: string, index: number) => el('span', {}, el('var', {}, letter), el('sup', {}, String(index)));
  return [...Array.from({ length: l + 1 }, (_, i) => power('A', i)), power('S', l)];
}
