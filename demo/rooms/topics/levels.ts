/** The levels of the tree, added and removed by hand, and the other options of a fit. */
import { el } from '../../page/dom.js';
import type { LearnOptions } from '../../work/topics.js';

export interface LevelsPart {
  element: HTMLElement;
  /** Throws for a field that has no number that can be. */
  readonly options: LearnOptions;
  show(ranks: readonly number[]): void;
  address(): Record<string, string | undefined>;
  take(options: URLSearchParams): void;
}

/** Those of `orthant topics`. */
export const defaults: LearnOptions = { ranks: [20, 8, 3], restarts: 4, seed: 0, maxIterations: 150, tolerance: 1e-5 };
const mostTopics = 128;

export function levelsPart({ onChange }: { onChange: () => void }): LevelsPart {
  let ranks = [...defaults.ranks];
  const list = el('div', { class: 'ranks', role: 'group', 'aria-label': 'Levels, from the finest to the coarsest' });
  const field = (name: string, value: number, min: number, max: number, step: number | 'any' = 1) =>
    el('input', { type: 'number', name, value, min, max, step, oninput: onChange });
  const [restarts, seed, iterations, tolerance] = [
    field('restarts', defaults.restarts, 1, 64),
    field('seed', 0, 0, 4294967295),
    field('iterations', defaults.maxIterations, 1, 100_000),
    field('tolerance', defaults.tolerance, 0, 0.5, 'any'),
  ];
  const element = el(
    'section',
    { class: 'part levels' },
    el('h2', {}, 'Levels'),
    el(
      'div',
      { class: 'controls' },
      list,
      el('label', {}, 'Restarts ', restarts),
      el('label', {}, 'Seed ', seed),
      el(
        'details',
        { class: 'more' },
        el('summary', {}, 'More'),
        el('div', { class: 'controls' }, el('label', {}, 'Iterations ', iterations), el('label', {}, 'Tolerance ', tolerance)),
      ),
    ),
  );

  function draw(focus?: () => HTMLElement | null | undefined): void {
    list.replaceChildren(
      ...ranks.flatMap((rank, l) => {
        const input = el('input', {
          type: 'number',
          value: rank,
          min: 1,
          max: mostTopics,
          step: 1,
          'aria-label': `Topics of level ${l + 1}`,
          oninput: () => {
            ranks[l] = input.valueAsNumber;
            onChange();
          },
        });
        const remove = el(
          'button',
          {
            type: 'button',
            class: 'quiet',
            'aria-label': `Remove level ${l + 1}`,
            onclick: () => {
              ranks.splice(l, 1);
              draw(() => list.querySelectorAll('input')[Math.min(l, ranks.length - 1)]);
              onChange();
            },
          },
          '×',
        );
        return [
          ...(l > 0 ? [el('span', { class: 'arrow', 'aria-hidden': 'true' }, '→')] : []),
          el('span', { class: `rank level-${Math.min(l, 4)}` }, input, ...(ranks.length > 1 ? [remove] : [])),
        ];
      }),
      el(
        'button',
        {
          type: 'button',
          disabled: ranks.length >= 5 || ranks.at(-1) === 1,
          onclick: () => {
            ranks.push(Math.max(1, Math.round((ranks.at(-1) || 3) / 2.5)));
            draw(() => list.querySelectorAll('input')[ranks.length - 1]);
            onChange();
          },
        },
        '+ Level',
      ),
    );
    focus?.()?.focus();
  }

  draw();
  return {
    element,
    get options() {
      const wrong = [...element.querySelectorAll('input')].find((input) => !input.checkValidity() || input.value === '');
      if (wrong) {
        const name = wrong.getAttribute('aria-label') ?? wrong.parentElement?.textContent?.trim() ?? 'This option';
        throw new RangeError(`${name}: give a number from ${wrong.min} to ${wrong.max}.`);
      }
      const grows = ranks.findIndex((rank, l) => l > 0 && rank > ranks[l - 1]);
      if (grows > 0)
        throw new RangeError(
          `Level ${grows + 1} has ${ranks[grows]} topics and the one before it ${ranks[grows - 1]}; no level can have more than the one before.`,
        );
      return {
        ranks: [...ranks],
        restarts: restarts.valueAsNumber,
        seed: seed.valueAsNumber,
        maxIterations: iterations.valueAsNumber,
        tolerance: tolerance.valueAsNumber,
      };
    },
    show(next) {
      ranks = [...next];
      draw();
      onChange();
    },
    address() {
      const other = (input: HTMLInputElement, value: number) =>
        input.valueAsNumber === value || input.value === '' ? undefined : input.value;
      const shown = ranks.join(',');
      return {
        ranks: shown === defaults.ranks.join(',') || ranks.some(Number.isNaN) ? undefined : shown,
        restarts: other(restarts, defaults.restarts),
        seed: other(seed, defaults.seed),
        iterations: other(iterations, defaults.maxIterations),
        tolerance: other(tolerance, defaults.tolerance),
      };
    },
    take(options) {
      const given = (options.get('ranks') ?? '').split(',').map(Number);
      ranks =
        given.every((rank) => Number.isInteger(rank) && rank >= 1 && rank <= mostTopics) && given.length <= 12
          ? given
          : [...defaults.ranks];
      restarts.value = options.get('restarts') ?? String(defaults.restarts);
      seed.value = options.get('seed') ?? '0';
      iterations.value = options.get('iterations') ?? String(defaults.maxIterations);
      tolerance.value = options.get('tolerance') ?? String(defaults.tolerance);
      draw();
    },
  };
}
