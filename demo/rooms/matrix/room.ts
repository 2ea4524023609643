/** The room of any matrix: read, fit, look, fill in, survey the ranks, save. */
import './matrix.css';
import type { MethodInfo } from 'orthant';
import type { Room } from '../../main.js';
import { el } from '../../page/dom.js';
import { fitPanel } from '../../page/fit-panel.js';
import { openDevice, proxy, work } from '../../page/session.js';
import { keepOptions, place } from '../../page/url.js';
import type { Check, FitEvent } from '../../work/fits.js';
import type { Drawing, Facts, Learned } from '../../work/matrix.js';
import type { Shown } from './code-text.js';
import { dataPanel } from './data-panel.js';
import type { Example } from './examples.js';
import { exportPanel } from './export-panel.js';
import { type MethodForm, methodForm } from './method-form.js';
import { results } from './results.js';
import { surveyPanel } from './survey-panel.js';

export function room(): Room {
  let form: MethodForm | undefined;
  let asked: URLSearchParams | undefined;
  let learned: Learned | undefined;
  /** The fits that led to the model, with the last one. */
  let path: Shown['before'] = [];

  const data = dataPanel({ onRead, onModel, check });
  const formPlace = el('div', {});
  const panel = fitPanel({ room: 'Matrix', onStart: () => start(false) });
  const goOn = el(
    'button',
    { type: 'button', hidden: true, onclick: () => void panel.start(() => start(true)) },
    'Go on from these factors',
  );
  panel.element.querySelector('.buttons')!.append(goOn);
  const shown = results();
  const survey = surveyPanel((ranks) => {
    const many = ranks.length > 1 && form?.method.layers === 'one';
    form?.suggest(many ? 'hierarchical' : undefined, ranks);
    form?.element.querySelector<HTMLElement>('[data-option="ranks"]')?.focus();
  });
  const onScreen = (): Shown => ({
    facts: data.facts,
    asked: form!.asked(),
    method: form!.method,
    reading: data.reading.reading(),
    before: path.slice(0, -1),
  });
  /** What was on the screen when the fit of the model began. */
  let learnedBy: Shown | undefined;
  const saving = exportPanel(onScreen, () => learnedBy);
  const fitting = el(
    'div',
    { class: 'fitting', hidden: true },
    el('h2', {}, 'Fit'),
    formPlace,
    panel.element,
    shown.element,
    survey.element,
  );
  const element = el(
    'article',
    { class: 'matrix' },
    el('h1', {}, 'Matrix'),
    el('p', { class: 'lede' }, 'Any nonnegative matrix as a product of two or more small ones: parts, and their shares in every sample.'),
    data.element,
    fitting,
    saving.element,
  );
  const ready = load();

  async function load(): Promise<void> {
    const methods = (await work.matrix.methods()) as MethodInfo[];
    form = methodForm(methods, remember);
    formPlace.replaceChildren(form.element);
    if (asked) form.read(asked);
  }

  function remember(): void {
    if (!form || !asked || place().room !== 'matrix') return; // the person may be elsewhere by now
    keepOptions('matrix', address());
  }

  /** What the address has of the screen. */
  function address(): Record<string, string> {
    const all: Record<string, string | undefined> = { example: data.example, ...form?.address(), ...data.reading.address() };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** Throws while a fit needs the data that are here. */
  function check(): void {
    if (panel.busy || survey.busy) throw new Error('A fit of these data is at work; stop it before you read others.');
  }

  function onRead(facts: Facts, example?: Example): void {
    learned = undefined;
    path = [];
    fitting.hidden = false;
    goOn.hidden = true;
    shown.clear();
    survey.suit(facts);
    const most = Math.min(facts.rows, facts.cols, 128);
    const given = asked?.has('ranks') || asked?.has('method');
    if (example && !given) form?.suggest(example.method, example.ranks);
    else if (!form?.asked().options.ranks) form?.suggest(undefined, [Math.min(most, facts.image ? 16 : 5)]);
    asked?.delete('ranks');
    asked?.delete('method');
    saving.offer({ data: true, model: false, missing: facts.missing > 0, images: facts.image !== undefined });
    panel.complain('');
    remember();
    fitting.querySelector('h2')!.scrollIntoView?.({ block: 'nearest' });
  }

  async function onModel(file: File): Promise<void> {
    await ready;
    const taken = (await work.matrixFiles.modelImport(file)) as Learned;
    form?.suggest(taken.method, taken.ranks);
    fitting.hidden = false;
    learnedBy = undefined;
    path = ['model'];
    accept(taken, true);
  }

  function accept(next: Learned, saved = false): void {
    learned = next;
    const { facts } = data;
    shown.finish(facts, next);
    goOn.hidden = facts === undefined;
    saving.offer({
      data: facts !== undefined,
      model: true,
      missing: (facts?.missing ?? 0) > 0,
      images: facts?.image !== undefined,
      saved,
    });
  }

  async function start(goOn: boolean): Promise<void> {
    const { facts } = data;
    if (!form || !facts) return panel.complain('There are no data yet; drop a file, or take an example.');
    const began = { ...onScreen(), before: goOn ? path : [] };
    const request = { ...began.asked, goOn, reading: began.reading };
    const draw = (drawing: Drawing, check: Check) => shown.draw(drawing, check);
    await panel.run(async (id: number, hear: (event: FitEvent) => void) => {
      const answer = await work.matrix.fit(
        request,
        id,
        proxy(hear),
        proxy((ranks: number[], bounds: (number | null)[]) => shown.begin(facts, ranks, bounds)),
        proxy(draw),
      );
      if ('refused' in answer) {
        const { message, option, cancelled } = answer.refused;
        if (learned) shown.finish(facts, learned);
        else shown.clear();
        if (cancelled) return 'Withdrawn before it began.';
        if (!form?.refuse(message, option)) throw new Error(message);
        return 'Not running: an option needs a look.';
      }
      path = [...began.before, began.asked];
      learnedBy = began;
      accept(answer);
      return ending(answer);
    });
  }

  return {
    title: 'Matrix',
    element,
    // An example learns the same from the address.
    atRisk: () => data.example === undefined && (panel.busy || survey.busy || (saving.unsaved && learned !== undefined)),
    enter(options) {
      if (asked) {
        const before = address();
        // The room's name alone leads back to what is here; another address is another fit.
        if (options.size === 0 || options.toString() === new URLSearchParams(before).toString()) return remember();
        asked = options;
        data.reading.read(options);
        void ready.then(async () => {
          form?.read(options, { afresh: true });
          const example = options.get('example');
          if (example && example !== before.example) await data.open(example);
          remember();
        });
        return;
      }
      asked = options;
      data.reading.read(options);
      void openDevice().catch(() => {}); // the page says so
      void ready.then(async () => {
        form?.read(options);
        const example = options.get('example');
        if (example) await data.open(example);
      });
    },
  };
}

const endings: Record<string, string> = {
  tolerance: 'Finished: the objective has settled.',
  exact: 'Finished: the factors are exact.',
  maxIterations: 'Ended after the most iterations; it had not settled.',
  maxSeconds: 'Ended after the given time.',
  stopped: 'Stopped; these are the factors so far.',
};

function ending({ stopReason, accuracy, restart, iterations }: Learned): string {
  const reason = endings[stopReason] ?? `Ended: ${stopReason}.`;
  const right = accuracy ? ` ${Math.round(100 * (accuracy.unlabelled ?? accuracy.labelled))} % of the labels are predicted.` : '';
  return `${reason} ${iterations} iterations${restart > 0 ? `, restart ${restart + 1}` : ''}.${right}`;
}
