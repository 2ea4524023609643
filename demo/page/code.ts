/** The fit on the screen as code: a program in TypeScript and a command line that do the same. */
import { el } from './dom.js';

export interface Code {
  typescript: string;
  command: string;
}

/** The button that opens them. */
export function codeButton(codeOf: () => Code): HTMLElement {
  return el('button', { type: 'button', onclick: () => showCode(codeOf()) }, 'Copy as code');
}

function showCode({ typescript, command }: Code): void {
  const part = (title: string, text: string) => {
    const done = el('span', { role: 'status' });
    const copy = async () => {
      await navigator.clipboard.writeText(text);
      done.textContent = 'Copied';
    };
    return el(
      'section',
      {},
      el('h3', {}, title),
      el('pre', { tabindex: 0, 'aria-label': title }, text),
      el('div', { class: 'buttons' }, el('button', { type: 'button', onclick: () => void copy() }, `Copy the ${title}`), done),
    );
  };
  const dialog = el(
    'dialog',
    { class: 'code', 'aria-label': 'The fit as code', onclose: () => dialog.remove() },
    part('TypeScript', typescript),
    part('command line', command),
    el('div', { class: 'buttons' }, el('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close')),
  );
  document.body.append(dialog);
  dialog.showModal();
}
