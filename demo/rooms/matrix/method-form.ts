/** The form of a fit: a method, the options of every fit, and those that the method has besides. All come from the list of the package. */
import type { Method, MethodInfo, OptionInfo } from 'orthant';
import { el, newId } from '../../page/dom.js';
import { fold } from './fold.js';
import { type OptionField, optionField, parse } from './option-field.js';
import { inFields } from './wording.js';

export interface Asked {
  method: Method;
  options: Record<string, unknown>;
  files: Record<string, File>;
}

export interface MethodForm {
  element: HTMLElement;
  readonly method: MethodInfo;
  asked(): Asked;
  /** Shows a refusal beside the option that it names; false where there is no field for it. */
  refuse(message: string, option: string | undefined): boolean;
  /** Takes a method and ranks, as an example or a survey suggests them. */
  suggest(method: Method | undefined, ranks: readonly number[]): void;
  /** Reads the options of the address. */
  /** Takes the options of an address. `afresh`: those that it leaves out become what they are by default. */
  read(options: URLSearchParams, how?: { afresh?: boolean }): void;
  address(): Record<string, string | undefined>;
}

/** The options of every fit, as `FitOptions` has them; their defaults differ by method. */
const everyFit: OptionInfo[] = [
  { name: 'seed', kind: 'count', help: 'the same seed gives the same result', default: 0 },
  { name: 'restarts', kind: 'positiveInteger', help: 'independent starts, of which the best is kept' },
  { name: 'maxIterations', kind: 'positiveInteger', help: 'of one stage', default: 'by method' },
  { name: 'tolerance', kind: 'atLeastZero', help: 'the fall of the objective per iteration at which it has settled', default: 'by method' },
];
const further: OptionInfo[] = [
  {
    name: 'stopping',
    kind: 'choice',
    values: ['objective', 'initialError', 'kkt'],
    help: 'the quantity that the tolerance refers to',
    default: 'objective',
  },
  { name: 'checkEvery', kind: 'positiveInteger', help: 'iterations that run together', default: 10 },
  { name: 'maxSeconds', kind: 'positive', help: 'the fit ends at the first check after that', default: 'no limit' },
  { name: 'svdBound', kind: 'flag', help: 'compute the least error that any factorization of the ranks can have', default: true },
];

const leftOut: Record<string, string> = {
  guide: 'columns of numbers, with a rule of their own',
  layerWeights: 'a list for the objective',
  target: 'a second matrix',
  output: 'it belongs to ratio masks',
  sources: 'they are matrices',
};

export function methodForm(methods: readonly MethodInfo[], changed: () => void): MethodForm {
  let current = methods.find(({ name }) => name === 'nmf') ?? methods[0];
  let own: OptionField[] = [];
  let ranksGiven = false;

  const methodId = newId('method');
  const select = el(
    'select',
    { id: methodId, onchange: () => choose(select.value) },
    ...methods.map(({ name }) => el('option', { value: name, selected: name === current.name }, name)),
  );
  const summary = el('p', { class: 'hint' });
  const ranks = optionField({ name: 'ranks', kind: 'layerValues', help: 'ranks' }, () => {
    ranksGiven = true;
    changed();
  });
  const ranksHint = ranks.element.querySelector('.hint')!;
  const common = everyFit.map((option) => optionField(option, changed));
  const rest = further.map((option) => optionField(option, changed));
  const ownPlace = el('div', { class: 'fields' });
  const ownTitle = el('summary', {});
  const apart = el('p', { class: 'hint' });
  const element = el(
    'section',
    { class: 'method', 'aria-label': 'Method' },
    el(
      'div',
      { class: 'fields first' },
      el('div', { class: 'field' }, el('label', { for: methodId }, 'Method'), select, summary),
      ranks.element,
    ),
    fold('Seed, restarts, iterations', 'common', el('div', { class: 'fields' }, ...common.map((field) => field.element))),
    el('details', { class: 'own-options' }, ownTitle, ownPlace, apart),
    el('details', {}, el('summary', {}, 'When it stops'), el('div', { class: 'fields' }, ...rest.map((field) => field.element))),
  );
  const fields = () => [ranks, ...common, ...rest, ...own];

  function choose(name: string): void {
    current = methods.find((method) => method.name === name) ?? current;
    select.value = current.name;
    summary.textContent = sentence(current.summary);
    ranksHint.textContent =
      current.layers === 'one' ? 'The columns of A, such as 6.' : 'The columns of every A, from the first layer on, such as 9, 4, 2.';
    const restarts = common.find((field) => field.name === 'restarts')!;
    restarts.element.querySelector('input')!.placeholder = String(current.restarts);
    own = current.options.filter(({ kind }) => kind !== 'data').map((option) => optionField(option, update));
    ownPlace.replaceChildren(...own.map((field) => field.element));
    ownTitle.textContent = `Options of ${current.name} (${own.length})`;
    const inCode = current.options.filter(({ kind }) => kind === 'data');
    apart.textContent =
      inCode.length === 0
        ? ''
        : `In code only: ${inCode.map(({ name, help }) => `${name} (${leftOut[name] ?? help})`).join('; ')}. "Copy as code" is the place to begin.`;
    const kkt = rest.find(({ name }) => name === 'stopping')!.element.querySelector('option[value="kkt"]') as HTMLOptionElement;
    kkt.disabled = !current.kktStops;
    suit();
    changed();
  }

  function suit(): void {
    const given = Object.fromEntries(own.map((field) => [field.name, field.file() ?? field.value()]));
    for (const field of own) field.suit(given, current.options);
  }

  function update(): void {
    suit();
    changed();
  }

  choose(current.name);
  return {
    element,
    get method() {
      return current;
    },
    asked() {
      for (const field of fields()) field.complain('');
      const given = fields().flatMap((field): [string, unknown][] => (field.value() === undefined ? [] : [[field.name, field.value()]]));
      const options: Record<string, unknown> = Object.fromEntries(given);
      const text = ranks.text();
      if (text !== undefined) options.ranks = [parse({ name: 'ranks', kind: 'layerList', help: '' }, text)].flat();
      const files = own.flatMap((field): [string, File][] => (field.file() ? [[field.name, field.file()!]] : []));
      return { method: current.name, options, files: Object.fromEntries(files) };
    },
    refuse(message, option) {
      const field = fields().find(({ name }) => name === option);
      if (!field) return false;
      field.complain(
        inFields(
          message,
          fields().map(({ name }) => name),
        ),
      );
      field.focus();
      return true;
    },
    suggest(method, list) {
      if (method && method !== current.name) choose(method);
      if (list.length > 0) ranks.write(list.join(', '));
      ranks.complain('');
      ranksGiven = false;
      changed();
    },
    read(options, { afresh = false } = {}) {
      const method = options.get('method') ?? (afresh ? 'nmf' : null);
      if (method && methods.some(({ name }) => name === method)) choose(method);
      for (const field of fields()) {
        const text = options.get(field.name) ?? (afresh && field !== ranks ? '' : null);
        if (text !== null) field.write(text);
      }
      if (options.has('ranks')) ranksGiven = true;
      suit();
    },
    address() {
      const texts = fields().map((field) => [field.name, field.text()?.replaceAll(', ', ',')] as const);
      const given = Object.fromEntries(texts);
      return { ...given, method: current.name === 'nmf' ? undefined : current.name, ranks: ranksGiven ? given.ranks : undefined };
    },
  };
}

const sentence = (words: string) => `${words[0].toUpperCase()}${words.slice(1)}.`;
