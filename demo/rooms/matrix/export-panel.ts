/** What the person takes away: the model, its factors, the matrix with its gaps filled, and the fit as code. */
import { codeButton } from '../../page/code.js';
import { byId, el, newId } from '../../page/dom.js';
import { sentenceOf } from '../../page/notices.js';
import { save, saveZip } from '../../page/save.js';
import { work } from '../../page/session.js';
import { codeOf, commandsOf, type Shown } from './code-text.js';
import { fold } from './fold.js';

export interface ExportPanel {
  element: HTMLElement;
  /** Offers what there is. `saved`: the model comes from a file. */
  offer(there: { data: boolean; model: boolean; missing: boolean; images: boolean; saved?: boolean }): void;
  /** Whether there is a model that was not saved. */
  readonly unsaved: boolean;
}

type Form = 'npy' | 'csv' | 'npz' | 'parquet' | 'json' | 'png';

const forms: Record<Form, string> = {
  npy: '.npy',
  csv: 'CSV',
  npz: '.npz',
  parquet: 'Parquet',
  json: 'JSON',
  png: 'PNG, the parts',
};

/** `shown` is on the screen; `learned` made the model, undefined where it comes from a file. */
export function exportPanel(shown: () => Shown, learned: () => Shown | undefined): ExportPanel {
  let unsaved = false;
  const complaint = el('p', { class: 'complaint', role: 'alert', hidden: true });
  const done = el('p', { class: 'hint', role: 'status' });
  const formId = newId('form');
  const form = el(
    'select',
    { id: formId, 'aria-label': 'The form of the factors' },
    ...Object.entries(forms).map(([value, text]) => el('option', { value }, text)),
  );
  const png = form.querySelector<HTMLOptionElement>('option[value="png"]')!;
  const button = (text: string, act: () => Promise<string>) => el('button', { type: 'button', onclick: () => void attempt(act) }, text);

  const model = button('Save the model (.zip)', async () => {
    await saveZip('model.zip', await work.matrixFiles.modelExport(settingsOf(learned())));
    unsaved = false;
    return 'model.zip has model.json and factors.safetensors.';
  });
  const factors = button('Save the factors', async () => {
    const kind = form.value as Form;
    await saveZip(`factors-${kind}.zip`, await work.matrixFiles.factorsExport(kind));
    return `factors-${kind}.zip is saved.`;
  });
  const report = button('Save the report (.html)', async () => {
    const from = learned();
    const origin = { device: byId('device').textContent ?? '', command: from && commandsOf(from).join(' && '), settings: settingsOf(from) };
    const { name, content } = await work.matrixFiles.reportExport(origin);
    save(name, content);
    return `${name} is a page that opens without a network.`;
  });
  const matrixButton = (text: string, what: 'read' | 'filled', kind: 'csv' | 'npy') =>
    button(text, async () => {
      const { name, content } = await work.matrixFiles.matrixExport(what, kind);
      save(name, content);
      return `${name} is saved.`;
    });
  const filled = [
    matrixButton('Save the filled matrix (CSV)', 'filled', 'csv'),
    matrixButton('Save the filled matrix (.npy)', 'filled', 'npy'),
  ];
  const read = matrixButton('Save the matrix (.npy)', 'read', 'npy');
  const ofModel = [model, el('span', { class: 'with-form' }, factors, form)];
  const code = codeButton(() => codeOf(shown()));
  const buttons = el('div', { class: 'buttons' }, ...ofModel, report, ...filled, read, code);
  const element = el('section', { class: 'exports', 'aria-label': 'Save', hidden: true }, fold('Save', 'save', buttons), done, complaint);

  async function attempt(act: () => Promise<string>): Promise<void> {
    complaint.hidden = true;
    done.textContent = '';
    try {
      done.textContent = await act();
    } catch (error) {
      complaint.textContent = sentenceOf(error);
      complaint.hidden = false;
    }
  }

  return {
    element,
    get unsaved() {
      return unsaved;
    },
    offer({ data, model: there, missing, images, saved = false }) {
      element.hidden = !data && !there;
      for (const part of ofModel) part.hidden = !there;
      report.hidden = !(there && data);
      for (const part of filled) part.hidden = !(there && missing);
      read.hidden = !data;
      png.disabled = !images;
      if (!images && form.value === 'png') form.value = 'npy';
      unsaved = there && !saved;
      done.textContent = '';
    },
  };
}

const settingsOf = (from: Shown | undefined): Record<string, unknown> =>
  from ? { ...from.asked.options, ...namesOf(from.asked.files) } : {};
const namesOf = (files: Readonly<Record<string, File>>) =>
  Object.fromEntries(Object.entries(files).map(([option, { name }]) => [option, name]));
