/** What a fit shows on its way and at its end: errors, reconstruction, factors. */

import { type CurveLine, curve } from '../../page/curve.js';
import { el, newId, onNextFrame } from '../../page/dom.js';
import { heatMap } from '../../page/heat-map.js';
import { work } from '../../page/session.js';
import type { Drawing, Facts, Learned } from '../../work/matrix.js';
import { namesOf } from './names.js';
import { partsView } from './parts.js';

export interface Results {
  element: HTMLElement;
  /** Begins with the ranks and bounds of a fit. */
  begin(facts: Facts, ranks: readonly number[], bounds: readonly (number | null)[]): void;
  draw(drawing: Drawing, at: { totalIterations: number; relativeError: number }): void;
  finish(facts: Facts | undefined, learned: Learned): void;
  clear(): void;
}

const levels = ['level-0', 'level-1', 'level-2', 'level-3', 'level-4'];
const dash = '–';

export function results(): Results {
  let facts: Facts | undefined;
  let ranks: readonly number[] = [];
  /** The largest entry of the picture of X. */
  let high: number | undefined;

  const errors = curve('Relative error');
  const reconstruction = heatMap({ label: 'The reconstruction' });
  const A = heatMap({ label: 'The factor A' });
  const S = heatMap({ label: 'The factor S' });
  const [reconstructionTitle, titleA, titleS] = [el('h3', {}), el('h3', {}), el('h3', {})];
  const parts = partsView();
  const layerId = newId('layer');
  const layer = el('select', { id: layerId, onchange: () => void choose(Number(layer.value)) });
  const layerField = el('div', { class: 'controls', hidden: true }, el('label', { for: layerId }, 'Layer shown ', layer));
  const table = el('tbody', {});
  const tableElement = el(
    'table',
    { class: 'levels' },
    el('caption', {}, 'Errors'),
    el('thead', {}, el('tr', {}, ...['Rank', 'Relative error', 'SVD bound'].map((text) => el('th', { scope: 'col' }, text)))),
    table,
  );
  const place = (title: HTMLElement, map: { element: HTMLElement }) => el('figure', {}, el('figcaption', {}, title), map.element);
  const element = el(
    'section',
    { class: 'results', 'aria-label': 'Results', hidden: true },
    el('div', { class: 'course' }, errors.element, tableElement),
    layerField,
    el('div', { class: 'maps' }, place(reconstructionTitle, reconstruction), place(titleA, A), place(titleS, S)),
    parts.element,
  );

  function take(next: Facts | undefined): void {
    facts = next;
    high = next?.X.entries.data.reduce((most, x) => (x > most ? x : most), 0); // NaN is never larger
  }

  async function choose(next: number): Promise<void> {
    const drawing = await work.matrix.show(next);
    if (drawing) showFactors(drawing);
  }

  function offerLayers(next: readonly number[]): void {
    ranks = next;
    const chosen = Math.min(Number(layer.value || 0), Math.max(0, ranks.length - 1));
    layer.replaceChildren(...ranks.map((rank, l) => el('option', { value: l }, `${l}, rank ${rank}`)));
    layer.value = String(chosen);
    layerField.hidden = ranks.length < 2;
    const [up, down] = [ranks.length > 1 ? 'A⁰…Aˡ' : 'A', ranks.length > 1 ? 'Sˡ' : 'S'];
    reconstructionTitle.textContent = `${up}${down} ≈ X`;
    titleA.textContent = ranks.length > 1 ? 'Aˡ' : 'A';
    titleS.textContent = down;
  }

  /** What is still to be drawn of the last drawing: one picture a frame, so that no frame is long. */
  let waiting: (() => void)[] = [];
  const next = onNextFrame(() => {
    waiting.shift()?.();
    if (waiting.length > 0) next();
  });

  function showFactors(drawing: Drawing, atRest = true): void {
    const what = <W extends string>(name: W) => (atRest ? name : undefined);
    const [features, samples] = [facts?.features, facts?.samples];
    const { A: pictureA, S: pictureS, layer: shown, reconstruction: back } = drawing;
    const ofFeatures = shown === 0 || pictureA.rows === facts?.rows;
    const sampled = pictureS?.cols === facts?.cols;
    const namesA = namesOf(pictureA, what('A'), ofFeatures ? features : undefined, undefined, [
      ofFeatures ? 'feature' : 'component',
      'component',
    ]);
    const namesS = pictureS && namesOf(pictureS, what('S'), undefined, sampled ? samples : undefined, ['component', 'sample']);
    waiting = [
      // X and its reconstruction have one scale, so that they can be compared.
      () => reconstruction.show(back?.entries, { high, ...(back && namesOf(back, what('reconstruction'), features, samples)) }),
      () => A.show(pictureA.entries, namesA),
      () => S.show(pictureS?.entries, namesS),
      () => parts.show(drawing, facts),
    ];
    next();
  }

  function row(rank: number, error: number | null, bound: number | null): HTMLElement {
    const cells = [String(rank), numberText(error), numberText(bound)];
    return el('tr', {}, ...cells.map((text, i) => (i === 0 ? el('th', { scope: 'row' }, text) : el('td', {}, text))));
  }

  return {
    element,
    begin(next, list, bounds) {
      take(next);
      element.hidden = false;
      offerLayers(list);
      errors.lines(
        list.map((rank, l): CurveLine => ({ name: `rank ${rank}`, colour: levels[l % levels.length], bound: drawable(bounds[l]) })),
      );
      table.replaceChildren(...list.map((rank, l) => row(rank, null, bounds[l])));
    },
    draw(drawing, { totalIterations, relativeError }) {
      showFactors(drawing, false);
      const told = drawing.errors.map((error) => error ?? (drawing.errors.length === 1 ? relativeError : null));
      errors.add(
        totalIterations,
        ranks.map((_, l) => told[l] ?? null),
      );
      table.querySelectorAll('td:nth-of-type(1)').forEach((cell, l) => {
        cell.textContent = numberText(told[l] ?? null);
      });
    },
    finish(next, learned) {
      take(next);
      element.hidden = false;
      if (learned.ranks.join() !== ranks.join()) {
        offerLayers(learned.ranks);
        errors.lines(
          learned.layers.map(
            ({ rank, svdBound }, l): CurveLine => ({ name: `rank ${rank}`, colour: levels[l % levels.length], bound: drawable(svdBound) }),
          ),
        );
      }
      errors.add(
        learned.iterations,
        learned.layers.map(({ relativeError }) => relativeError),
      );
      table.replaceChildren(...learned.layers.map(({ rank, relativeError, svdBound }) => row(rank, relativeError, svdBound)));
      showFactors(learned.drawing);
    },
    clear() {
      element.hidden = true;
    },
  };
}

/** A bound that a logarithmic axis has a place for. */
const drawable = (bound: number | null | undefined) => (bound && bound > 1e-6 ? bound : null);

/** Five digits: where a fit has settled they differ from the bound in the last ones. */
function numberText(x: number | null): string {
  return x === null || Number.isNaN(x) ? dash : x < 1e-6 ? '0' : x.toPrecision(5);
}
