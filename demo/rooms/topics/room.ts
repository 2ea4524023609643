/** Topics of texts: documents, words, levels, and the tree that grows while it learns. */
import './topics.css';
import type { Room } from '../../main.js';
import { codeButton } from '../../page/code.js';
import { curve } from '../../page/curve.js';
import { byId, el } from '../../page/dom.js';
import { fitPanel } from '../../page/fit-panel.js';
import { sentenceOf } from '../../page/notices.js';
import { save, saveZip } from '../../page/save.js';
import { openDevice, proxy, work } from '../../page/session.js';
import { keepOptions } from '../../page/url.js';
import type { Check, FitEvent } from '../../work/fits.js';
import type { Kind } from '../../work/topics/export.js';
import type { Drawn, Opened } from '../../work/topics.js';
import { ask } from './ask.js';
import { codeOf, commandOf, type Shown } from './code.js';
import { documents, type Example } from './documents.js';
import { levelsPart } from './levels.js';
import { searchPart } from './search.js';
import { topicPart } from './topic.js';
import { type Place, treePart } from './tree.js';
import { wordsPart } from './words.js';

type Draw = (drawn: Drawn, check: Check) => void;
type Learning = (id: number, hear: (event: FitEvent) => void, draw: Draw) => Promise<Drawn>;

const files: Record<Kind, string> = {
  report: 'Report',
  topics: 'Topics as CSV',
  documents: 'Documents as CSV',
  json: 'JSON',
  model: 'Model',
};

