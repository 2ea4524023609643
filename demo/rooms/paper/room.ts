/** The published experiment, live: the data, three methods beside each other, and the table of the talk. */
import './paper.css';
import { svdBounds, tableOne } from 'orthant';
import type { Room } from '../../main.js';
import { codeButton } from '../../page/code.js';
import { curve } from '../../page/curve.js';
import { el, fold } from '../../page/dom.js';
import { fitPanel, fitsAtWork } from '../../page/fit-panel.js';
import { openDevice, proxy, work } from '../../page/session.js';
import { keepOptions } from '../../page/url.js';
import type { Check, FitEvent } from '../../work/fits.js';
import type { ComparedMethod, Depth, Level, PaperPlace, PaperResult, TableSupervision } from '../../work/paper.js';
import { codeOf } from './code.js';
import { dataFigure, methodRow } from './figures.js';
import { type Cell, nameOf, paperTable, supervisionIn } from './table.js';

const ranks = [9, 4, 2] as const;
/** The order in which they are fitted and stand below each other. */
const order = ['neural', 'hierarchical', 'deep'] as const satisfies readonly ComparedMethod[];

/** The options of the room, as the address has them. */
const defaults = { seed: '0', layers: '3', labels: 'none', judged: 'levels', restarts: '4', beside: 'yes' };
type Options = typeof defaults;

