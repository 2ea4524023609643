/** Start, pause and stop of a fit, and how it goes. Every room has one. */
import type { FitEvent } from '../work/fits.js';
import { el } from './dom.js';
import { sentenceOf } from './notices.js';
import { work } from './session.js';

type State = 'idle' | 'waiting' | 'running' | 'paused' | 'stopping' | 'ended' | 'failed';

export interface FitPanel {
  element: HTMLElement;
  readonly state: State;
  /** Whether a fit of this room runs, waits or is paused. */
  readonly busy: boolean;
  /** Runs a fit. `learn` gets its number and the listener that tells this panel of its events, and returns a sentence about its end. */
  run(learn: (id: number, hear: (event: FitEvent) => void) => Promise<string>): Promise<void>;
  /**
   * Starts as the button does, by `onStart` or by `act`: where a fit is at work, here or in another room, the person chooses between waiting,
   * replacing it, and leaving it. What waits for a fit of this panel takes the options that are on the screen when it begins.
   */
  start(act?: () => void | Promise<void>): Promise<void>;
  /** Takes back the sentence about the last fit, whose figures are gone. */
  rest(): void;
  /** Brings the focus to its buttons. */
  focus(): void;
  /** Shows or hides the sentence beside the buttons, for an option or a file that cannot be. */
  complain(text: string): void;
}

export interface FitPanelOptions {
  /** The name of the room, for a person who starts a fit elsewhere. */
  room: string;
  /** The text of the button that starts. */
  verb?: string;
  /** The sentence before the first run. */
  idle?: string;
  /** Whether it counts iterations and can be paused; a survey of many fits shows how much of it is done. */
  iterates?: boolean;
  onStart: () => void | Promise<void>;
}

const dash = '–';

/** The fits that run or wait, in their order, and what their person calls them. */
const filed: { id: number; room: string; stop: () => void }[] = [];
let lastId = 0;

/** Whether a fit runs or waits anywhere. */
export const fitsAtWork = () => filed.length > 0;

