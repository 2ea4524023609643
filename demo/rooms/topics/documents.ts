/** Where the documents come from: files, a folder, pasted text, an example, or what this browser keeps. */

import { el } from '../../page/dom.js';
import { dropZone, type Given } from '../../page/drop.js';
import { sentenceOf } from '../../page/notices.js';
import { work } from '../../page/session.js';
import { forget, keep, kept } from '../../page/store.js';
import type { Fields, Opened } from '../../work/topics.js';

export type Example = 'sotu' | 'mail';

export interface Documents {
  element: HTMLElement;
  openExample(name: Example): Promise<void>;
  /** The example that is open, and the fields that were chosen, for the address and for code. */
  readonly example: Example | undefined;
  readonly fields: Fields;
  readonly encoding: string | undefined;
  readonly opened: Opened['corpus'];
}

export interface DocumentsOptions {
  /** Whether the documents may change now; a person is asked where names of topics would be lost. */
  mayChange(): Promise<boolean>;
  onOpened(opened: Opened): Promise<void>;
}

const examples: Record<Example, string> = { sotu: 'Speeches', mail: 'Mail' };
const fieldLabels: Record<keyof Fields, string> = { textField: 'Text', labelField: 'Label', dateField: 'Date', idField: 'Name' };

export function documents({ mayChange, onOpened }: DocumentsOptions): Documents {
  let example: Example | undefined;
  let given: readonly Given[] = []; // what was dropped or chosen last
  let files: readonly Given[] = []; // of the documents that are open
  let fields: Fields = {};
  let picked: Fields = {}; // of the table that is being opened
  let opened: Opened['corpus'];
  const zone = dropZone({
    invitation: 'Drop text files or a folder of them, a .csv, .jsonl or .parquet file, or a model that was saved here.',
    accept: ['.txt', '.md', '.csv', '.tsv', '.jsonl', '.ndjson', '.parquet', '.zip'],
    folders: true,
    async onFiles(files) {
      if (!(await mayChange())) return;
      given = files;
      picked = {};
      encoding.value = '';
      await take(work.topics.openFiles([...files]));
    },
  });
  const line = el('span', { role: 'status' });
  const other = el('button', { type: 'button', class: 'quiet', onclick: () => unfold() }, 'Other documents');
  const openedLine = el('p', { class: 'opened', hidden: true }, line, other);
  const notes = el('p', { class: 'hint' });
  const chosen = el('div', { class: 'controls', hidden: true });
  const encoding = el('input', { size: 14, placeholder: 'UTF-8', onchange: () => void reread() });
  const encodingLabel = el('label', { hidden: true }, 'Encoding ', encoding);
  const keeping = el('input', { type: 'checkbox', onchange: () => void keepOrForget() });
  const keepLabel = el('label', { class: 'check', hidden: true }, keeping, 'Keep these files in this browser');
  const offer = el('p', { class: 'kept', hidden: true });
  const paste = el('textarea', { rows: 6, 'aria-label': 'Text, a document on each line', placeholder: 'A document on each line' });
  const pasting = el(
    'div',
    { class: 'paste', hidden: true },
    paste,
    el('div', { class: 'buttons' }, el('button', { type: 'button', class: 'primary', onclick: () => void openText() }, 'Read the text')),
  );
  const pasteButton = el(
    'button',
    {
      type: 'button',
      'aria-expanded': 'false',
      onclick: () => {
        pasting.hidden = !pasting.hidden;
        pasteButton.setAttribute('aria-expanded', String(!pasting.hidden));
        if (!pasting.hidden) paste.focus();
      },
    },
    'Paste text',
  );
  zone.element
    .querySelector('.buttons')
    ?.append(
      pasteButton,
      el('span', { class: 'or' }, 'or an example:'),
      ...Object.entries(examples).map(([name, title]) =>
        el('button', { type: 'button', onclick: () => void openExample(name as Example, true) }, title),
      ),
    );
  zone.element.querySelector('.buttons')?.after(pasting);
  const element = el(
    'section',
    { class: 'documents', 'aria-label': 'Documents' },
    zone.element,
    offer,
    openedLine,
    chosen,
    notes,
    keepLabel,
  );
  chosen.append(encodingLabel);

  /** The place for files makes room for what was opened. */
  function fold(): void {
    if (zone.element.contains(document.activeElement)) other.focus(); // the focus must not fall to the body
    zone.element.hidden = true;
  }

  function unfold(): void {
    zone.element.hidden = false;
    if (document.activeElement === other) zone.element.querySelector('button')?.focus();
    other.hidden = true;
  }

  /** The sentence beside the place, which has to be there for it. */
  function complain(text: string): void {
    if (zone.element.hidden) unfold();
    zone.complain(text);
  }

  /** What is open, in a line. */
  function tell(found?: Opened): void {
    const facts = opened ? [el('strong', {}, opened.name), `: ${opened.documents.toLocaleString('en')} documents`] : [];
    const alone =
      found?.model && !opened ? ['A model without its documents. Open them to divide and merge its topics, and to go on learning.'] : [];
    line.replaceChildren(...facts, ...alone);
    openedLine.hidden = line.textContent === '';
  }

  async function take(reading: Promise<Opened>, from?: Example): Promise<void> {
    zone.complain('');
    element.setAttribute('aria-busy', 'true');
    line.textContent = 'Reading …';
    openedLine.hidden = false;
    try {
      const found = await reading;
      picked = found.chosen;
      showFields(found);
      if (found.problem) {
        // A field has to be chosen first; until then the documents stay that were there.
        tell();
        complain(found.problem);
        if (document.activeElement === document.body) chosen.querySelector('select')?.focus();
        return;
      }
      example = from;
      opened = found.corpus;
      fields = found.chosen;
      tell(found);
      notes.textContent = opened?.notes.join(' ') ?? '';
      files = given;
      keepLabel.hidden = files.length === 0 || !opened;
      keeping.checked = false;
      other.hidden = false;
      fold();
      await onOpened(found);
    } catch (error) {
      tell();
      const text = sentenceOf(error);
      encodingLabel.hidden = !/encoding/i.test(text);
      chosen.hidden = encodingLabel.hidden && chosen.childElementCount === 1;
      complain(text.replace(/by the option encoding/, 'below'));
    } finally {
      element.removeAttribute('aria-busy');
    }
  }

  /** A choice for each field of a table. */
  function showFields({ fields: names, chosen: now }: Opened): void {
    const selects = (Object.keys(fieldLabels) as (keyof Fields)[]).map((field) => {
      const auto =
        field === 'textField' ? (names.includes('text') ? undefined : 'choose …') : field === 'idField' ? 'as it is called' : 'none';
      const select = el(
        'select',
        {
          'data-field': field,
          onchange: () => {
            picked = { ...picked, [field]: select.value || undefined };
            void reread();
          },
        },
        ...(auto === undefined ? [] : [el('option', { value: '' }, auto)]),
        ...names.map((name) =>
          el('option', { value: name, selected: name === (now[field] ?? (field === 'textField' ? 'text' : '')) }, name),
        ),
      );
      return el('label', {}, `${fieldLabels[field]} `, select);
    });
    const focused = document.activeElement instanceof HTMLSelectElement ? document.activeElement.dataset.field : undefined;
    chosen.replaceChildren(...(names.length > 0 ? selects : []), encodingLabel);
    if (focused) chosen.querySelector<HTMLSelectElement>(`[data-field=${focused}]`)?.focus();
    encodingLabel.hidden = encoding.value === '';
    chosen.hidden = names.length === 0 && encodingLabel.hidden;
  }

  async function reread(): Promise<void> {
    if (given.length === 0 || !(await mayChange())) return;
    await take(work.topics.openFiles([...given], picked, encoding.value.trim() || undefined));
  }

  async function openText(): Promise<void> {
    if (!(await mayChange())) return;
    given = [];
    await take(work.topics.openText(paste.value));
    if (opened) pasting.hidden = true;
    pasteButton.setAttribute('aria-expanded', String(!pasting.hidden));
    if (pasting.hidden) pasteButton.focus();
  }

  async function openExample(name: Example, ask = false): Promise<void> {
    if (ask && !(await mayChange())) return;
    given = [];
    await take(work.topics.openExample(name, new URL(`examples/${name}.jsonl.gz`, document.baseURI).href), name);
  }

  async function keepOrForget(): Promise<void> {
    try {
      if (keeping.checked) await keep('topics', [...files]);
      else await forget('topics');
    } catch (error) {
      keeping.checked = false;
      complain(`The browser could not keep the files: ${sentenceOf(error)}.`);
    }
  }

  async function offerKept(): Promise<void> {
    const found = await kept('topics').catch(() => undefined); // a browser that keeps nothing has nothing to offer
    if (!found || opened) return;
    const [first] = found.files;
    const what = found.files.length === 1 ? first.path : `${found.files.length} files`;
    const open = async () => {
      if (!(await mayChange())) return;
      given = found.files;
      offer.hidden = true;
      zone.element.querySelector('button')?.focus(); // the focus must not fall to the body
      await take(work.topics.openFiles([...given]));
      keeping.checked = true;
      (keepLabel.hidden ? chosen.querySelector('select') : keeping)?.focus(); // a table may want its field first
    };
    const drop = async () => {
      await forget('topics');
      offer.hidden = true;
      zone.element.querySelector('button')?.focus();
    };
    offer.replaceChildren(
      `This browser keeps ${what} since ${found.date.slice(0, 10)}. `,
      el('button', { type: 'button', onclick: () => void open() }, 'Open'),
      ' ',
      el('button', { type: 'button', onclick: () => void drop() }, 'Forget'),
    );
    offer.hidden = false;
  }

  void offerKept();
  return {
    element,
    openExample,
    get example() {
      return example;
    },
    get fields() {
      return fields;
    },
    get encoding() {
      return encoding.value.trim() || undefined;
    },
    get opened() {
      return opened;
    },
  };
}