export function room(): Room {
  let data = tableOne(0);
  let bounds: readonly number[] = [];
  let began = false;
  let shown = ''; // the seed whose data are on the screen

  const choice = (name: keyof Options, label: string, values: Readonly<Record<string, string>>) => {
    const field = el(
      'select',
      { name, onchange: () => changed() },
      ...Object.entries(values).map(([value, text]) => el('option', { value, selected: value === defaults[name] }, text)),
    );
    return { field, element: el('label', {}, `${label} `, field) };
  };
  const number = (name: keyof Options, label: string, most: number, least: number) => {
    const field = el('input', {
      name,
      type: 'number',
      min: least,
      max: most,
      step: 1,
      value: defaults[name],
      required: true,
      oninput: () => changed(),
    });
    return { field, element: el('label', {}, `${label} `, field) };
  };
  const fields = {
    layers: choice('layers', 'Levels', { 1: '9', 2: '9, 4', 3: '9, 4, 2' }),
    labels: choice('labels', 'Labels', supervisionIn),
    judged: choice('judged', 'Neural NMF is judged by', { levels: 'every level', last: 'the deepest level alone' }),
    beside: choice('beside', 'Beside it', { yes: 'hierarchical and deep NMF', no: 'nothing' }),
    seed: number('seed', 'Seed', 4294967295, 0),
    restarts: number('restarts', 'Restarts', 16, 1),
  };

  const panel = fitPanel({ room: 'The paper', onStart: () => start(false) });
  const picture = dataFigure();
  const rows = { neural: methodRow('neural'), hierarchical: methodRow('hierarchical'), deep: methodRow('deep') };
  const errors = curve('Errors');
  const table = paperTable();
  const fill = el('button', { type: 'button', onclick: () => void panel.start(fillTable) }, 'Fill the table');
  const goOn = el(
    'button',
    { type: 'button', hidden: true, onclick: () => void panel.start(() => start(true)) },
    'Go on from these factors',
  );
  panel.element.querySelector('.buttons')!.append(
    goOn,
    codeButton(() => codeOf(figuresOf())),
  );
  /** The fits that led to the factors that Neural NMF has reached. */
  let reached: PaperPlace[] = [];
  /** Whether the figures are of those. */
  let drawnReached = false;
  const element = el(
    'article',
    { class: 'paper' },
    el(
      'header',
      {},
      el('h1', {}, 'Neural NMF on the published data'),
      el(
        'p',
        { class: 'lede' },
        'The data hide nine groups inside four inside two. Three layers of nonnegative features learn that hierarchy together. No factorization of the same rank has a smaller error than the SVD bound beside it (',
        el('a', { href: 'https://arxiv.org/abs/2303.00058' }, 'arXiv:2303.00058'),
        ').',
      ),
    ),
    el(
      'form',
      { class: 'controls', 'aria-label': 'The experiment', onsubmit: (event) => event.preventDefault() },
      ...Object.values(fields).map((field) => field.element),
    ),
    panel.element,
    el('div', { class: 'methods' }, picture.element, ...order.map((method) => rows[method].element)),
    fold('Errors of Neural NMF', errors.element),
    fold(
      'The table of the talk',
      table.element,
      el('div', { class: 'buttons' }, fill),
      el('p', { class: 'hint' }, 'For many seeds, on the command line: ', el('code', {}, 'npx orthant table1 --seeds 10')),
    ),
  );

  const given = (): Options => Object.fromEntries(Object.entries(fields).map(([name, { field }]) => [name, field.value])) as Options;
  const valid = () => fields.seed.field.checkValidity() && fields.restarts.field.checkValidity();

  function placeOf(method: ComparedMethod): PaperPlace {
    const { seed, layers, labels, judged, restarts } = given();
    return {
      method,
      seed: Number(seed),
      layers: Number(layers) as Depth,
      supervision: labels as TableSupervision,
      judged: judged as PaperPlace['judged'],
      restarts: Number(restarts),
    };
  }

  /** The fits that the figures are of, or would be. */
  function figuresOf(): PaperPlace[] {
    const path = drawnReached ? reached : [placeOf('neural')];
    const beside = drawnReached && path.length > 1 ? [] : order.filter((method) => method !== 'neural' && !rows[method].element.hidden);
    return [...path, ...beside.map(placeOf)];
  }

  /** The options in the address. */
  function remember(): void {
    const told = Object.entries(given()).map(([name, value]) => [name, value === defaults[name as keyof Options] ? undefined : value]);
    keepOptions('paper', Object.fromEntries(told));
  }

  /** Shows the data of the options, with nothing learned yet. */
  function changed(): void {
    if (!valid()) return;
    const options = given();
    remember();
    panel.rest();
    goOn.hidden = reached[0]?.seed !== Number(options.seed) || reached[0].layers !== Number(options.layers);
    drawnReached = false;
    const cellsOf = `${options.seed} ${options.restarts} ${options.judged}`;
    if (cellsOf !== shown) {
      shown = cellsOf;
      data = tableOne(Number(options.seed));
      bounds = svdBounds(data.X, ranks).values;
      table.clear(bounds);
    }
    picture.show(data.X, data.labels[9]);
    const layers = Number(options.layers);
    for (const method of order) {
      rows[method].begin(layers, bounds, data);
      rows[method].element.hidden = method !== 'neural' && options.beside === 'no';
    }
    errors.lines(ranks.slice(0, layers).map((rank, l) => ({ name: `rank ${rank}`, colour: `level-${l}`, bound: bounds[l] })));
  }

  function show(method: ComparedMethod, levels: readonly Level[], iteration: number): void {
    rows[method].show(levels);
    if (method === 'neural')
      errors.add(
        iteration,
        ranks.slice(0, Number(fields.layers.field.value)).map((_, l) => levels[l]?.relativeError ?? null),
      );
  }

  /** One fit, drawn as it goes if it is that of the screen. */
  async function fitPlace(place: PaperPlace, id: number, hear: (event: FitEvent) => void, drawn: boolean): Promise<PaperResult> {
    const { method, layers, supervision } = place;
    const told = (event: FitEvent) =>
      hear(event.kind === 'check' ? { ...event, check: { ...event.check, stage: `${nameOf[method]}, ${event.check.stage}` } } : event);
    table.mark({ method, layers, supervision });
    const result = await work.paper.fitPaper(
      place,
      id,
      proxy(told),
      proxy((levels: Level[], { totalIterations }: Check) => drawn && show(method, levels, totalIterations)),
    );
    table.mark();
    if (drawn) show(method, result.levels, result.iterations);
    if (method === 'neural' && drawn) {
      reached = place.goOn ? [...reached, place] : [place];
      drawnReached = true;
      goOn.hidden = false;
    }
    if (result.stopReason !== 'stopped' && !place.goOn)
      table.put(place, { error: result.levels.at(-1)!.relativeError, accuracy: result.accuracy });
    return result;
  }

  async function start(going: boolean): Promise<void> {
    if (!valid()) {
      panel.complain('Seed and restarts must be whole numbers in their range.');
      return;
    }
    changed();
    if (going) return running([{ ...placeOf('neural'), goOn: true }], true, () => 'Finished: the errors have settled.');
    const methods = order.filter((method) => !rows[method].element.hidden);
    await running(methods.map(placeOf), true, () => 'Finished: the errors have settled.');
  }

  async function fillTable(): Promise<void> {
    if (!valid()) return;
    const missing = table.missing();
    const placeOfCell = (cell: Cell): PaperPlace => ({ ...placeOf(cell.method), ...cell });
    await running(missing.map(placeOfCell), false, () => 'The table is full.');
  }

  /** Runs fits one after another, until one is stopped. While they run the options rest. */
  async function running(places: readonly PaperPlace[], drawn: boolean, done: () => string): Promise<void> {
    const controls = [...Object.values(fields).map(({ field }) => field), fill, goOn];
    // What is switched off loses the focus, which would fall to the body.
    if (controls.some((control) => control === document.activeElement)) panel.focus();
    for (const control of controls) control.disabled = true;
    await panel.run(async (id, hear) => {
      for (const place of places) {
        // Stopped between two fits, the next one is not begun.
        const stopped = panel.state === 'stopping' || (await fitPlace(place, id, hear, drawn)).stopReason === 'stopped';
        if (stopped) return drawn ? 'Stopped. The factors reached so far are shown.' : 'Stopped. The table goes on with what is missing.';
      }
      return done();
    });
    table.mark();
    for (const control of controls) control.disabled = false;
  }

  return {
    title: 'The paper',
    element,
    enter(options) {
      const before = JSON.stringify(given());
      // Another address is another experiment; the room's name alone leads back to the one that is here.
      if (!panel.busy && (!began || options.size > 0))
        for (const [name, { field }] of Object.entries(fields)) field.value = options.get(name) ?? defaults[name as keyof Options];
      if (began) {
        if (JSON.stringify(given()) === before) remember();
        else changed();
        return;
      }
      began = true;
      changed();
      // A visitor sees it learn at once; without a device the page says what to do.
      void openDevice().then(
        () => {
          // Nobody asked for it, so it takes no fit's place, and disturbs nobody who is choosing.
          if (!fitsAtWork() && !element.querySelector('form :focus')) void panel.start();
        },
        () => {},
      );
    },
  };
}
