/** Parts that a wide screen shows at once, and a narrow one when they are asked for. */
import { el } from '../../page/dom.js';

const wide = matchMedia('(min-width: 721px)');

export function fold(title: string, name: string, ...children: readonly (Node | string)[]): HTMLDetailsElement {
  return el('details', { class: `fold ${name}`, open: wide.matches }, el('summary', {}, title), ...children);
}

/** Closes a fold that has done its part, on a narrow screen. The focus stays in sight. */
export function close(element: HTMLDetailsElement): void {
  if (wide.matches) return;
  const held = element.contains(document.activeElement);
  element.open = false;
  if (held) element.querySelector('summary')?.focus();
}
