/** The table of the talk, with the published figures and beside them the figures of this page. */
import {
  type ComparedMethod,
  comparedMethods,
  type Depth,
  depths,
  published,
  supervisions,
  type TableSupervision,
} from '../../../src/cli/table1-experiment.js';
import { el } from '../../page/dom.js';

export interface Cell {
  supervision: TableSupervision;
  layers: Depth;
  method: ComparedMethod;
}

export interface Figure {
  error: number;
  accuracy: number | null;
}

export const nameOf: Record<ComparedMethod, string> = { hierarchical: 'Hierarchical NMF', deep: 'Deep NMF', neural: 'Neural NMF' };
export const supervisionIn: Record<TableSupervision, string> = { none: 'no labels', semi: 'labels of 40 %', full: 'all labels' };

export interface Table {
  element: HTMLElement;
  /** The cells that have no figure yet, in the order of the table. */
  missing(): Cell[];
  put(cell: Cell, figure: Figure): void;
  /** Marks the cell whose fit runs, or none. */
  mark(cell?: Cell): void;
  clear(bounds: readonly number[]): void;
}

const cells: readonly Cell[] = supervisions.flatMap((supervision) =>
  depths.flatMap((layers) => comparedMethods.map((method) => ({ supervision, layers, method }))),
);

const keyOf = ({ supervision, layers, method }: Cell) => `${supervision} ${layers} ${method}`;
const inDigits = ({ error, accuracy }: Figure) => `${error.toFixed(3)}${accuracy === null ? '' : ` / ${accuracy.toFixed(3)}`}`;

export function paperTable(): Table {
  const figures = new Map<string, Figure>();
  const places = new Map<string, HTMLElement>();
  const boundPlaces: Record<Depth, HTMLElement[]> = { 1: [], 2: [], 3: [] };

  const rowOf = (supervision: TableSupervision, layers: Depth) => {
    const bound = el('td', { class: 'bound' }, '–');
    boundPlaces[layers].push(bound);
    return el(
      'tr',
      {},
      ...(layers === 1 ? [el('th', { scope: 'rowgroup', rowspan: depths.length }, supervisionIn[supervision])] : []),
      el('th', { scope: 'row' }, String(layers)),
      ...comparedMethods.flatMap((method) => {
        const { error, accuracy } = published[supervision][method];
        const here = el('td', { class: 'here' }, '–');
        places.set(keyOf({ supervision, layers, method }), here);
        const figure = { error: error[layers - 1], accuracy: accuracy?.[layers - 1] ?? null };
        return [el('td', { class: 'published' }, inDigits(figure)), here];
      }),
      bound,
    );
  };
  const element = el(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'The table of the talk' },
    el(
      'table',
      {},
      el('caption', {}, 'Relative error, and with labels the share of columns whose class is predicted.'),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          el('th', { rowspan: 2, scope: 'col' }, 'Data'),
          el('th', { rowspan: 2, scope: 'col' }, 'Layers'),
          ...comparedMethods.map((method) => el('th', { colspan: 2, scope: 'colgroup' }, nameOf[method])),
          el('th', { rowspan: 2, scope: 'col' }, 'SVD bound'),
        ),
        el('tr', {}, ...comparedMethods.flatMap(() => [el('th', { scope: 'col' }, 'published'), el('th', { scope: 'col' }, 'here')])),
      ),
      ...supervisions.map((supervision) => el('tbody', {}, ...depths.map((layers) => rowOf(supervision, layers)))),
    ),
  );

  return {
    element,
    missing: () => cells.filter((cell) => !figures.has(keyOf(cell))),
    put(cell, figure) {
      figures.set(keyOf(cell), figure);
      const place = places.get(keyOf(cell))!;
      place.textContent = inDigits(figure);
      place.classList.add('known');
    },
    mark(cell) {
      for (const [key, place] of places) place.classList.toggle('running', cell !== undefined && key === keyOf(cell));
    },
    clear(bounds) {
      figures.clear();
      for (const place of places.values()) {
        place.textContent = '–';
        place.classList.remove('known');
      }
      for (const layers of depths) for (const place of boundPlaces[layers]) place.textContent = bounds[layers - 1].toFixed(4);
    },
  };
}