export function fitPanel({
  room,
  verb = 'Start',
  idle = 'Nothing has been learned yet.',
  iterates = true,
  onStart,
}: FitPanelOptions): FitPanel {
  let state: State = 'idle';
  let id = 0;
  /** Ends when the fit of this panel has ended. */
  let ending: Promise<void> = Promise.resolve();
  let withdraw: (() => void) | undefined; // while something waits for the fit of this panel
  let starting = false; // from the choice of the person to the begin of the fit
  const start = el(
    'button',
    {
      type: 'button',
      class: 'primary',
      onclick: (event) => {
        if ((event as MouseEvent).detail < 2) void panel.start(); // the second click of a double one starts nothing
      },
    },
    verb,
  );
  const pause = el('button', { type: 'button', disabled: true, onclick: holdOrGo }, 'Pause');
  const stop = el('button', { type: 'button', disabled: true, onclick: end }, 'Stop');
  const status = el('p', { class: 'fit-state', role: 'status' }, idle);
  const complaint = el('p', { class: 'complaint', role: 'alert', hidden: true });
  const numbers = { iteration: el('dd', {}, dash), elapsed: el('dd', {}, dash), speed: el('dd', {}, dash) };
  const next = el(
    'p',
    { class: 'fit-next', role: 'status', hidden: true },
    'Another one begins when this one ends, with the options that are on the screen then. ',
    el('button', { type: 'button', class: 'quiet', onclick: () => withdraw?.() }, 'Withdraw it'),
  );
  const bar = el('progress', { max: 1, value: 0, 'aria-label': 'The part that is done' });
  const counted = el(
    'dl',
    {},
    el('div', {}, el('dt', {}, 'Iteration'), numbers.iteration),
    el('div', {}, el('dt', {}, 'Time'), numbers.elapsed),
    el('div', {}, el('dt', {}, 'Speed'), numbers.speed),
  );
  const element = el(
    'div',
    { class: 'fit-panel', 'data-state': state },
    el('div', { class: 'buttons' }, start, ...(iterates ? [pause] : []), stop),
    status,
    next,
    iterates ? counted : bar,
    complaint,
  );

  function enter(entered: State, text: string): void {
    state = entered;
    element.dataset.state = entered;
    status.textContent = text;
    suit();
  }

  /** The buttons that suit the state. */
  function suit(): void {
    const { busy } = panel;
    const focused = document.activeElement;
    start.textContent = busy ? 'Start another …' : verb;
    start.disabled = withdraw !== undefined;
    pause.disabled = state !== 'running' && state !== 'paused';
    pause.textContent = state === 'paused' ? 'Resume' : 'Pause';
    stop.disabled = !busy || state === 'stopping';
    next.hidden = withdraw === undefined;
    // A button that is switched off or gone loses the focus, which would fall to the body.
    if (focused instanceof HTMLButtonElement && element.contains(focused) && (focused.disabled || focused.closest('[hidden]')))
      (busy ? (stop.disabled ? status : stop) : start).focus();
  }

  /** Waits for the fit of this panel; false where the person does not want that any longer. */
  async function ownEnd(): Promise<boolean> {
    const withdrawn = new Promise<boolean>((resolve) => {
      withdraw = () => resolve(false);
    });
    suit();
    // What follows the end of a fit comes first.
    const ended = ending.then(() => new Promise<boolean>((resolve) => setTimeout(() => resolve(true))));
    const goesOn = await Promise.race([ended, withdrawn]);
    withdraw = undefined;
    suit();
    return goesOn;
  }

  function holdOrGo(): void {
    if (state === 'paused') {
      void work.resume(id);
      enter('running', 'Learning');
    } else {
      void work.pause(id);
      enter('paused', 'Paused; the factors stay as they are.');
    }
  }

  function end(): void {
    enter('stopping', 'Stopping …');
    void work.stop(id);
  }

  function hear(event: FitEvent): void {
    if (event.kind === 'waiting' || event.kind === 'started') {
      if (state === 'stopping' || state === 'paused') return; // on its way when the person pressed a button
      if (event.kind === 'waiting') enter('waiting', 'Waiting for the fit that runs …');
      else enter('running', 'Preparing …');
    } else if (event.kind === 'done') {
      bar.value = event.part;
      if (state === 'running') status.textContent = event.text;
    } else {
      const { stage, totalIterations, elapsedMs, perSecond, lostDevices } = event.check;
      numbers.iteration.textContent = String(totalIterations);
      numbers.elapsed.textContent = `${(elapsedMs / 1000).toFixed(1)} s`;
      numbers.speed.textContent = perSecond === null ? dash : `${Math.round(perSecond)} iterations/s`;
      const lost =
        lostDevices === 0
          ? ''
          : ` The GPU was lost ${lostDevices === 1 ? 'once' : `${lostDevices} times`}; the fit went on from its last factors.`;
      if (state === 'running') status.textContent = `Learning ${stage}.${lost}`;
    }
  }

  const panel: FitPanel = {
    element,
    get state() {
      return state;
    },
    get busy() {
      return state === 'waiting' || state === 'running' || state === 'paused' || state === 'stopping';
    },
    async start(act = onStart) {
      if (withdraw || starting) return;
      panel.complain('');
      if (filed.length > 0 && (await askWhenBusy(filed)) === 'not') return;
      if (panel.busy && !(await ownEnd())) return;
      starting = true;
      try {
        await act();
      } finally {
        starting = false;
      }
    },
    rest() {
      if (!panel.busy && state !== 'idle') enter('idle', idle);
    },
    focus: () => start.focus(),
    run(learn) {
      ending = follow(learn);
      return ending;
    },
    complain(text) {
      complaint.textContent = text;
      complaint.hidden = text === '';
    },
  };

  async function follow(learn: Parameters<FitPanel['run']>[0]): Promise<void> {
    starting = false;
    for (const number of Object.values(numbers)) number.textContent = dash;
    bar.value = 0;
    id = ++lastId;
    const mine = { id, room, stop: end };
    filed.push(mine);
    enter('running', 'Preparing …');
    try {
      enter('ended', await learn(id, hear));
    } catch (error) {
      if (state === 'stopping' && error instanceof Error && error.name === 'CancelledError') enter('ended', 'Stopped before it began.');
      else {
        enter('failed', 'Not running.');
        panel.complain(sentenceOf(error));
      }
    } finally {
      filed.splice(filed.indexOf(mine), 1);
    }
  }

  status.tabIndex = -1;
  return panel;
}

/** Asks a person who starts a fit while others are at work. */
function askWhenBusy(others: readonly { room: string; stop: () => void }[]): Promise<'start' | 'not'> {
  const rooms = [...new Set(others.map(({ room }) => room))].join(' and ');
  const [several, they, them] = others.length > 1 ? ['Fits', 'they are', 'them'] : ['A fit', 'it is', 'it'];
  return new Promise((resolve) => {
    let answer: 'start' | 'not' = 'not';
    const choose = (next: typeof answer, stopOthers = false) => {
      answer = next;
      if (stopOthers) for (const { stop } of [...others]) stop();
      dialog.close();
    };
    const dialog = el(
      'dialog',
      {
        'aria-label': 'A fit is running',
        onclose: () => {
          dialog.remove();
          resolve(answer);
        },
      },
      el('p', {}, `${several} of the room ${rooms} ${others.length > 1 ? 'are' : 'is'} not finished. One fit runs at a time.`),
      el(
        'div',
        { class: 'buttons' },
        el('button', { type: 'button', class: 'primary', onclick: () => choose('start') }, `Start when ${they} finished`),
        el('button', { type: 'button', onclick: () => choose('start', true) }, `Stop ${them} and start this one`),
        el('button', { type: 'button', onclick: () => choose('not') }, 'Do not start'),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
