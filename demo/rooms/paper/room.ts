/** The published experiment, live. */
import './paper.css';
import { matrix, svdBounds, tableOne } from 'orthant';
import type { Room } from '../../main.js';
import { curve } from '../../page/curve.js';
import { el } from '../../page/dom.js';
import { fitPanel } from '../../page/fit-panel.js';
import { heatMap } from '../../page/heat-map.js';
import { openDevice, proxy, work } from '../../page/session.js';
import { keepOptions } from '../../page/url.js';
import type { Level } from '../../work/paper.js';

const ranks = [9, 4, 2];
/** The largest entry that the data can have: 4, and noise below 0.15. */
const high = 4.15;

export function room(): Room {
  let seed = 0;
  let data = tableOne(seed);
  let bounds = svdBounds(data.X, ranks).values;
  let began = false;

  const seedField = el('input', { type: 'number', min: 0, max: 4294967295, step: 1, value: 0, oninput: () => reset() });
  const panel = fitPanel({ room: 'The paper', onStart: start });
  const maps = [heatMap({ label: 'The data X', high }), ...ranks.map((rank) => heatMap({ label: `Reconstruction of rank ${rank}`, high }))];
  const figures = el('div', { class: 'maps' }, ...maps.map(({ element }) => element));
  const errors = curve('Errors');
  const element = el(
    'article',
    { class: 'paper' },
    el('h1', {}, 'The published experiment'),
    el('div', { class: 'controls' }, el('label', {}, 'Seed ', seedField)),
    panel.element,
    figures,
    errors.element,
  );

  function reset(): void {
    if (!seedField.checkValidity()) return;
    seed = seedField.valueAsNumber;
    keepOptions('paper', { seed: seed === 0 ? undefined : String(seed) });
    data = tableOne(seed);
    bounds = svdBounds(data.X, ranks).values;
    errors.lines(ranks.map((rank, l) => ({ name: `rank ${rank}`, colour: `level-${l}`, bound: bounds[l] })));
    maps[0].show(data.X, { groups: data.labels[9] });
    for (const map of maps.slice(1)) map.show(matrix(data.X.rows, data.X.cols));
  }

  function show(levels: Level[], iteration: number): void {
    for (const [l, { reconstruction }] of levels.entries()) maps[l + 1].show(reconstruction);
    errors.add(
      iteration,
      ranks.map((_, l) => levels[l]?.relativeError ?? null),
    );
  }

  async function start(): Promise<void> {
    reset();
    await panel.run(async (id, hear) => {
      const { levels, model } = await work.fitPaper(
        { X: data.X, options: { ranks, seed } },
        id,
        proxy(hear),
        proxy((drawn: Level[], { totalIterations }: { totalIterations: number }) => show(drawn, totalIterations)),
      );
      show(levels, model.iterations);
      return 'Finished: the errors have settled.';
    });
  }

  reset();
  return {
    title: 'The paper',
    element,
    enter() {
      if (began) return;
      began = true;
      void openDevice().then(() => panel.start());
    },
  };
}