export function room(): Room {
  let last: Drawn | undefined; // the tree of the model
  let unsaved = false; // names or changes by hand that no file has
  let unsavedTree = false; // a tree of the person's own documents that no file has
  let byHand = false;
  let entered = '';
  /** What the options were when the tree was learned. */
  let learned: Shown | undefined;

  const words = wordsPart({ onChange: changed });
  const levels = levelsPart({ onChange: changed });
  const texts = documents({ mayChange: () => mayLose(true), onOpened: opened });
  const panel = fitPanel({ room: 'Topics', onStart: () => begin('anew') });
  const onButton = el('button', { type: 'button', onclick: () => void panel.start(() => begin('on')) }, 'Go on from here');
  panel.element.querySelector('.buttons')?.append(onButton);
  const tree = treePart((place) => void topic.show(place));
  const topic = topicPart({ open, rename, divide, merge });
  const search = searchPart(open);
  const errors = curve('Errors by iteration');
  const exporting = el('p', { class: 'complaint', role: 'alert', hidden: true });
  const saves = el(
    'div',
    { class: 'buttons saves', role: 'group', 'aria-label': 'Save' },
    ...Object.entries(files).map(([kind, title]) => el('button', { type: 'button', onclick: () => void saveAs(kind as Kind) }, title)),
    codeButton(() => codeOf(learned ?? shown())),
  );
  const setup = el('div', { class: 'setup', hidden: true }, words.element, levels.element, panel.element);
  const result = el(
    'div',
    { class: 'result', hidden: true },
    el(
      'div',
      { class: 'tree-side' },
      search.element,
      tree.element,
      el(
        'details',
        { class: 'part curve-part', open: innerWidth > 720 },
        el('summary', {}, el('h2', {}, 'How far it has come')),
        errors.element,
      ),
    ),
    topic.element,
    el('section', { class: 'part save-part' }, el('h2', {}, 'Save'), saves, exporting),
  );
  const element = el(
    'article',
    { class: 'topics' },
    el('h1', {}, 'Topics'),
    el(
      'p',
      { class: 'lede' },
      'Find what a collection of texts is about: a tree of topics, from the finest at the bottom to the coarsest on top.',
    ),
    texts.element,
    setup,
    result,
  );

  /** Before names or changes by hand are lost; with other documents, which a fit does not bring back, the tree counts, too. */
  async function mayLose(others = false): Promise<boolean> {
    if (panel.busy) return ask('A fit is running; wait for it or stop it first.', []);
    if (unsaved) return ask('The tree has names or changes of yours that were not saved. They would be lost.', ['Go on without them']);
    return !(others && unsavedTree) || ask('The tree was not saved. It would be lost.', ['Go on without it']);
  }

  async function opened(found: Opened): Promise<void> {
    iterations = 0;
    if (!found.model) forget();
    else if (!last || !found.corpus) {
      forget();
      levels.show(found.model.ranks);
    }
    setup.hidden = !found.corpus;
    topic.enable(found.corpus !== undefined);
    if (found.corpus) {
      words.element.open = !found.model && innerWidth > 720;
      changed();
      await words.read();
    }
    if (found.model) settle(found.model);
  }

  /** The tree of other documents is gone. */
  function forget(): void {
    last = undefined;
    learned = undefined;
    unsaved = false;
    unsavedTree = false;
    byHand = false;
    result.hidden = true;
    void topic.show(undefined);
    search.clear();
    changed();
  }

  function changed(): void {
    onButton.disabled = !(last || panel.busy) || !words.effect;
    if (entered) keepOptions('topics', { corpus: texts.example, ...levels.address(), ...words.options() });
  }

  function shown(): Shown {
    const { opened: corpus, example, fields, encoding } = texts;
    return {
      source: corpus?.source ?? 'texts/',
      sampled: example === 'mail',
      fields,
      encoding,
      choices: words.choices,
      effect: words.effect,
      learn: levels.options,
      alone: last !== undefined && corpus === undefined,
      byHand,
    };
  }

  async function begin(how: 'anew' | 'on'): Promise<void> {
    if (how === 'anew' && !(await mayLose())) return;
    try {
      const options = levels.options;
      await words.read();
      const begun = { ...shown(), byHand: how === 'on' }; // the person may change options while it learns
      if (!words.effect) return panel.complain('There is no vocabulary; change the options of the words.');
      const done = await learnBy((id, hear, draw) => work.topics.learn(options, how, id, proxy(hear), proxy(draw)));
      if (!done) return;
      if (how === 'anew') unsaved = false;
      ({ byHand } = begun);
      learned = begun;
    } catch (error) {
      panel.complain(sentenceOf(error));
    }
  }

  /** Runs a fit, draws it on its way and at its end. */
  async function learnBy(learning: Learning): Promise<boolean> {
    const { ranks } = levels.options;
    await openDevice();
    topic.enable(false);
    words.element.open = false;
    drawLines(ranks);
    iterations = 0;
    let done = false;
    await panel.run(async (id, hear) => {
      const counted = (event: FitEvent) => {
        if (event.kind === 'check') iterations = event.check.totalIterations;
        hear(event);
      };
      const drawn = await learning(id, counted, (live, { totalIterations }) => {
        if (result.hidden) result.hidden = false;
        if (live.ranks.join() !== lines.join() && live.ranks.length >= lines.length) drawLines(live.ranks);
        tree.show(live);
        errors.add(
          totalIterations,
          lines.map((_, l) => live.errors[l] ?? null),
        );
        if (live.ranks.length === lines.length) askForBounds();
      });
      const stopped = panel.state === 'stopping';
      settle(drawn);
      done = true;
      unsavedTree = texts.example === undefined;
      return stopped ? 'Stopped, with the topics that it had then.' : 'Finished.';
    });
    if (!done && last) show(last);
    topic.enable(true);
    changed();
    return done;
  }

  let lines: readonly number[] = [];
  let iterations = 0; // at the last check
  let bounded = false;

  function drawLines(ranks: readonly number[]): void {
    lines = ranks;
    errors.lines(ranks.map((rank, l) => ({ name: `${rank} topics`, colour: `level-${Math.min(l, 4)}`, bound: null })));
    bounded = false;
  }

  /** The bounds take seconds of a processor, so they are asked for when there is a tree to read. */
  function askForBounds(): void {
    const of = lines;
    const falling = of.every((rank, l) => l === 0 || rank <= of[l - 1]);
    if (bounded || !falling || !words.effect) return;
    bounded = true;
    void work.topics
      .bounds([...of])
      .then((bounds) => {
        if (lines === of) errors.bounds(bounds);
      })
      .catch(() => {}); // without them the curve has no dashed lines
  }

  /** The end of a fit: what the model is. */
  function settle(drawn: Drawn): void {
    last = drawn;
    if (drawn.ranks.join() !== lines.join()) drawLines(drawn.ranks);
    errors.add(iterations, drawn.errors);
    askForBounds();
    show(drawn);
    const place = tree.selected ?? drawn.topics[0];
    tree.select(place);
    void topic.show(place);
  }

  function show(drawn: Drawn): void {
    result.hidden = false;
    tree.show(drawn);
  }

  function open(place: Place): void {
    tree.select(place);
    void topic.show(place).then(() => {
      topic.element.focus({ preventScroll: true });
      topic.element.scrollIntoView({ block: 'nearest' });
    });
  }

  async function rename(place: Place, name: string): Promise<void> {
    last = await work.topics.rename(place.layer, place.index, name);
    unsaved = true;
    show(last);
    await topic.show(place);
  }

  function divide({ layer, index }: Place, count: number): void {
    const place = { layer: layer === 0 ? 1 : layer, index }; // the lowest level gets one below it
    void panel.start(() => change((id, hear) => work.topics.divide(layer, index, count, levels.options, id, proxy(hear)), place));
  }

  function merge({ layer, index }: Place, other: number): void {
    const place = { layer, index: other < index ? index - 1 : index };
    void panel.start(() =>
      change((id, hear, draw) => work.topics.merge(layer, index, other, levels.options, id, proxy(hear), proxy(draw)), place),
    );
  }

  async function change(learning: Learning, place: Place): Promise<void> {
    try {
      if (!(await learnBy(learning))) return topic.element.focus();
    } catch (error) {
      return panel.complain(sentenceOf(error));
    }
    unsaved = true;
    byHand = true;
    learned = learned && { ...learned, byHand };
    levels.show(last!.ranks);
    tree.select(place);
    await topic.show(place);
    tree.focus();
  }

  async function saveAs(kind: Kind): Promise<void> {
    exporting.hidden = true;
    try {
      const from = learned ?? shown();
      const { learn, choices } = from;
      const settings = { restarts: learn.restarts, maxIterations: learn.maxIterations, tolerance: learn.tolerance, ...choices };
      const origin = { device: byId('device').textContent ?? '', command: commandOf(from), settings };
      const made = await work.topics.exported(kind, origin);
      if ('files' in made) await saveZip(made.name, made.files);
      else save(made.name, made.content);
      if (kind === 'model') [unsaved, unsavedTree] = [false, false];
    } catch (error) {
      exporting.textContent = sentenceOf(error);
      exporting.hidden = false;
    }
  }

  return {
    title: 'Topics',
    element,
    enter(options) {
      const given = options.toString();
      if (entered && given === '') return changed();
      entered = `?${given}`;
      levels.take(options);
      words.take(options);
      const corpus = options.get('corpus');
      if ((corpus === 'sotu' || corpus === 'mail') && texts.example !== corpus && !texts.opened) void texts.openExample(corpus as Example);
      else if (texts.opened) void words.read();
    },
    // An example learns the same from the address, unless it goes on from what was changed.
    atRisk: () => unsaved || unsavedTree || (panel.busy && (texts.example === undefined || last !== undefined)),
  };
}
