/** A field of a form, made from the description of an option: its kind, default, choices and help. */
import type { OptionInfo } from 'orthant';
import { el, newId } from '../../page/dom.js';

export interface OptionField {
  name: string;
  element: HTMLElement;
  /** The value for the library; undefined where nothing was given. What cannot be read is given as it stands, and refused there. */
  value(): unknown;
  /** A file, of an option whose value is a matrix or labels. */
  file(): File | undefined;
  /** The text for the address; undefined where nothing was given, or a file. */
  text(): string | undefined;
  write(text: string): void;
  /** Shows a sentence of refusal beside the field, or takes it back. */
  complain(message: string): void;
  focus(): void;
  /** Switches the field off where it would do nothing beside the others. */
  suit(others: Readonly<Record<string, unknown>>, all: readonly OptionInfo[]): void;
}

/** 'maxIterations' as people read it: 'max iterations'. */
const titles: Record<string, string> = {
  maxIterations: 'Iterations at most',
  checkEvery: 'Iterations between checks',
  maxSeconds: 'Seconds at most',
  svdBound: 'SVD bound',
  l1: 'L1',
  l1A: 'L1 of A',
  l1S: 'L1 of S',
  l2A: 'L2 of A',
  l2S: 'L2 of S',
  learnL1: 'Learn L1',
  orthogonalA: 'Orthogonal A',
};

export function titleOf(name: string): string {
  if (titles[name]) return titles[name];
  const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return spaced[0].toUpperCase() + spaced.slice(1);
}

const shown = (value: unknown) => (typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value));

/** A number, or the text where it is none. */
function numberOf(text: string): unknown {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

const list = (text: string) => text.split(/[\s,;]+/).filter((part) => part !== '');

/** The value that a text stands for. */
export function parse({ kind, values, orNumber, orLayerValues }: OptionInfo, text: string): unknown {
  if (kind === 'flag') return text === 'true';
  if (kind === 'words') return list(text);
  if (kind === 'layerList') return list(text).map(numberOf);
  if (kind === 'layerValues') return list(text).length > 1 ? list(text).map(numberOf) : numberOf(text);
  if (kind === 'choice' || kind === 'choices') {
    if (values?.includes(text)) return text;
    if (orLayerValues) return list(text).map(numberOf);
    return values?.some((value) => typeof value === 'number') || orNumber ? numberOf(text) : text;
  }
  return numberOf(text);
}

export function optionField(option: OptionInfo, changed: () => void): OptionField {
  const { name, kind, help, values, default: byDefault, needs, orNumber, orLayerValues } = option;
  const id = newId('option');
  const error = el('p', { class: 'field-error', id: `${id}-error`, role: 'alert', hidden: true });
  const described = `${id}-help ${id}-error`;
  const isLong = byDefault !== undefined && shown(byDefault).length > 14;
  const isFile = kind === 'matrix' || kind === 'labels';
  const write = () => {
    complain('');
    for (const button of clear) button.hidden = !(input as HTMLInputElement).files?.length;
    changed();
  };
  const input = makeInput();

  function makeInput(): HTMLInputElement | HTMLSelectElement {
    const shared = { id, 'aria-describedby': described, 'data-option': name };
    if (isFile) return el('input', { ...shared, type: 'file', onchange: write });
    const known = byDefault === undefined ? 'not set' : isLong ? 'default, see below' : `default: ${shown(byDefault)}`;
    if (kind === 'flag' || (values && !orNumber && !orLayerValues)) {
      const choices = kind === 'flag' ? ['true', 'false'] : values!.map(String);
      const words = (choice: string) => (kind === 'flag' ? (choice === 'true' ? 'yes' : 'no') : choice);
      const first = kind === 'flag' && typeof byDefault === 'boolean' ? `default: ${byDefault ? 'yes' : 'no'}` : known;
      return el(
        'select',
        { ...shared, onchange: write },
        el('option', { value: '' }, first),
        ...choices.map((choice) => el('option', { value: choice }, words(choice))),
      );
    }
    const numeric = ['count', 'positiveInteger', 'positive', 'atLeastZero'].includes(kind);
    return el('input', {
      ...shared,
      type: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      inputmode: numeric ? 'decimal' : undefined,
      placeholder: byDefault === undefined ? '' : isLong ? 'default, see below' : shown(byDefault),
      list: values ? `${id}-list` : undefined,
      oninput: write,
    });
  }

  const suggestions =
    values && input instanceof HTMLInputElement
      ? [el('datalist', { id: `${id}-list` }, ...values.map((value) => el('option', { value: String(value) })))]
      : [];
  const also = orNumber ? `, or a number from ${orNumber[0]} to ${orNumber[1]}` : orLayerValues ? ', or a number for each layer' : '';
  const known = values && input instanceof HTMLInputElement ? `: ${values.join(', ')}${also}` : '';
  const needed = needs ? ` Only with ${titleOf(needs.option).toLowerCase()}${needs.values ? ` ${needs.values.join(' or ')}` : ''}.` : '';
  const clear = isFile
    ? [
        el(
          'button',
          {
            type: 'button',
            class: 'quiet',
            hidden: true,
            onclick: () => {
              input.value = '';
              input.focus();
              write();
            },
          },
          'Clear',
        ),
      ]
    : [];
  const element = el(
    'div',
    { class: 'field' },
    el('label', { for: id }, titleOf(name)),
    isFile ? el('div', { class: 'buttons' }, input, ...clear) : input,
    ...suggestions,
    el(
      'p',
      { class: 'hint', id: `${id}-help` },
      `${help[0].toUpperCase()}${help.slice(1).replaceAll('--', '')}${known}.${isLong ? ` Default: ${shown(byDefault)}.` : ''}${needed}`,
    ),
    error,
  );

  function complain(message: string): void {
    error.textContent = message;
    error.hidden = message === '';
    if (message === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  }

  const text = () => (isFile || input.disabled || input.value.trim() === '' ? undefined : input.value.trim());
  return {
    name,
    element,
    value: () => (text() === undefined ? undefined : parse(option, text()!)),
    file: () => (isFile && !input.disabled ? ((input as HTMLInputElement).files?.[0] ?? undefined) : undefined),
    text,
    write(next) {
      if (!isFile) input.value = next;
    },
    complain,
    focus() {
      element.closest('details')?.setAttribute('open', '');
      input.focus();
    },
    suit(others, all) {
      if (!needs) return;
      const other = others[needs.option] ?? all.find((one) => one.name === needs.option)?.default;
      const suits = needs.values ? needs.values.includes(other) : other !== undefined;
      input.disabled = !suits;
      element.classList.toggle('off', !suits);
    },
  };
}
